"""Sessions as they are opened: keys, task profiles, dialects, money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from goldens.asking import SUBMITS, WORKFLOWS

if TYPE_CHECKING:
    from goldens.asking import Object
    from goldens.dice import Dice

#: Keys that somebody may have: of the service's form, a word, with characters that a query or JSON escapes.
KEYS: Final = (
    "sk-" + 12 * "5afe",
    "sk-" + 12 * "beef",
    "sk-live_0123456789-ABCDEF",
    "darkroom",
    'a"b\\c/d&e=f+g%20h?#',
    "!",
)

ENGINES: Final = ("comfyui", "rr3", "grok")

_DELAYS: Final[tuple[Any, ...]] = (0, 1, 2.5, "1..3", "~4", "~4/0.8", 10, "never")

_TIMELINES: Final[tuple[list[Any], ...]] = (
    [["queued", 2], ["running", 5], "done"],
    [["queued", 1], ["running", 4, "rendering"], ["running", 4], "failed"],
    [["unseen", 1.5], ["running", 2], "done"],
    [["running", 3], ["queued", 3], ["running", 3], "done"],
    [["done", 4], "failed"],
    [["queued", 3, "warming_up"], "running"],
    ["failed"],
)


def session(dice: Dice, *, key: str = KEYS[0], axis: str = "", **more: Any) -> Object:
    """A session of a time axis, any if none is given; `more` replaces what is drawn."""
    axis = axis or dice.pick(["seconds", "polls", "ticks"])
    spec: Object = {"key": key, "seed": dice.whole(0, 99), "balance": "100000", "profile": profile(dice, axis)}
    if dice.chance(0.3):
        kinds = dice.some([*WORKFLOWS, "image_editing", "video_generation"], 0.3)
        spec["workflows"] = {kind: profile(dice, axis) for kind in kinds}
    if axis == "seconds" and dice.chance(0.3):
        spec["slots"] = dice.whole(1, 2)
    return {**spec, **more}


def profile(dice: Dice, axis: str) -> Object:
    """How tasks of this axis live."""
    spec: Object = {"axis": axis}
    if axis == "seconds" and dice.chance(0.2):
        spec["timeline"] = dice.pick(_TIMELINES)
    elif axis == "seconds":
        spec |= {"queued": dice.pick(_DELAYS), "running": dice.pick(_DELAYS)}
    else:
        spec |= {"queued": dice.whole(0, 2), "running": dice.whole(0, 3)}
    return {**spec, **_failures(dice)}


def _failures(dice: Dice) -> Object:
    drawn: Object = {"fail_rate": dice.pick([0.2, 0.5, 1]), "fail_reason": "no ink", "fail_nth": [dice.whole(1, 3)]}
    return {name: drawn[name] for name in dice.some(list(drawn), 0.3)}


def override(dice: Dice, serial: int) -> Object:
    """Something about one task to come."""
    if dice.chance(0.3):
        return {"timeline": dice.pick(_TIMELINES), **dice.pick([{}, {"axis": "polls"}, {"axis": "ticks"}])}
    drawn: Object = {
        "queued": dice.pick(_DELAYS),
        "running": dice.pick(_DELAYS),
        "fail": dice.pick([True, False, "out of paper"]),
        "id": dice.pick([f"task-{serial}", f"with / and ?{serial}", str(1000 + serial)]),
        "axis": dice.pick(["seconds", "polls", "ticks"]),
    }
    return {name: drawn[name] for name in dice.some(list(drawn), 0.4)}


def money(dice: Dice) -> Object:
    """Prices, a small balance, an engine that is down."""
    return {
        "balance": dice.pick(["0", "9.999", "10", "35.5", "60", "220", "1000"]),
        "prices": {name: dice.pick(["0", "0.001", "1.5", "10", "33.333"]) for name in dice.some(SUBMITS, 0.5)},
        "down": dice.some(ENGINES, 0.25),
        "user": {"id": dice.whole(1, 99), "name": dice.pick(["ansel", "l\u00e4mp"])},
    }


def dialect(dice: Dice) -> Object:
    """How a server of this API may speak."""
    return {
        "vocabulary": dice.pick(["published", "plain"]),
        "errors": dice.pick(["object", "string", "message"]),
        "limits": dice.pick(["reject", "clamp"]),
    }
