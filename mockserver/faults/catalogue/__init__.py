"""What can go wrong with an answer, one class each. The decorator registers; `faults()` imports every module here.

A fault says what goes wrong; when it does is for a `Plan` to say.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, dataclass_transform

from safelight.contracts.wording import counted, did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.mockserver.model.messages import Reply


class Fault(Protocol):
    """Turns a reply into another one. Its settings are its fields."""

    def strike(self, reply: Reply) -> Reply:
        """What is answered in the place of `reply`."""
        ...


_Class = TypeVar("_Class", bound=type[Any])

_REGISTRY: Final[dict[str, type[Any]]] = {}

#: How the text of a setting becomes its value, by the annotation of its field, and what it has to be.
_READERS: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "int": (int, "a whole number"),
    "float": (float, "a number"),
    "str": (str, "a word"),
}


@dataclass_transform(frozen_default=True)
def fault(made: _Class) -> _Class:
    """Register a fault under its name in lower case; the first line of its docstring is its documentation."""
    value: Any = dataclass(frozen=True, slots=True)(made)
    unreadable = [at.name for at in fields(value) if at.type not in _READERS]
    if unreadable:
        raise TypeError(
            f"{made.__name__}.{unreadable[0]} cannot be written in a plan: its type is {listed(_READERS, 'or')}"
        )
    _REGISTRY[name_of(value)] = value
    return value  # type: ignore[no-any-return]


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


def _near(name: str) -> str:
    """What was meant, or where to look."""
    meant = f"http {name}" if name.isdecimal() else _SYNONYMS.get(name.casefold(), "")
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
        raise ValueError(f"{name} is no fault{_near(name)}")
    known = fields(made)
    if len(settings) > len(known):
        takes = counted(len(known), "setting") if known else "no settings"
        raise ValueError(f"{name} takes {takes}, not {' '.join(settings)}")
    values = {at.name: _value(name, at, text) for at, text in zip(known, settings, strict=False)}
    found: Fault = made(**values)
    return found


#: The modules whose faults change the answer that was due.
_ALTERING: Final = frozenset({"bytes", "contents", "pictures"})


def alters(struck: Any) -> bool:
    """It changes the answer that was due, and does not stand in its place: there has to be one."""
    return bool(getattr(struck, "alters", type(struck).__module__.rpartition(".")[2] in _ALTERING))


def written(struck: Any) -> str:
    """A fault as a plan has it: its name and its settings."""
    values = (getattr(struck, at.name) for at in fields(struck))
    return " ".join([name_of(type(struck)), *(shlex.quote(_word(value)) for value in values)])


def _word(value: object) -> str:
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _value(name: str, at: Any, text: str) -> Any:
    read, kind = _READERS[at.type]
    try:
        return read(text)
    except ValueError:
        raise ValueError(f"{text} cannot be the {at.name} of {name}: give {kind}") from None
