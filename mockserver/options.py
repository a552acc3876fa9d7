"""What the marker and the factory of the pytest plugin take, checked: a mistake is one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.wording import did_you_mean, listed
from safelight.mockserver.clock import VirtualClock
from safelight.mockserver.testing import Safelight, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.mockserver.host import Host


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


#: Option -> what its value must be, and how to say so. Beyond that, `settings` judges.
OPTIONS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "queued": (_is_delay, "2, '1..3', '~5', '~5/0.8' or 'never'"),
    "running": (_is_delay, "2, '1..3', '~5', '~5/0.8' or 'never'"),
    "polls": (_is_pair, "two counts, such as (1, 2): queued for one poll, running for two"),
    "fail": (_is_reason, "a reason, or True for the service's own"),
    "fail_rate": (_is_number, "a share, 0 to 1"),
    "slots": (_is_count, "how many tasks run at once, 1 or more"),
    "vocabulary": (lambda value: isinstance(value, str), "'published' or 'plain'"),
    "contract": (lambda value: isinstance(value, bool), "True or False"),
}


def checked(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that say something (None is as good as left out). Raises `ValueError` with a sentence."""
    told = {name: value for name, value in options.items() if value is not None}
    for name, value in told.items():
        if name not in OPTIONS:
            raise ValueError(f"{name} is no option{did_you_mean(name, OPTIONS) or f': there are {listed(OPTIONS)}'}")
        fits, kind = OPTIONS[name]
        if not fits(value):
            raise ValueError(f"{name}={value!r} cannot be: give {kind}")
    settings(**_settings(told))
    return told


def opened(host: Host, key: str, told: Mapping[str, Any]) -> Safelight:
    """A session on this host, on a virtual clock; the options are checked ones."""
    return Safelight(host=host, api_key=key, clock=VirtualClock(), **_settings(told))


def _settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """The options as `Safelight` takes them: `fail` makes every task fail, or the share `fail_rate`."""
    taken = {name: value for name, value in told.items() if name not in {"fail", "contract"}}
    match told.get("fail"):
        case str(reason):
            return {"fail_rate": 1.0, "fail_reason": reason, **taken}
        case True:
            return {"fail_rate": 1.0, **taken}
        case False:
            return {**taken, "fail_rate": 0.0}
    return taken
