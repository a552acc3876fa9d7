"""What is said to a session: stretches of steps from which stories are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from goldens import breaking, rules, specs
from goldens.asking import PATHS, SUBMITS, WAYS, balance, file, poll, submit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldens.asking import Object
    from goldens.dice import Dice

#: Share of submits that are of each operation: pictures mostly.
_OPERATIONS: Final = ("image_generation", *SUBMITS)

#: Ways of sending the key that let a request in.
GOOD_WAYS: Final = ("header", "bearer", "query", "both", "header and query", "blanks")


def any_submit(dice: Dice, **beside: Any) -> Object:
    """A legal submit of any operation."""
    return submit(dice, dice.pick(_OPERATIONS), path=dice.pick(PATHS), **beside)


def a_while(dice: Dice) -> Object:
    """Some time passes."""
    return {"do": "advance", "seconds": dice.pick([0.25, 0.5, 1, 1.5, 2, 5])}


def along(dice: Dice, axis: str, task: int, *, session: int = 0) -> Iterator[Object]:
    """What moves a task of this axis along, but for polls."""
    if axis == "ticks":
        yield {"do": "release", "session": session, "task": task, "ticks": dice.whole(0, 2)}
    if axis == "seconds" or dice.chance(0.2):
        yield a_while(dice)


def watched(dice: Dice, axis: str, task: int, polls: int, **beside: Any) -> Iterator[Object]:
    """A task from its submit on, polled so many times."""
    for _ in range(polls):
        yield poll(task, path=dice.pick(PATHS), **beside)
        yield from along(dice, axis, task, session=beside.get("session", 0))


def talk(dice: Dice, axis: str, length: int, **beside: Any) -> Iterator[Object]:
    """Submits and polls, balances and time, as they come."""
    yield any_submit(dice, **beside)
    for number in range(length):
        match dice.whole(0, 9):
            case 0 | 1:
                yield any_submit(dice, **beside)
            case 2:
                yield balance(path=dice.pick(PATHS), **beside)
            case 3:
                yield from steering(dice, number, beside.get("session", 0))
            case _:
                yield from watched(dice, axis, dice.whole(0, 3), 2, **beside)


def steering(dice: Dice, serial: int, session: int = 0) -> Iterator[Object]:
    """Something that is no request."""
    match dice.whole(0, 4):
        case 0:
            yield {"do": "next", "session": session, "override": specs.override(dice, serial)}
        case 1:
            yield {"do": "fail", "session": session, "task": dice.whole(0, 3), "reason": dice.pick([None, "by hand"])}
        case 2:
            yield {"do": "plan add", "session": session, "rule": rules.rule(dice)}
        case 3:
            yield {"do": "release", "session": session, "task": dice.whole(0, 2), "ticks": 1}
        case _:
            yield a_while(dice)


def mixed(dice: Dice, axis: str, length: int, **beside: Any) -> Iterator[Object]:
    """Legal and broken requests with all ways of sending the key, and whatever else there is."""
    yield any_submit(dice, **beside)
    for number in range(length):
        way = dice.pick(list(WAYS)) if dice.chance(0.3) else "header"
        match dice.whole(0, 9):
            case 0 | 1:
                yield any_submit(dice, way=way, **beside)
            case 2:
                yield balance(way=way, **beside)
            case 3 | 4:
                yield breaking.broken(dice, way=way, **beside)
            case 5:
                yield from steering(dice, number, beside.get("session", 0))
            case 6:
                yield {**poll(dice.whole(0, 3), **beside), "is_gone": True}
            case 7:
                yield file(dice.whole(0, 3), "DELETE")
            case _:
                yield from watched(dice, axis, dice.whole(0, 2), 2, way=way, **beside)
