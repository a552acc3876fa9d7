"""A key that somebody put anywhere is nowhere in what the fake writes down or says, by whichever way it came in."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi_call import body_in, call, scope_of
from safelight import Safelight
from safelight.contracts.secrets import redacted
from safelight.mockserver.control.control import Control
from safelight.mockserver.faults.rules import WrongRule, read_rule
from safelight.mockserver.model.wire import AnswerLost
from safelight.mockserver.service.service import Service
from safelight.mockserver.transports.asgi import create_app
from safelight.traffic.exchange import Exchange
from safelight.traffic.expectations import Missed, plan_delivered
from safelight.traffic.ndjson import line
from safelight.traffic.transcript import transcript
from serving import safelight, serving

OWNER: Final = "key-of-the-owner"
SUBMIT: Final = "/v1/index.php?endpoint=image_generation"
POLL: Final = "/v1/index.php?endpoint=task_status&task_id="

Send = Callable[..., None]


def directive(text: str) -> dict[str, str]:
    return {"prompt": f"a lamp [[safelight {text}]]"}


#: Field -> what is sent to the fake, or to its control, with a text in that field.
WAYS_IN: Final[Mapping[str, Callable[[Send, str], object]]] = {
    "prompt": lambda send, key: send("POST", SUBMIT, {"prompt": key}),
    "name of a parameter": lambda send, key: send("POST", SUBMIT, {"prompt": "a", f"x {key}": 1}),
    "wrong workflow": lambda send, key: send("POST", SUBMIT, {"prompt": "a", "workflow": key}),
    "broken body": lambda send, key: send("POST", SUBMIT, f'{{"prompt": "{key}'.encode()),
    "task id": lambda send, key: send("GET", POLL + quote(key, safe="")),
    "endpoint": lambda send, key: send("GET", f"/v1/index.php?endpoint={quote(key, safe='')}"),
    "path": lambda send, key: send("GET", f"/{quote(key, safe='')}"),
    "header": lambda send, key: send("GET", "/", headers={"x-other": key, "user-agent": key}),
    "fault of a directive": lambda send, key: send("POST", SUBMIT, directive(f"submit: refuse 400 '{key}'")),
    "body of a fault": lambda send, key: send("POST", SUBMIT, directive(f"submit: body 200 '{key}' text/plain")),
    "header of a fault": lambda send, key: send("POST", SUBMIT, directive(f"submit: throttle '{key}'")),
    "reason of a directive": lambda send, key: send("POST", SUBMIT, directive(f"fail='{key}' queued=0 running=0")),
    "id of a directive": lambda send, key: send("POST", SUBMIT, directive(f"id='{key}'")),
    "wrong directive": lambda send, key: send("POST", SUBMIT, directive(f"{key}: reset")),
    "wrong option": lambda send, key: send("POST", SUBMIT, directive(f"queued='{key}'")),
    "fault rule": lambda send, key: send("POST", "/_safelight/plan", {"rules": [f"poll: refuse 400 '{key}'"]}),
    "condition": lambda send, key: send("POST", "/_safelight/plan", {"rules": [f'poll prompt="{key}": reset']}),
    "wrong fault rule": lambda send, key: send("POST", "/_safelight/plan", {"rules": [f"poll: {key}"]}),
    "id of a task to come": lambda send, key: send("POST", "/_safelight/next", {"id": key}),
    "reason of a task to come": lambda send, key: send("POST", "/_safelight/next", {"fail": key}),
    "status word": lambda send, key: send("POST", "/_safelight/next", {"timeline": [["queued", 9, key], "done"]}),
    "wrong step": lambda send, key: send("POST", "/_safelight/next", {"timeline": [[key, 9], "done"]}),
    "wrong setting": lambda send, key: send("PUT", "/_safelight/session", {key: 1}),
    "setting": lambda send, key: send("PUT", "/_safelight/session", {"faults": [f"poll: html '{key}'"], "fail": key}),
    "route": lambda send, key: send("GET", f"/_safelight/{quote(key, safe='')}"),
    "task of a route": lambda send, key: send("POST", f"/_safelight/tasks/{quote(key, safe='')}/fail", {}),
}

#: What control is asked for afterwards.
ASKED: Final = ("plan", "tasks", "session", "ledger", "journal", "journal?format=har", "journal?format=ndjson")


def ways_out(key: str, ways: list[str], spelled: str) -> str:
    """All that a fake writes down, and says by control, of requests with a text in these fields."""
    heard: list[Exchange] = []
    api = Service(keys=[OWNER, key], listener=lambda _, exchange: heard.append(exchange))
    app, said = create_app(api, control=Control()), list[str]()

    def send(method: str, target: str, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        sent = {"host": "127.0.0.1", "x-api-key": OWNER, "content-type": "application/json", **(headers or {})}
        raw = [(name.encode(), value.encode()) for name, value in sent.items()]
        text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        with suppress(AnswerLost):
            answered = call(app, scope_of(method, target.encode(), raw), body_in(text))
            said.append(answered.body.decode() if target.startswith("/_safelight/") else "")

    for way in ways:
        WAYS_IN[way](send, spelled)
        send("POST", SUBMIT, {"prompt": "a lamp"})
        with api.sessions.enter(OWNER) as session:
            task_ids = [task.id for task in session.tasks]
        for task_id in task_ids[-1:]:
            send("GET", POLL + quote(task_id, safe=""))
    for path in ASKED:
        send("GET", f"/_safelight/{path}")
    return "\n".join([*said, transcript(heard), *map(line, heard), *map(repr, heard)])


#: Keys in the published form, and of one's own: no word, and nothing that escapes change.
KEYS: Final = st.one_of(
    st.text("0123456789abcdef", min_size=48, max_size=48).map("sk-{}".format),
    st.text("0123456789ABCDEFGHKLMNPQRSTUVWXYZ", min_size=10, max_size=40).map("k.{}".format),
)


@given(KEYS, st.lists(st.sampled_from(list(WAYS_IN)), min_size=1, max_size=3))
@settings(deadline=None, max_examples=60)
def test_a_key_is_in_nothing_that_goes_out(key: str, ways: list[str]) -> None:
    assert key not in ways_out(key, ways, key)


@pytest.mark.parametrize("key", ["sk-" + 16 * "7e1", "k.0WN-K3Y/0F+M1N3"])
@pytest.mark.parametrize("way", WAYS_IN)
def test_no_way_in_lets_a_key_out(way: str, key: str) -> None:
    assert key not in ways_out(key, [way], key)
    encoded = "".join(f"%{ord(letter):02X}" for letter in key)
    assert encoded not in ways_out(key, [way], encoded)


@pytest.mark.parametrize("form", ["readable", "json"])
def test_a_key_in_a_fault_is_not_logged(form: str) -> None:
    with serving("--log", form) as server:
        server.call("POST", "image_generation", json=directive(f"submit: refuse 400 '{KEY}'"))
        server.call("POST", "image_generation", json=directive(f"submit: refus '{KEY}'"))
        assert "sk-..." in server.said
        assert KEY not in server.said


KEY: Final = "sk-" + 16 * "7e1"


@pytest.mark.parametrize(
    "command",
    [
        ["serve", f"--{KEY}"],
        ["serve", KEY],
        ["serve", "--queued", KEY],
        ["serve", "--faults", f"poll: {KEY}"],
        ["serve", "--host", KEY],
        ["serve", "--config", KEY],
        ["serve", "--prices", f"{KEY}=1"],
        ["exec", "--", KEY],
        ["schema", "show", KEY],
        [KEY],
    ],
    ids=str,
)
def test_no_command_says_a_key(command: list[str]) -> None:
    ended = safelight(command)
    assert ended.returncode
    assert KEY not in ended.stdout + ended.stderr
    assert "sk-..." in ended.stderr


def test_no_failed_expectation_says_a_key() -> None:
    unmet = plan_delivered([], [Missed(f"poll: refuse 400 {KEY}", "poll", "why")])
    assert KEY not in str(unmet)
    with Safelight(api_key="my-own-key-1") as api:
        api.plan.add("poll: refuse 400 my-own-key-1")
        with pytest.raises(AssertionError) as raised:
            api.assert_plan_delivered()
    assert "my-own-key-1" not in str(raised.value)


def test_a_wrong_fault_rule_points_at_its_place_and_shows_no_key() -> None:
    with pytest.raises(WrongRule) as raised:
        read_rule(f"poll prompt={KEY}: htp")
    _, text, pointer = str(raised.value).splitlines()
    assert KEY not in text
    assert text[pointer.index("^") :] == "htp"


@pytest.mark.parametrize("cut", range(8, 16))
def test_the_beginning_of_a_known_key_is_none_that_is_kept(cut: int) -> None:
    key = "k.0WN-K3Y/0F+M1N3"
    assert key[:8] not in redacted(f"prompt is {key[:cut]}…", frozenset({key}))
