r"""The words of rules and directives: divided by blanks. Quotation marks around a whole word hold its blanks together.

Everywhere else quotation marks and backslashes stand for themselves: nothing is taken out of a text. Within `"..."`,
`\"` and `\\` are a quotation mark and a backslash; within `'...'` all is as it stands.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: A text in quotation marks, as part of a regular expression.
QUOTED: Final = r""""(?:\\.|[^"\\])*"|'[^']*'"""

_WORD: Final = re.compile(rf"(?P<quoted>{QUOTED})(?!\S)|\S+", re.DOTALL | re.ASCII)


class Word(NamedTuple):
    """A word, as it is written and where."""

    written: str
    begin: int
    is_quoted: bool

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.begin + len(self.written)

    @property
    def text(self) -> str:
        """What it says: without its quotation marks."""
        return unquoted(self.written) if self.is_quoted else self.written


def words(text: str) -> list[Word]:
    """The words of a text."""
    return [Word(found[0], found.start(), found["quoted"] is not None) for found in _WORD.finditer(text)]


def unquoted(written: str) -> str:
    """What a text in quotation marks says; another one says itself."""
    match written[:1]:
        case '"':
            return re.sub(r'\\(["\\])', r"\1", written[1:-1])
        case "'":
            return written[1:-1]
    return written


def quoted(text: str, mark: str = "'") -> str:
    """A text in quotation marks, if it can be in this one."""
    if mark == "'" and "'" not in text:
        return f"'{text}'"
    escaped = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def as_word(text: str) -> str:
    """A text as one word: in quotation marks unless it is one for a shell too."""
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII) else quoted(text)
