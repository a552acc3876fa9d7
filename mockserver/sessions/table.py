"""The table of settings: a row each, and which rows each surface has.

Command line, config file and its schema, marker, Python keywords, control body and the tables of the docs are read or
made from these rows. A new setting is one row, and its use.
"""

from __future__ import annotations

from functools import reduce
from itertools import combinations, product
from typing import TYPE_CHECKING, Final

from safelight.contracts.dialects import dialects
from safelight.mockserver.model.engines import ENGINES
from safelight.mockserver.model.settings import BALANCE, SLOTS_NEED_SECONDS, kinds, submits
from safelight.mockserver.model.task_profile import TaskProfile
from safelight.mockserver.sessions.readers import (
    DELAY,
    FLAG,
    KEY,
    PAIR,
    REASON,
    RULE,
    TIMELINE,
    array,
    credits,  # noqa: A004 - the word for it
    formed,
    number,
    pairs_of,
    public_url,
    settings,
    table,
    text,
    users,
    whole,
    word,
)
from safelight.mockserver.sessions.setting import Conflict, Reader, Setting
from safelight.mockserver.storage.kinds import PATTERN, WORDS
from safelight.traffic.expectations import JUDGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Rows = dict[str, Setting]

#: Seconds of a session for one of the wall's, at most: a year in a thirtieth of a second.
MAX_SPEED: Final = 10**9


def _rows(*rows: Setting) -> Rows:
    return {row.name: row for row in rows}


TIME: Final = _rows(
    Setting("queued", "Seconds that a task waits: 2, 1..3, ~5, ~5/0.8, never", DELAY, 2, 2),
    Setting("running", "Seconds that it runs, likewise", DELAY, "10..60", "4..8"),
    Setting("polls", "Count polls instead: 1,2 is one queued, two running", PAIR, [1, 2]),
    Setting("ticks", "Count ticks, which are released by hand: likewise", PAIR, [1, 2]),
    Setting(
        "timeline",
        "The whole timeline in seconds, step by step; also one that no task of the service has",
        TIMELINE,
        [["running", 5], ["queued", 2], "done"],
    ),
)

_SHARE: Final = number("share", "a number from 0, none, to 1, all", maximum=1, form="SHARE", is_positive=False)
_COUNT: Final = whole("count", "1 or more", minimum=1)

FAILURES: Final = _rows(
    Setting("fail", "All tasks fail for this reason, or true for the service's own", REASON, "out of memory"),
    Setting("fail_rate", "Share of tasks that fail", _SHARE, 0.1),
    Setting("fail_reason", "What failed tasks say", text(), "no GPU left", usual="the service's sentence"),
    Setting("fail_nth", "The N-th task fails", array(_COUNT, "[3]", frozenset), [3]),
)

#: Names of the settings of time -> the axis that they say, for people.
AXES: Final[Mapping[tuple[str, ...], str]] = {
    ("queued", "running"): "seconds",
    ("polls",): "polls",
    ("ticks",): "ticks",
    ("timeline",): "a timeline",
}


def _two_axes() -> Iterable[Conflict]:
    """A task is on one axis."""
    for (names, axis), (others, other) in combinations(AXES.items(), 2):
        reason = f"time is in {axis} or in {other}: give {' and '.join(names)}, or {' and '.join(others)}"
        yield from (Conflict({one: ..., two: ...}, reason) for one, two in product(names, others))


_WHOLE_TIMELINE: Final = "a timeline says all of a task: leave out fail, fail_rate and fail_nth"

_OF_TASKS: Final = (
    *_two_axes(),
    *(Conflict({"timeline": ..., name: ...}, _WHOLE_TIMELINE) for name in ("fail", "fail_rate", "fail_nth")),
)

#: What a workflow can have of its own.
TASKS: Final = TIME | FAILURES

_TABLE: Final = settings(TASKS, _OF_TASKS, "setting of a workflow", "its settings: [workflows.rr3]")


def _of_workflow(value: object) -> object:
    return value if isinstance(value, TaskProfile) else _TABLE.read(value)


_WORKFLOWS: Final = table(
    lambda _: Reader(_of_workflow, _TABLE.schema), kinds(), "workflow", "one for each workflow: [workflows.rr3]"
)


def _dialect(setting: str, summary: str, example: str) -> Setting:
    names = list(dialects()[setting])
    return Setting(setting, summary, word(names), example, names[0])


_SLOTS: Final = whole("number of slots", "1 or more", minimum=1)
_RULES: Final = array(RULE, '["poll#2: http 502"]', tuple)
_IDS: Final = array(text(form="ID"), '["0001234567"]', tuple)
_ENGINES: Final = array(word(ENGINES, "ENGINE"), '["rr3"]', frozenset)

