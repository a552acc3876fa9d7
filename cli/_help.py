"""How help is set: as wide as the terminal is, where that has 40 columns or more, with each word whole."""

from __future__ import annotations

import re
from shutil import get_terminal_size
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Final

import click
from click import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Columns that help has at least, and those that it leaves free: some terminals break a line that fills them.
_MIN_COLUMNS: Final = 40
_FREE_COLUMNS: Final = 2

#: Columns of the texts beside names, at least: with fewer the texts stand below the names.
_MIN_TEXT: Final = 24

#: Columns by which what belongs to a name stands further in.
_BELOW: Final = 4

#: Where the form of an option may be broken: at a blank, and between its words.
_PARTS: Final = re.compile(r"(?<=\|)|(?<=\s)")


class Formatter(click.HelpFormatter):
    """As click's, which wants 50 columns, and breaks words."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        if width is None and formatting.FORCED_WIDTH is None:
            width = max(min(get_terminal_size().columns, max_width or 80), _MIN_COLUMNS) - _FREE_COLUMNS
        super().__init__(indent_increment, width, max_width)

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        paragraphs = ["\n".join(self._filled(paragraph)) for paragraph in text.split("\n\n")]
        self.write("\n\n".join(paragraphs) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write names, and beside each what it is; below it where there is no room."""
        rows = list(rows)
        column = min(max(len(name) for name, _ in rows), col_max) + col_spacing
        is_narrow = self.width - self.current_indent - column < _MIN_TEXT
        for name, text in rows:
            lines = self._filled(text, _BELOW if is_narrow else column)
            if not is_narrow and len(name) <= column - col_spacing and lines:
                lines[0] = f"{'':{self.current_indent}}{name:{column}}{lines[0].lstrip()}"
            else:
                lines[:0] = self._parted(name)
            self.write("".join(f"{line}\n" for line in lines))

    def _filled(self, text: str, further: int = 0) -> list[str]:
        indent = " " * (self.current_indent + further)
        wrapper = TextWrapper(
            self.width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
        )
        return wrapper.wrap(text)

    def _parted(self, name: str) -> list[str]:
        """A name with its form, in as many lines as it needs."""
        lines = [" " * self.current_indent]
        for part in _PARTS.split(name):
            if len(lines[-1]) + len(part.rstrip()) > self.width:
                lines.append(" " * (self.current_indent + _BELOW))
            lines[-1] += part
        return [line.rstrip() for line in lines]


class Context(click.Context):
    """A context whose help is set so."""

    formatter_class = Formatter
