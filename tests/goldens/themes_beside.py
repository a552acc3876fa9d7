"""More themes: files, the second origin, graphs, paths for each operation, steering, and all of it mixed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from goldens import breaking, chats, rules, specs
from goldens.asking import PATHS, ask, balance, file, poll, request, submit
from goldens.themes import alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from goldens.asking import Object
    from goldens.dice import Dice
    from goldens.themes import Story

_AT_ONCE: Final = {"axis": "polls", "queued": 0, "running": 0}

_SMALL: Final = {"prompt": "a lamp by night", "width": 64, "height": 64}


def pictures(dice: Dice) -> Iterator[Story]:
    """What comes of tasks: small pictures, an edit of one, two short videos."""
    yield alone({"key": specs.KEYS[0], "profile": _AT_ONCE}), _drawn()
    yield alone({"key": specs.KEYS[0], "profile": {"axis": "ticks", "queued": 0, "running": 1}}), _undone()
    for fault in _OF_FILES:
        plan = [f"image#1: {fault}", f"image#3: {rules.fault(dice)} before"]
        session = {"key": specs.KEYS[dice.whole(0, 2)], "profile": _AT_ONCE, "plan": plan}
        yield alone(session), _fetched(dice)


#: Faults that clients of pictures meet.
_OF_FILES: Final = (
    "corrupt", "garbled", "truncate", "filename", "cut", "html", "http 404", "redirect", "drip", "reset",
    "huge 1", "mixed",
)  # fmt: skip


def _drawn() -> Iterator[Object]:
    for workflow in ("default", "anime", "rr3", "grok"):
        yield ask("POST", "image_generation", document={**_SMALL, "seed": 7, "workflow": workflow})
    yield ask("POST", "image_editing", document={"prompt": "more light", "image": "data:image/png;base64,{png}"})
    yield ask("POST", "image_editing", document={"prompt": "more light", "image": "http://localhost{url:0}"})
    yield ask("POST", "video_generation", document={**_SMALL, "mode": "t2v"})
    for task in range(7):
        yield poll(task)
        yield file(task)
        yield file(task, "HEAD")
    yield file(0, "POST")
    yield file(0, begin="/elsewhere", headers={"x-api-key": "{key:0}"})


def _undone() -> Iterator[Object]:
    yield ask("POST", "image_generation", document=_SMALL)
    yield from (file(0), poll(0), {"do": "release", "session": 0, "task": 0, "ticks": 1}, file(0), file(9))
    yield {"do": "fail", "session": 0, "task": 0}
    yield {"do": "reopen", "session": 0}
    yield from (file(0), poll(0))


def _fetched(dice: Dice) -> Iterator[Object]:
    yield ask("POST", "image_generation", document={**_SMALL, "seed": dice.whole(0, 3)})
    yield poll(0)
    yield from (file(0), file(0, "HEAD"), {**file(0), "is_gone": True}, file(0, headers={"x-api-key": "{key:0}"}))


def second_origin(dice: Dice) -> Iterator[Story]:
    """Requests under `/elsewhere`, with and without a key."""
    for number in range(10):
        plan = [f"poll#2: redirect {(301, 302, 303, 307, 308)[number % 5]} {('here', 'elsewhere')[number % 2]}"]
        session = specs.session(dice, plan=[*plan, "poll#3: result elsewhere"], **specs.dialect(dice))
        yield alone(session), _led_away(dice)


def _led_away(dice: Dice) -> Iterator[Object]:
    yield submit(dice)
    for way in ("header", "none", "bearer", "query", "wrong"):
        path = f"/elsewhere{dice.pick(PATHS)}"
        yield from (poll(0, path=path, way=way), poll(0), balance(path=path, way=way), submit(dice, path=path, way=way))
    yield from (file(0, begin="/elsewhere", headers={"x-api-key": "{key:0}"}), file(1, begin="/elsewhere/elsewhere"))


def graphs(dice: Dice) -> Iterator[Story]:
    """Graphs as an editor exports them in the place of a prompt."""
    for number in range(10):
        session = specs.session(dice, axis="polls", plan=["submit prompt=x: http", "submit workflow=anime: id after"])
        yield alone(session), _exported(dice, number)


def _exported(dice: Dice, number: int) -> Iterator[Object]:
    for nodes in (1, 8 + number, 40, 150):
        yield submit(dice, members={"prompt": f"{{graph:{nodes}}}", "note": "{jkey:0}"})
        yield poll(0)
    yield submit(dice, members={"prompt": "{fill:30000}"})
    yield submit(dice, members={"prompt": "{graph:30}", "width": 0}, way="body")


def paths(dice: Dice) -> Iterator[Story]:
    """A path for each operation, and the OpenAPI documents."""
    for number in range(6):
        yield alone(specs.session(dice), openapi_paths=number < 5), _by_path(dice)


def _by_path(dice: Dice) -> Iterator[Object]:
    headers = {"x-api-key": "{key:0}", "content-type": "application/json"}
    yield request("GET", "/openapi.json")
    yield request(dice.pick(["POST", "HEAD"]), "/openapi.one-path.json")
    yield request("POST", "/v1/image_generation", body='{"prompt": "a lamp"}', headers=headers)
    yield request("POST", "/v1/video_generation", body='{"prompt": "a lamp", "mode": "t2v"}', headers=headers)
    for query in ("task_id={qtask:0}", "task_id={qtask:1}&endpoint=user_balance", "", "task_id=nobody"):
        yield request("GET", "/v1/task_status", query, headers=headers)
    yield request("GET", "/v1/user_balance", headers=headers)
    yield request("PUT", "/v1/user_balance", headers=headers)
    yield request("GET", "/v1/user_balances", headers=headers)


def steering(dice: Dice) -> Iterator[Story]:
    """Sessions that are steered: overrides, rules, right and wrong; revoked, begun anew, closed."""
    for number in range(16):
        session = specs.session(dice, key=specs.KEYS[number % 6])
        yield alone(session), _steered(dice, str(session["profile"]["axis"]), number)


def _steered(dice: Dice, axis: str, number: int) -> Iterator[Object]:
    yield from ({"do": "plan add", "session": 0, "rule": rule} for rule in rules.WRONG[number::8])
    yield from ({"do": "next", "session": 0, "override": override} for override in _OVERRIDES[number % 3 :: 3])
    yield from chats.talk(dice, axis, 4)
    yield {"do": "plan add", "session": 0, "rule": rules.rule(dice)}
    yield from chats.watched(dice, axis, 0, 2)
    yield dice.pick(
        [{"do": "plan clear", "session": 0}, {"do": "revoke", "session": 0}, {"do": "reopen", "session": 0}]
    )
    yield from chats.watched(dice, axis, 0, 2)
    yield dice.pick([{"do": "close", "session": 0}, {"do": "reopen", "session": 0}])
    yield from chats.talk(dice, axis, 3)


#: Task overrides, most of them wrong.
_OVERRIDES: Final[tuple[Object, ...]] = (
    {"queued": "soon"},
    {"queued": 1, "timeline": ["done"]},
    {"id": "once"},
    {"id": ""},
    {"id": "once"},
    {"axis": "years"},
    {"fail": "by plan", "id": "9"},
    {"running": "5..1"},
    {"timeline": [["queued", 1], ["resting", 2], "done"]},
    {"timeline": [["queued", 1], ["running", 2, "drying"], "failed"], "axis": "polls"},
)


def conditions(dice: Dice) -> Iterator[Story]:
    """Rules with conditions, met again and again: counts, times, quotas, shares, parameters."""
    faults = ("http 503", "word glowing", "refuse 429 slower", "nodata")
    for number in range(14):
        said = [rules.CONDITIONS[(number + 5 * rule) % len(rules.CONDITIONS)] for rule in range(2)]
        plan = [f"{dice.pick(['poll', 'balance', 'submit'])}{condition}: {dice.pick(faults)}" for condition in said]
        plan += [f"balance{dice.pick([' over 1/s', ' 2-4s', ' 3-s', ' every 2', '#2-4 50%'])}: {dice.pick(faults)}"]
        profile = {"axis": "seconds", "queued": 1, "running": 20}
        yield alone({"key": specs.KEYS[number % 6], "seed": number, "profile": profile, "plan": plan}), _met(dice)


def _met(dice: Dice) -> Iterator[Object]:
    yield ask("POST", "image_generation", document={"prompt": "a lamp", "workflow": "rr3"})
    yield ask("POST", "image_editing", document={"prompt": "more light", "image": "{png}"})
    for _ in range(6):
        yield from (poll(0), balance(), poll(dice.whole(0, 1)), balance())
        yield {"do": "advance", "seconds": dice.pick([0.5, 1, 1])}


def slots(dice: Dice) -> Iterator[Story]:
    """Tasks that wait for an engine to be free."""
    for number in range(8):
        profile = {"axis": "seconds", "queued": dice.pick([0, 1, "0..2"]), "running": dice.pick([2, 4, "1..5"])}
        session = {"key": specs.KEYS[0], "seed": number, "profile": profile, "slots": 1 + number % 2}
        yield alone(session), _queue(dice, number)


def _queue(dice: Dice, number: int) -> Iterator[Object]:
    for task in range(4):
        yield submit(dice, members={"workflow": "grok" if task == number % 6 else "default"})
        yield {"do": "advance", "seconds": dice.pick([0, 0, 1])}
    for _ in range(4):
        yield from (poll(task) for task in range(4))
        yield {"do": "advance", "seconds": dice.pick([1, 2, 3.5])}
    yield {"do": "next", "session": 0, "override": {"axis": "polls"}}


def mixed(dice: Dice) -> Iterator[Story]:
    """All of it, as it comes, for one session or for two."""
    for number in range(40):
        axis = dice.pick(["seconds", "polls", "ticks"])
        more = {**specs.dialect(dice), **(specs.money(dice) if dice.chance(0.3) else {})}
        sessions = [
            specs.session(dice, key=specs.KEYS[(number + n) % 6], axis=axis, **more) for n in range(1 + number % 2)
        ]
        sessions[0]["plan"] = [rules.rule(dice) for _ in range(dice.whole(0, 3))]
        yield {"seed": number, "sessions": sessions}, _both(dice, axis, len(sessions))


def _both(dice: Dice, axis: str, sessions: int) -> Iterator[Object]:
    for session in range(sessions):
        yield from chats.mixed(dice, axis, 16 // sessions, session=session)
    yield breaking.broken(dice)


#: Theme -> its stories.
SECOND: Final[Mapping[str, Callable[[Dice], Iterator[Story]]]] = {
    "pictures": pictures,
    "second-origin": second_origin,
    "graphs": graphs,
    "paths": paths,
    "steering": steering,
    "conditions": conditions,
    "slots": slots,
    "mixed": mixed,
}