MORE: Final = _rows(
    Setting("workflows", "What is otherwise for tasks of one workflow", _WORKFLOWS, {"rr3": {"running": 20}}),
    Setting("slots", "N tasks run at once, the others wait; in seconds only", _SLOTS, 1, usual="all run"),
    Setting("faults", "What goes wrong, and when; `safelight faults` lists them", _RULES, ["poll#2: http 502"]),
    Setting("ids", "Ids of the first tasks; the others are drawn", _IDS, ["0001234567"]),
    Setting("down", f"This engine does not answer: {', '.join(ENGINES)}", _ENGINES, ["rr3"]),
    Setting("directives", "A prompt can say what becomes of its task", FLAG, False, True),
)

_PRICES: Final = pairs_of(
    table(lambda name: credits(f"price of {name}"), submits(), "submit", "credits by operation: [prices]"),
    "WHAT=CREDITS",
)
_FACTOR: Final = number("factor", "a number above 0, at most 1000", maximum=1_000, form="FACTOR")

MONEY: Final = _rows(
    Setting("balance", "Credits at the start", credits("balance"), 25, BALANCE),
    Setting("prices", "Credits for each submit of this kind", _PRICES, {"video_generation": 12.5}),
    Setting("cost_scale", "A factor on all prices, above 0", _FACTOR, 0.5, 1),
)

DIALECTS: Final = _rows(
    _dialect("vocabulary", "Words of the phases: published (pending, ...) or plain (queued, ...)", "plain"),
    _dialect("errors", 'Errors are object ("error": {"message": ...}), string or message', "string"),
    _dialect("limits", "What is over a maximum is refused (reject) or brought down to it (clamp)", "clamp"),
    _dialect(
        "requests",
        "Requests are as published; lenient: any workflow; linux-do: as the Linux DO edition takes them",
        "linux-do",
    ),
)

_SPEED: Final = number("speed", "60 for a minute in a second", maximum=MAX_SPEED, form="FACTOR", unit="x")
_SEED: Final = whole("seed", "a whole number of 64 bits", minimum=-(2**63))

CLOCK: Final = _rows(
    Setting("speed", "How many times faster than the wall's its clock runs", _SPEED, 60, 1),
    Setting("seed", "Fixes ids, timelines, failures and pictures", _SEED, 7, usual="random"),
)

_ID: Final = whole("id", "15 digits", maximum=10**15)

_USER: Final = _rows(
    Setting("key", "The user's key", KEY, "sk-5afe"),
    Setting("id", "The id in user_balance, in place of the number of the table", _ID, 17),
    Setting("balance", "Credits at the start", credits("balance"), 40),
    Setting("revoked", "The key is not accepted", FLAG, True),
)

_USERS: Final = users(settings(_USER, (), "setting of a user", "each user as one: [users.alice], with a key"))

CALLERS: Final = _rows(
    Setting("api_key", "The key to accept", KEY, "sk-5afe", usual="a fixed, plainly fake one"),
    Setting("any_key", "Accept every key; each has tasks of its own", FLAG, True, False),
    Setting("users", "Keys that belong to somebody", _USERS, {"alice": {"key": "sk-a11ce", "balance": 40}}),
    _dialect("path", "Entry point in URLs: published (/v1/index.php), earlier or root (/)", "root"),
    Setting("body_limit", "Larger bodies are refused", whole("limit", "1 or more", minimum=1, form="BYTES"), 99, 10**7),
    Setting("cors", "Pages of any origin can call it from a browser", FLAG, True, False),
    Setting("openapi_paths", "Answer at /v1/OPERATION too, and describe it", FLAG, True, False),
)

_PORT: Final = whole("port", "0 to 65535", maximum=65_535, form="PORT")
_TOKEN: Final = text(r"[!-~]{1,200}", "a token is 1 to 200 visible ASCII characters, as it has to fit into a header")

_NAME: Final = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}"
_NAMES: Final = array(
    formed(_NAME, "name of a host", "one such as safelight, without a port", "NAME"), '["safelight"]', frozenset
)
_ORIGINS: Final = array(
    formed(
        rf"https?://(?:{_NAME}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?",
        "origin of a page",
        "scheme, host and port as the browser shows them, such as http://localhost:5173",
        "ORIGIN",
    ),
    '["http://localhost:5173"]',
    frozenset,
)

_PUBLIC_URL: Final = public_url(_NAME)

_STORE: Final = text(f"(?:{PATTERN})", f"a store is {WORDS}", form="STORE")
_PROCESSES: Final = whole("number of processes", "1 to 64", minimum=1, maximum=64)
_LOGS: Final = word(["readable", "json", "none"], "FORM")

