"""How values and names are put into sentences for people."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Characters of a value in a message; what is longer is cut.
_MAX_VALUE_CHARACTERS: Final = 60

#: Characters of names that are compared with others: with longer ones it would take long and find nothing.
_MAX_COMPARED_CHARACTERS: Final = 64

#: Names that one is compared with: a document may have a million.
_MAX_COMPARED_NAMES: Final = 200

#: An integer that is written out; those beyond are described.
_MAX_WRITTEN_INTEGER: Final = 10**24

#: Digits of an integer that are counted.
_MAX_COUNTED_DIGITS: Final = 1_000


def shown(value: object) -> str:
    """A value as JSON writes it, cut where it is long: for messages, not for parsing."""
    match value:
        case str():
            return printable(_cut(json.dumps(value[: _MAX_VALUE_CHARACTERS + 1], ensure_ascii=False)))
        case bool() | None:
            return json.dumps(value)
        case int() if abs(value) > _MAX_WRITTEN_INTEGER:
            digits = round(value.bit_length() * 0.30103)
            is_counted = digits < _MAX_COUNTED_DIGITS
            return f"an integer of {f'about {digits}' if is_counted else f'at least {_MAX_COUNTED_DIGITS:,}'} digits"
        case int() | float():
            return repr(value)
        case dict():
            return f"an object of {counted(len(value), 'member')}" if value else "{}"
        case list():
            return f"an array of {counted(len(value), 'item')}" if value else "[]"
        case _:
            return kind(value)


def counted(number: int, thing: str) -> str:
    """`1 item`, `2 items`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def named(path: Iterable[object]) -> str:
    """A path as the subject of a sentence: `data.id`; names that are no words are quoted."""
    return ".".join(part if _WORD.fullmatch(part) else shown(part) for part in map(spelled, path)) or "the document"


def spelled(part: object) -> str:
    """A name or index as text. Only Python's documents have others, and `str` of those may fail."""
    return part if isinstance(part, str) else shown(part)


_WORD: Final = re.compile(r"[\w-]{1,60}", re.ASCII)


def kind(value: object) -> str:
    """What JSON calls a value of this type, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "a string"
        case dict():
            return "an object"
        case list():
            return "an array"
        case _:
            return f"a {type(value).__name__}, which JSON does not know"


def either(options: Iterable[Any]) -> str:
    """`a, b or c`."""
    return listed(options, "or")


def listed(options: Iterable[Any], word: str = "and") -> str:
    """`a, b and c`."""
    *first, last = [str(option) for option in options]
    return f"{', '.join(first)} {word} {last}" if first else last


def nearest(name: object, options: Iterable[str]) -> str:
    """The option that is spelled most like the name, or an empty string."""
    if not isinstance(name, str) or len(name) > _MAX_COMPARED_CHARACTERS:
        return ""
    near = islice(options, _MAX_COMPARED_NAMES)
    by_letters = {_letters(option): option for option in near if len(option) <= _MAX_COMPARED_CHARACTERS}
    found = get_close_matches(_letters(name), by_letters, n=1, cutoff=0.75)
    return by_letters[found[0]] if found else ""


def did_you_mean(name: object, options: Iterable[str]) -> str:
    """`; did you mean X?` where an option is near the name, else nothing."""
    near = nearest(name, options)
    return f"; did you mean {near}?" if near else ""


def not_among(kind: str, name: object, options: Iterable[str]) -> str:
    """`no KIND is called NAME`, with the nearest of the options or all of them."""
    known = list(options)
    return f"no {kind} is called {name!r}{did_you_mean(name, known) or f'; there are {listed(known)}'}"


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def printable(text: str) -> str:
    """Control characters and the like escaped: a message goes to terminals, and its values come from anywhere."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_CHARACTERS else text[:_MAX_VALUE_CHARACTERS] + "…"
