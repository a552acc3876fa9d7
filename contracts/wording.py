"""How values and names are put into sentences for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

#: A value longer than this is cut in a message.
_LONGEST: Final = 60

#: Names longer than this are not compared with others: it would take long and find nothing.
_LONGEST_NAME: Final = 64

#: An integer beyond this is described, not written out.
_LARGEST: Final = 10**24


def shown(value: object) -> str:
    """A value as JSON writes it, cut where it is long: for messages, not for parsing."""
    match value:
        case str():
            return _printable(_cut(json.dumps(value[: _LONGEST + 1], ensure_ascii=False)))
        case bool() | None:
            return json.dumps(value)
        case int() if abs(value) > _LARGEST:
            return f"an integer of about {round(value.bit_length() * 0.30103)} digits"
        case int() | float():
            return repr(value)
        case Mapping():
            return f"an object of {len(value)} members" if value else "{}"
        case Sequence():
            return f"an array of {len(value)} items" if value else "[]"
        case _:
            return f"a {type(value).__name__}"


def named(path: Iterable[object]) -> str:
    """A path as the subject of a sentence: `data.id`; names that are no words are quoted."""
    return ".".join(part if _WORD.fullmatch(part) else shown(part) for part in map(str, path)) or "the document"


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
        case Mapping():
            return "an object"
        case Sequence():
            return "an array"
        case _:
            return f"a {type(value).__name__}, which JSON does not know"


def either(options: Iterable[Any]) -> str:
    """`a, b or c`."""
    *first, last = [str(option) for option in options]
    return f"{', '.join(first)} or {last}" if first else last


def nearest(name: object, options: Iterable[str]) -> str:
    """The option that is spelled most like the name, or an empty string."""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        return ""
    by_letters = {_letters(option): option for option in options if len(option) <= _LONGEST_NAME}
    found = get_close_matches(_letters(name), by_letters, n=1, cutoff=0.75)
    return by_letters[found[0]] if found else ""


def did_you_mean(name: object, options: Iterable[str]) -> str:
    """`; did you mean X?` where an option is near the name, else nothing."""
    near = nearest(name, options)
    return f"; did you mean {near}?" if near else ""


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _printable(text: str) -> str:
    """Control characters and the like escaped: a message goes to terminals, and its values come from anywhere."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
