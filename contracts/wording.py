"""How values and names are put into sentences for people: without keys, on one line, and cut where they are long."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.secrets import redacted

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Characters of a value in a message; what is longer is cut.
_MAX_VALUE_CHARACTERS: Final = 60

#: Characters of a path or the name of a host in a sentence.
MAX_PATH_CHARACTERS: Final = 200

#: Characters that a key can take, whatever its spelling: so many more are read of what is cut.
_MAX_KEY_CHARACTERS: Final = 2_000

#: Characters of a word, and of a sentence, that others have worded.
_MAX_WORD_CHARACTERS: Final = 200
_MAX_SENTENCE_CHARACTERS: Final = 2_000
_LONG_WORD: Final = re.compile(rf"\S{{{_MAX_WORD_CHARACTERS + 1},}}")

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
            return _quoted(value)
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


def echoed(value: object, max_characters: int = _MAX_VALUE_CHARACTERS) -> str:
    """A value as it is written in Python, as well as that goes: for what people write there too."""
    match value:
        case str():
            begin = redacted(value[: max_characters + _MAX_KEY_CHARACTERS])
            return repr(begin) if len(begin) <= max_characters else f"{repr(begin[:max_characters])[:-1]}…"
        case None | bool():
            return repr(value)
        case [*parts] if 0 < len(parts) <= _MAX_ECHOED_ITEMS:
            inside = ", ".join(map(echoed, parts))
            return f"({inside}{',' * (len(parts) == 1)})" if isinstance(value, tuple) else f"[{inside}]"
        case _:
            return shown(value)


#: Items of a short list that are written out.
_MAX_ECHOED_ITEMS: Final = 4


def brief(text: str, max_characters: int = _MAX_VALUE_CHARACTERS) -> str:
    """What somebody else wrote, as it stands in a sentence of ours: the one way into it for what is no JSON value."""
    return printable(_cut(redacted(text[: max_characters + _MAX_KEY_CHARACTERS]), max_characters))


def bounded(sentence: str) -> str:
    """A sentence that others have worded around what somebody wrote: no key and no endless word is in it."""
    words = _LONG_WORD.sub(lambda word: f"{word[0][:_MAX_WORD_CHARACTERS]}…", redacted(sentence))
    return _cut(words, _MAX_SENTENCE_CHARACTERS)


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
    return f"no {kind} is called {echoed(name)}{did_you_mean(name, known) or f'; there are {listed(known)}'}"


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def printable(text: str) -> str:
    """Control characters and the like escaped: a message goes to terminals, and its values come from anywhere."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    """As JSON writes it: beyond U+FFFF, two halves of four digits."""
    halves = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{halves[at : at + 4]}" for at in range(0, len(halves), 4))


def _quoted(text: str) -> str:
    """A text as JSON has it. Of one that is cut, no half of an escape is left, nor half of a key."""
    begin = redacted(text[: _MAX_VALUE_CHARACTERS + _MAX_KEY_CHARACTERS])
    quoted = json.dumps(begin[: _MAX_VALUE_CHARACTERS + 1], ensure_ascii=False)
    if len(quoted) > _MAX_VALUE_CHARACTERS:
        whole = _WHOLE_ESCAPES.match(quoted[:_MAX_VALUE_CHARACTERS])
        quoted = f"{whole[0] if whole else ''}…"
    return printable(quoted)


#: What of a text of JSON that was cut anywhere is whole.
_WHOLE_ESCAPES: Final = re.compile(r"(?:[^\\]|\\u[0-9a-f]{4}|\\[^u])*")


def _cut(text: str, max_characters: int) -> str:
    return text if len(text) <= max_characters else text[:max_characters] + "…"
