"""What the markers and the factory of the pytest plugin take, checked: a mistake is one sentence."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from safelight.contracts import Timeline, dialects
from safelight.contracts.wording import did_you_mean, listed
from safelight.mockserver.faults.rules import FaultRule, read_rules
from safelight.mockserver.model.credits import Credits, credits_of, is_credits
from safelight.mockserver.model.settings import BALANCE, Settings
from safelight.mockserver.model.task_profile import TaskProfile, task_profile


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == len(("queued", "running")) and all(map(_is_count, value))


def _is_delay(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def _is_reason(value: Any) -> bool:
    return isinstance(value, bool) or (isinstance(value, str) and value != "")


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_life(value: Any) -> bool:
    return isinstance(value, Timeline | list | tuple)


def _are_credits(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and is_credits(value)


def _are_prices(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_are_credits, value.values()))


def _are_names(value: Any) -> bool:
    return isinstance(value, tuple | list | set | frozenset) and all(isinstance(name, str) for name in value)


#: A year in a tenth of a second.
_FASTEST: Final = 10**9

_DELAY: Final = (_is_delay, "2, '1..3', '~5', '~5/0.8' or 'never'")
_FLAG: Final = (_is_flag, "True or False")


def _dialect(setting: str) -> tuple[Callable[[Any], bool], str]:
    return (lambda value: isinstance(value, str)), listed(map(repr, dialects()[setting]), "or")


#: Option -> what its value must be, and how to say so. Beyond that, `settings` judges.
OPTIONS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "queued": _DELAY,
    "running": _DELAY,
    "polls": (_is_pair, "two counts, such as (1, 2): queued for one poll, running for two"),
    "timeline": (_is_life, "steps, such as [('queued', 2), ('running', 5), 'done']"),
    "fail": (_is_reason, "a reason, or True for the service's own"),
    "fail_rate": (_is_number, "a share, 0 to 1"),
    "slots": (_is_count, "how many tasks run at once, 1 or more"),
    "balance": (_are_credits, "credits, 0 or more"),
    "prices": (_are_prices, "credits by operation, such as {'video_generation': 12.5}"),
    "down": (_are_names, "engines, such as ['rr3']"),
    "vocabulary": _dialect("vocabulary"),
    "errors": _dialect("errors"),
    "limits": _dialect("limits"),
    "virtual_time": _FLAG,
    "speed": (lambda value: _is_number(value) and 0 < value < _FASTEST, "how many times faster than the wall, above 0"),
    "contract": _FLAG,
    "faults": (lambda value: isinstance(value, tuple | list), "rules, such as ['poll#2: http 502']"),
}

#: The options that say how long tasks live; a scenario that has one replaces those of a marker.
LIVES: Final = frozenset({"queued", "running", "polls", "timeline"})


#: The options that are not about the session's tasks.
_OTHERS: Final = frozenset({"fail", "contract", "virtual_time", "speed", "timeline", "faults"})


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say something (None is as good as left out). Raises `ValueError` with a sentence."""
    told = {name: value for name, value in options.items() if value is not None}
    for name, value in told.items():
        if name not in OPTIONS:
            raise ValueError(f"{name} is no option{did_you_mean(name, OPTIONS) or f': there are {listed(OPTIONS)}'}")
        fits, kind = OPTIONS[name]
        if not fits(value):
            raise ValueError(f"{name}={reprlib.repr(value)} cannot be: give {kind}")
    if told.get("speed") and told.get("virtual_time"):
        raise ValueError("virtual time skips time, and speed lets it pass: give one of them")
    if "timeline" in told and (told.get("fail") or told.get("fail_rate")):
        raise ValueError("a timeline is a whole life: leave out fail and fail_rate")
    if told:
        settings_of(told)
    return told


def settings_of(told: Mapping[str, Any]) -> Settings:
    """What checked options make of a session."""
    return settings(**taken(told))


def taken(told: Mapping[str, Any]) -> dict[str, Any]:
    """The options as `Safelight` takes them: `fail` makes every task fail, or the share `fail_rate`."""
    taken = {name: value for name, value in told.items() if name not in _OTHERS}
    match told.get("timeline"):
        case Timeline() as life:
            taken["timeline"] = life
        case [*steps]:
            taken["timeline"] = Timeline.read(steps)
    match told.get("fail"):
        case str(reason):
            taken = {"fail_rate": 1.0, "fail_reason": reason, **taken}
        case True:
            taken = {"fail_rate": 1.0, **taken}
        case False:
            taken["fail_rate"] = 0.0
    return {**taken, "plan": told.get("faults", ())}


def settings(
    *,
    queued: str | float | None = None,
    running: str | float | None = None,
    polls: tuple[int, int] | None = None,
    ticks: tuple[int, int] | None = None,
    fail_rate: float = 0.0,
    fail_reason: str | None = None,
    fail_nth: Collection[int] = (),
    workflows: Mapping[str, TaskProfile] | None = None,
    slots: int | None = None,
    vocabulary: str = "published",
    errors: str = "object",
    limits: str = "reject",
    timeline: Timeline | None = None,
    plan: Iterable[str | FaultRule] = (),
    balance: Credits | float = BALANCE,
    prices: Mapping[str, Credits | float] | None = None,
    down: Collection[str] = (),
) -> Settings:
    """What `Safelight` is told about its tasks. Raises `ValueError` with a sentence."""
    if queued is None and running is None and ticks is None and timeline is None:
        polls = polls or (1, 1)
    life = task_profile(
        queued=queued,
        running=running,
        polls=polls,
        ticks=ticks,
        timeline=timeline,
        fail_rate=fail_rate,
        fail_reason=fail_reason,
        fail_nth=frozenset(fail_nth),
    )
    return Settings(
        life,
        workflows or {},
        slots=slots,
        vocabulary=vocabulary,
        errors=errors,
        limits=limits,
        plan=tuple(map(str, read_rules(plan))),
        balance=credits_of(balance),
        prices={name: credits_of(price, "price") for name, price in (prices or {}).items()},
        down=frozenset([down] if isinstance(down, str) else down),
    )
