"""What can go wrong with an answer, one class each. The decorator registers; `faults()` imports every module here.

A fault says what goes wrong; when it does is for a `Plan` to say.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final, Protocol, TypeVar, dataclass_transform

from safelight.contracts.wording import brief, counted, did_you_mean, listed
from safelight.mockserver.model.messages import Reply


class Fault(Protocol):
    """Turns a reply into another one. Its settings are its fields."""

    def strike(self, reply: Reply) -> Reply:
        """What is answered in the place of `reply`."""
        ...


_Class = TypeVar("_Class", bound=type[Any])

_REGISTRY: Final[dict[str, type[Any]]] = {}

#: The types that settings have, each of which reads its values from text -> what the text has to be.
_KINDS: Final[Mapping[Any, str]] = {int: "a whole number", float: "a number", str: "a word"}


@dataclass_transform(frozen_default=True)
def fault(made: _Class) -> _Class:
    """Register a fault under its name in lower case; the first line of its docstring is its documentation."""
    made.__post_init__ = _check
    value: Any = dataclass(frozen=True, slots=True)(made)
    for at in fields(value):
        if at.type not in _KINDS:
            types = listed([kind.__name__ for kind in _KINDS], "or")
            raise TypeError(f"{made.__name__}.{at.name} cannot be written in a plan: give it the type {types}")
    _REGISTRY[name_of(value)] = value
    return value  # type: ignore[no-any-return]


def _check(made: Any) -> None:
    """Raises `ValueError` with what is wrong with a setting."""
    for at in fields(made):
        check = at.metadata.get("check")
        if check and (problem := check(getattr(made, at.name), f"{at.name} of {name_of(type(made))}")):
            raise ValueError(problem)


@cache
def faults() -> Mapping[str, type[Any]]:
    """Name -> class, for every module of this folder."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return dict(sorted(_REGISTRY.items()))


#: What people call some faults -> how a plan says that.
_SYNONYMS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("timeout", "silence", "freeze", "block"), "hang"),
    **dict.fromkeys(("delay", "sleep", "wait", "latency", "late"), "hang 3"),
    **dict.fromkeys(("slow", "throttled", "bandwidth"), "drip 1000"),
    **dict.fromkeys(("ratelimit", "rate-limit", "rate_limit"), "throttle 2"),
    **dict.fromkeys(("disconnect", "drop", "disconnected"), "close"),
    **dict.fromkeys(("badjson", "bad-json", "broken"), "garbled"),
    **dict.fromkeys(("page", "gateway"), "html 502"),
    **dict.fromkeys(("error", "fail", "status"), "http 500"),
}


_STATUS: Final = re.compile(r"[1-5]\d\d", re.ASCII)


def _near(name: str) -> str:
    """What was meant, or where to look."""
    meant = f"http {name}" if _STATUS.fullmatch(name) else _SYNONYMS.get(name.casefold(), "")
    if meant:
        return f"; did you mean {meant}?"
    return did_you_mean(name, faults()) or "; `safelight faults` lists those there are"


def name_of(made: type[Any]) -> str:
    """What a fault is called in a plan."""
    return made.__name__.lower()


def read_fault(name: str, settings: list[str]) -> Fault:
    """A fault from its name and its settings, as a plan has them. Raises `ValueError` with a sentence."""
    made = faults().get(name)
    if made is None:
        raise ValueError(f"{brief(name)} is no fault{_near(name)}")
    known = fields(made)
    if len(settings) > len(known):
        takes = counted(len(known), "setting") if known else "no settings"
        raise ValueError(f"{name} takes {takes}, not {brief(' '.join(settings))}")
    found: Fault = made(*map(partial(_value, name), known, settings))
    return found


def alters(struck: Any) -> bool:
    """The fault changes the answer that was due, and does not stand in its place: there has to be one."""
    return bool(getattr(struck, "alters", not type(struck).__module__.endswith(".answers")))


def written(struck: Any) -> str:
    """A fault as a plan has it: its name and its settings."""
    values = (getattr(struck, at.name) for at in fields(struck))
    return " ".join([name_of(type(struck)), *(shlex.quote(_word(value)) for value in values)])


def _word(value: object) -> str:
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _value(name: str, at: Any, text: str) -> Any:
    try:
        return at.type(text)
    except ValueError:
        raise ValueError(f"{brief(text)} cannot be the {at.name} of {name}: give {_KINDS[at.type]}") from None
