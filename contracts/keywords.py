"""The keywords by which a schema constrains a value, a row each: when a value breaks it, and the sentence then."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeGuard

from safelight.contracts.wording import counted, did_you_mean, either, kind, named, nearest, shown

#: Does a value break the limit? A value of a type that the keyword is not about keeps it.
Breaks = Callable[[Any], bool]


class Keyword(NamedTuple):
    """A keyword that limits one value by itself."""

    #: From the limit to the test.
    breaks: Callable[[Any], Breaks]
    #: From the limit and the value to the rest of a sentence whose subject is the value's name.
    sentence: Callable[[Any, Any], str]
    #: The member of the schema that says the limit in words, where the limit itself is none for people.
    words: str = ""


def is_number(value: object) -> TypeGuard[int | float]:
    """What JSON calls a number: neither a boolean nor whatever else Python calculates with."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_list(value: Any) -> Sequence[Any]:
    """The value of a keyword that takes one thing or several."""
    return value if isinstance(value, list) else [value]


def _is_integer(value: object) -> bool:
    return is_number(value) and (isinstance(value, int) or value.is_integer())


def _is_no(of: type) -> Breaks:
    return lambda value: not isinstance(value, of)


#: JSON Schema's name of a type -> is a value of another? And the name as sentences want it.
_TYPES: Final[Mapping[str, tuple[Breaks, str]]] = {
    "string": (_is_no(str), "a string"),
    "integer": (lambda value: type(value) is not int and not _is_integer(value), "an integer"),
    "number": (lambda value: not is_number(value), "a number"),
    "object": (_is_no(dict), "an object"),
    "array": (_is_no(list), "an array"),
    "boolean": (_is_no(bool), "a boolean"),
    "null": (_is_no(type(None)), "null"),
}


def _is_other_type(allowed: Any) -> Breaks:
    tests = [_TYPES[name][0] for name in as_list(allowed)]
    return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)


def _other_type(allowed: Any, value: Any) -> str:
    seen, what = shown(value), kind(value)
    seen = seen if seen.startswith(what) else f"{seen}, {what}"
    return f"is {seen}; it must be {either(_TYPES[name][1] for name in as_list(allowed))}"


def _does_not_fit(pattern: str) -> Breaks:
    # JSON Schema's `$` is the end; Python's also stands before a last line break.
    fits = re.compile(re.sub(r"\$$", r"\\Z", pattern)).search
    return lambda value: isinstance(value, str) and not fits(value)


def _length(of: type, thing: str, bound: str) -> Keyword:
    """A bound on how many things a value of a type has: `least` or `most`."""

    def breaks(limit: int) -> Breaks:
        if bound == "least":
            return lambda value: isinstance(value, of) and len(value) < limit  # type: ignore[arg-type]
        return lambda value: isinstance(value, of) and len(value) > limit  # type: ignore[arg-type]

    def sentence(limit: int, value: Sequence[Any]) -> str:
        seen = f"has {counted(len(value), thing)}" if value else "is empty"
        return f"{seen}; the {bound} is {counted(limit, thing)}"

    return Keyword(breaks, sentence)


#: Keyword -> its row, in the order of the rules of one value.
KEYWORDS: Final[Mapping[str, Keyword]] = {
    "type": Keyword(_is_other_type, _other_type),
    "const": Keyword(
        lambda limit: lambda value: not isinstance(value, type(limit)) or value != limit,
        lambda limit, value: f"is {shown(value)}; it must be {shown(limit)}",
    ),
    "enum": Keyword(
        lambda allowed: lambda value: isinstance(value, str) and value not in allowed,
        lambda allowed, value: f"is {shown(value)}; it must be {either(allowed)}{did_you_mean(value, allowed)}",
    ),
    "pattern": Keyword(
        _does_not_fit, lambda form, value: f"is {shown(value) if value else 'empty'}; it must be {form}", words="x-form"
    ),
    "minLength": _length(str, "character", "least"),
    "maxLength": _length(str, "character", "most"),
    "minimum": Keyword(
        lambda least: lambda value: is_number(value) and value < least,
        lambda least, value: f"is {shown(value)}; the least is {least}",
    ),
    "maximum": Keyword(
        lambda most: lambda value: is_number(value) and value > most,
        lambda most, value: f"is {shown(value)}; the most is {most}",
    ),
    "exclusiveMinimum": Keyword(
        lambda bound: lambda value: is_number(value) and value <= bound,
        lambda bound, value: f"is {shown(value)}; it must be above {bound}",
    ),
    "minItems": _length(list, "item", "least"),
    "maxItems": _length(list, "item", "most"),
    "minProperties": _length(dict, "member", "least"),
    "maxProperties": _length(dict, "member", "most"),
}


def missing(name: str, members: Any) -> str:
    """What is wrong where a required member is not among those of an object."""
    near = nearest(name, (other for other in members if isinstance(other, str)))
    return f"is missing{near and f'; {named([near])} was sent'}"
