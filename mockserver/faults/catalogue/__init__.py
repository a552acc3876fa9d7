"""What can go wrong with an answer, one class each. The decorator registers; `faults()` imports every module here.

A fault says what goes wrong; when it does is for a `Plan` to say.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, fields
from functools import cache
from typing import Any, Final, Protocol, TypeVar, dataclass_transform

from safelight.contracts.wording import brief, counted, did_you_mean, listed
from safelight.mockserver.faults.catalogue.settings import Json
from safelight.mockserver.faults.words import as_word, quoted, words
from safelight.mockserver.model.messages import Reply
from safelight.mockserver.model.modules import import_all
from safelight.mockserver.model.task_profile import check_text


class Fault(Protocol):
    """Turns a reply into another one. Its settings are its fields."""

    def strike(self, reply: Reply) -> Reply:
        """What is answered in the place of `reply`."""
        ...


_Class = TypeVar("_Class", bound=type[Any])

_REGISTRY: Final[dict[str, type[Any]]] = {}

#: The types that settings have, each of which reads its values from text -> what the text has to be.
_KINDS: Final[Mapping[Any, str]] = {int: "a whole number", float: "a number", str: "a text", Json: "JSON"}

#: Words that are no text at the end of a rule, unless they are in quotation marks: they say when its fault strikes.
TIMES: Final[Mapping[str, bool]] = {"before": False, "after": True}


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
        check_text(getattr(made, at.name), at.name)
        if problem := _problem(type(made), at, getattr(made, at.name)):
            raise ValueError(problem)


def _problem(made: type[Any], at: Field[Any], value: object) -> str:
    """What is wrong with the value of a setting, or nothing."""
    check = at.metadata.get("check")
    return str(check(value, f"{at.name} of {name_of(made)}")) if check else ""


@cache
def faults() -> Mapping[str, type[Any]]:
    """Name -> class, for every module of this folder."""
    import_all(__name__, __path__)
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
    **dict.fromkeys(("error", "fail"), "http 500"),
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


def form(made: type[Any]) -> str:
    """A fault and its settings: `cut PERCENT`."""
    return " ".join([name_of(made), *(at.name.upper() for at in fields(made))])


def first_line(made: type[Any]) -> str:
    """What a fault does."""
    return str(made.__doc__).partition("\n")[0].removesuffix(".")


def read_fault(name: str, written: str = "") -> Fault:
    """A fault from its name and its settings, as a plan has them. Raises `ValueError` with a sentence."""
    made = faults().get(name)
    if made is None:
        raise ValueError(f"{brief(name)} is no fault{_near(name)}")
    known, texts = fields(made), _divided(made, written)
    if len(texts) > len(known):
        takes = counted(len(known), "setting") if known else "no settings"
        raise ValueError(f"{name} takes {takes}, not {brief(written.strip())}")
    found: Fault = made(*(_value(name, at, text) for at, text in zip(known, texts, strict=False)))
    return found


def _divided(made: type[Any], written: str) -> Sequence[str]:
    """The text of each setting. One of them may have blanks: the last, unless a fault says otherwise.

    Without quotation marks that one is what the others leave, as it stands.
    """
    known, found = fields(made), words(written)
    at = next((number for number, one in enumerate(known) if one.metadata.get("has_blanks")), len(known) - 1)
    first = found[at] if 0 <= at < len(found) and known[at].type in (str, Json) else None
    if first is None or (first.is_quoted and not _is_json(known[at], first.written)):
        return [word.text for word in found]
    last, after = len(found), known[at + 1 :]
    if after and last > at + 1 and not _problem(made, after[0], found[-1].text):
        last -= 1
    others = [word.text for word in found[:at]], [word.text for word in found[last:]]
    return [*others[0], written[first.begin : found[last - 1].end], *others[1]]


def _is_json(at: Field[Any], written: str) -> bool:
    """In JSON the quotation marks belong to the text."""
    return at.type is Json and written.startswith('"')


def alters(struck: Any) -> bool:
    """The fault changes the answer that was due, and does not stand in its place: there has to be one."""
    return bool(getattr(struck, "alters", not type(struck).__module__.endswith(".answers")))


def leads_on(struck: Any) -> bool:
    """The fault sends the client on with its request, which is carried out where it leads, and not before."""
    return bool(getattr(struck, "leads_on", False))


def written(struck: Any) -> str:
    """A fault as a plan has it: its name and its settings."""
    values = (getattr(struck, at.name) for at in fields(struck))
    return " ".join([name_of(type(struck)), *map(_word, values)])


def _word(value: object) -> str:
    match value:
        case Json():
            return value
        case str():
            return quoted(value) if value in TIMES else as_word(value)
        case float():
            return repr(value).removesuffix(".0")
    return str(value)


def _value(name: str, at: Any, text: str) -> Any:
    try:
        return at.type(text)
    except ValueError:
        raise ValueError(f"{brief(text)} cannot be the {at.name} of {name}: give {_KINDS[at.type]}") from None
