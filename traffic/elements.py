"""The elements of an array in a JSON document, one at a time: the document may be larger than the memory."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.parsing import integer
from safelight.contracts.wording import brief

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

#: Characters that are read at once, at least; and those of one value, such as an entry with its body and answer.
_CHUNK_CHARACTERS: Final = 65_536
MAX_VALUE_CHARACTERS: Final = 32_000_000

_DECODER: Final = json.JSONDecoder(parse_int=integer)

#: A byte order mark too: archives of Windows' tools begin with one.
_BLANK: Final = " \t\r\n\ufeff"

#: What is wrong with a file that ends before what is in it does.
CUT: Final = "it is cut: it ends in the middle; record or export it again"

#: A word, a number or an escape of which more is to come, from where the decoder can make nothing of it.
_BEGUN: Final = re.compile(r"t|tr|tru|f|fa|fal|fals|n|nu|nul|-|\.|[eE][+-]?|\\?u[0-9A-Fa-f]{0,4}")

#: What stands behind a value that is read to its end.
_AFTER_A_VALUE: Final = frozenset(",]}: \t\r\n")


def elements(file: TextIO, *path: str) -> Iterator[Any]:
    """The elements of the array at this path of names. Raises `ValueError` with a sentence."""
    reader = _Reader(file)
    for name in path:
        reader.enter(name)
    reader.take("[", f"{'.'.join(path)} is no array")
    if reader.next() == "]":
        return
    yield reader.value()
    while reader.next() == ",":
        reader.take(",", "")
        yield reader.value()
    reader.take("]", f"{'.'.join(path)} is no array")


class _Reader:
    """A document from its beginning; what was read is let go."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0

    def next(self) -> str:
        """The next character that is no blank; at the end nothing."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def take(self, character: str, otherwise: str) -> None:
        """Go past this character."""
        if (found := self.next()) != character:
            raise ValueError(otherwise if found else CUT)
        self._at += 1

    def enter(self, name: str) -> None:
        """Go to the value of this member of the object that comes next; those before it are skipped."""
        self.take("{", f"there is no {name}: a JSON object is expected")
        while self.next() == '"':
            found = self.value()
            self.take(":", f"no value stands after the name {brief(found)}")
            if found == name:
                return
            self.value()
            if self.next() == ",":
                self._at += 1
        raise ValueError(f"there is no {name}" if self.next() else CUT)

    def value(self) -> Any:
        """The value that comes next."""
        self.next()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise ValueError("arrays and objects are nested too deep") from None
            except json.JSONDecodeError as error:
                if len(self._text) - self._at > MAX_VALUE_CHARACTERS:
                    most = f"{MAX_VALUE_CHARACTERS // 10**6} million characters"
                    raise ValueError(f"it is no JSON, or one value of it is longer than {most}") from None
                if not self._more():
                    raise ValueError(CUT if is_cut(error) else f"it is no JSON: {error.msg}") from None
                continue
            if self._text[end : end + 1] in _AFTER_A_VALUE or not self._more():  # else a number may go on
                if _BEGUN.fullmatch(self._text[end:]):
                    raise ValueError(CUT)
                self._at = end
                return value

    def _more(self) -> bool:
        """Read more: twice as much as is there, so that a large value is not looked through again and again."""
        try:
            chunk = self._file.read(max(_CHUNK_CHARACTERS, len(self._text) - self._at))
        except UnicodeDecodeError as error:
            reason = f"it is not UTF-8: 0x{error.object[error.start]:02x} starts no character"
            raise ValueError(CUT if is_half(error) else reason) from None
        if chunk:
            self._text, self._at = self._text[self._at :] + chunk, 0
        return bool(chunk)


def is_half(error: UnicodeDecodeError) -> bool:
    """The bytes end in the middle of a character."""
    return error.reason == "unexpected end of data"


def is_cut(error: json.JSONDecodeError) -> bool:
    """A value that is followed by nothing is none because something of it is missing."""
    rest = error.doc[error.pos :].rstrip()
    return not rest or error.msg.startswith("Unterminated string") or _BEGUN.fullmatch(rest) is not None