SERVER: Final = _rows(
    Setting("host", "Address to listen on", text(form="HOST"), "0.0.0.0", "127.0.0.1"),  # noqa: S104 - an example
    Setting("port", "Port to listen on; 0 is a free one", _PORT, 8123, 8123),
    Setting(
        "public_url",
        "What the URLs in its answers begin with, where clients reach it through a proxy",
        _PUBLIC_URL,
        "https://fake.example",
        usual="what each client has called",
        variable="SAFELIGHT_PUBLIC_URL",
    ),
    Setting("control", "It can be controlled over HTTP, under /_safelight/", FLAG, False, True),
    Setting(
        "control_token",
        "Whoever controls it has to send this; other machines may then",
        _TOKEN,
        "a-token",
        variable="SAFELIGHT_CONTROL_TOKEN",
    ),
    Setting("control_port", "Control it at this port alone, from this machine", _PORT, 8124),
    Setting(
        "control_host", "Whoever reaches it under this name can control it, without a token", _NAMES, ["safelight"]
    ),
    Setting("control_origin", "Pages of this origin can control it", _ORIGINS, ["http://localhost:5173"]),
    Setting("page", "A page at / shows in a browser what happens", FLAG, False, True),
    Setting("ready_file", "Write URL and key here as JSON, once it answers", text(form="FILE"), "ready.json"),
    Setting(
        "store",
        "Where sessions are kept: memory, sqlite:FILE, redis://HOST:PORT",
        _STORE,
        "sqlite:fake.db",
        usual="memory",
    ),
    Setting("processes", "Processes that serve, all from one store", _PROCESSES, 4, 1),
    Setting("watch", "Read the config file again whenever it changes; tasks stay", FLAG, True, False),
    Setting("log", "A line for each exchange: readable, json, none", _LOGS, "json", "readable"),
)

RECORDINGS: Final = _rows(
    Setting(
        "upstream",
        "Pass each request on to the API at this URL instead, and judge what it answers",
        text(form="URL"),
        "https://api.example/v1/index.php",
    ),
    Setting(
        "max_paid",
        "Tasks that upstream may be paid for",
        whole("number of tasks", "0 or more"),
        3,
        usual="0: no submit",
    ),
    Setting("recording", "Write what passes into this file, .ndjson or .har", text(form="FILE"), "traffic.ndjson"),
    Setting("replay", "Tasks go as those of this recording went, NDJSON or HAR", text(form="FILE"), "traffic.ndjson"),
)

_OF_TESTS: Final = _rows(
    Setting(
        "virtual_time", "The client's sleeps move the clock, unless this is false: you advance it yourself", FLAG, False
    ),
    CLOCK["speed"],
    *(Setting(switch, expected.summary.removesuffix("."), FLAG, False, True) for switch, expected in JUDGED.items()),
)

_KIND: Final = Setting(
    "clock", "Virtual: it stands still until it is advanced", word(["real", "virtual"], "KIND"), "virtual"
)

#: What a session can be like: `Safelight(...)`.
SESSION: Final = TASKS | MORE | MONEY | DIALECTS

#: The marker `safelight`, and `safelight_factory(...)`.
MARKER: Final = SESSION | _OF_TESTS

#: The body of `PUT /_safelight/session`.
CONTROL: Final = SESSION | _rows(_KIND) | CLOCK

#: `safelight serve --help` -> the rows under each heading. `exec` has all but the last two.
HEADINGS: Final[Mapping[str, Rows]] = {
    "How long tasks take": TIME,
    "What goes wrong": FAILURES | MORE,
    "What it costs": MONEY,
    "How it speaks": DIALECTS,
    "Its time": CLOCK,
    "Who may call": CALLERS,
    "The server": SERVER,
    "Record and replay": RECORDINGS,
}

#: The settings of `serve`, and of its config file.
SERVE: Final = reduce(lambda one, other: one | other, HEADINGS.values())

#: The settings of `exec`.
EXEC: Final = {name: row for name, row in SERVE.items() if name not in SERVER | RECORDINGS}

#: The settings of `serve` that say something of the server in front of an upstream.
IN_FRONT: Final = ("host", "port", "body_limit", "ready_file", "log", *RECORDINGS.keys() - {"replay"})

#: What does not go together, on each surface.
CONFLICTS: Final = (
    *_OF_TASKS,
    *(Conflict({"slots": ..., name: ...}, SLOTS_NEED_SECONDS) for name in ("polls", "ticks")),
    Conflict({"speed": ..., "virtual_time": True}, "virtual time skips time, and speed lets it pass: give one of them"),
    Conflict({"speed": ..., "clock": "virtual"}, "a virtual clock stands still until it is advanced: leave out speed"),
    *(
        Conflict({"control": False, name: ...}, f"with control off there is no {name}: leave out one of them")
        for name in ("control_port", "control_host", "control_origin")
    ),
    *(
        Conflict({"upstream": ..., name: ...}, f"an upstream has settings of its own: leave out {name}")
        for name in SERVE
        if name not in IN_FRONT
    ),
    Conflict({"control": False, "page": True}, "with control off there is no page: leave out one of them"),
    Conflict(
        {"any_key": True, "users": ...},
        "with any_key every key is accepted, and with users theirs alone: give one of them",
    ),
)
