"""A TOML file that a person wrote: what it says, and where."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli._unusable import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Bytes that a config file may have.
_MOST_BYTES: Final = 100_000

#: Dots in a line: tomllib takes memory by the square of the parts of a key, gigabytes for a line of 40 kB.
_MOST_DOTS: Final = 1_000

#: What is wrong with a number of more than `MOST_DIGITS`, in a file and on the command line.
TOO_MANY_DIGITS: Final = "a number has at most 1,000 digits"
MOST_DIGITS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Config:
    """A config file: its path as it is shown, its text and what it says."""

    path: str
    text: str
    values: dict[str, Any]

    def says(self, *names: str) -> Any:
        """What stands under a name below these tables; None for nothing."""
        return _below(self.values, names)

    def mistake(self, what: str, *names: str) -> Unusable:
        """What is wrong with the value of this name, beginning with `file, line N`."""
        line = line_of(self.text, names)
        return Unusable(f"{self.path}, line {line}: {what}" if line else f"{self.path}: {what}")


def load(path: str) -> Config:
    """Read a config file, or say in a sentence why not."""
    from safelight.contracts.wording import printable

    shown = printable(click.format_filename(path))
    data = _bytes(path, shown)
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        return Config(shown, text, _underscored(_read(text)))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unusable(f"{shown}, line {line}: this is not UTF-8, as TOML has to be") from None
    except ValueError as error:
        raise Unusable(f"{shown}{_in_sentence(str(error), text)}") from None
    except (RecursionError, MemoryError):
        raise Unusable(f"{shown}: this is not TOML that can be read: it is nested too deep") from None


def _read(text: str) -> dict[str, Any]:
    if max(line.count(".") for line in text.split("\n")) > _MOST_DOTS:
        raise RecursionError
    return tomllib.loads(text)


def _bytes(path: str, shown: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise Unusable(f"{shown}: {error.strerror}: give the path of a TOML file") from None
    if len(data) > _MOST_BYTES:
        raise Unusable(f"{shown}: this is larger than {_MOST_BYTES // 1_000} kB, too large for a config file")
    return data


def written(name: str) -> str:
    """The name of an option as people write it."""
    return name.replace("_", "-")


def line_of(text: str, names: Sequence[str]) -> int | None:
    """The line on which a TOML text says something under this name first."""
    table: list[str] = []
    for line, statement in _statements(text):
        values = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _path(values, len(names) + 1)
        else:
            for name in reversed(table):
                values = {name: values}
        if _below(_underscored(values), names) is not None:
            return line
    return None


#: What a line break can stand in, or be mistaken in: texts, comments, brackets.
_TOKEN: Final = re.compile(
    r"""
    \"{3} (?: \\. | [^\\] )*? \"{3,5} | '{3} .*? '{3,5}
    | " (?: \\. | [^"\\\n] )* " | ' [^'\n]* '
    | \# [^\n]* | [\[{] | [\]}] | \n
    """,
    re.DOTALL | re.VERBOSE,
)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement of a valid TOML text and the line it begins on: it ends with a line, outside of all brackets."""
    start, line, depth = 0, 1, 0
    for token in _TOKEN.finditer(text + "\n"):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if token[0] == "\n" and not depth:
            statement = text[start : token.start()]
            if statement and statement[0] != "#":
                yield line, statement
            start, line = token.end(), line + statement.count("\n") + 1


def _path(values: Any, most: int) -> list[str]:
    """The names that lead to the one table of a header, as far as they are asked for."""
    path: list[str] = []
    while isinstance(values, dict) and values and len(path) < most:
        [(name, values)] = values.items()
        path.append(name)
    return path


def _below(values: Any, names: Sequence[str]) -> Any:
    for name in names:
        values = values.get(name) if isinstance(values, dict) else None
    return values


def _underscored(table: Mapping[str, Any]) -> dict[str, Any]:
    """Names as Python has them: `fail-rate` is `fail_rate`. Names of workflows stay."""
    found = {name.replace("-", "_"): value for name, value in table.items()}
    if isinstance(tables := found.get("workflows"), dict):
        found["workflows"] = {
            name: _underscored(life) if isinstance(life, dict) else life for name, life in tables.items()
        }
    return found


def _in_sentence(message: str, text: str) -> str:
    """What tomllib says, with its line in front. An integer too long has none."""
    if message.startswith("Exceeds the limit"):
        return f": {TOO_MANY_DIGITS}"
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", message, re.DOTALL)
    if not found:
        return f": this is not TOML: {message}"
    return f", line {found[2] or text.rstrip().count(chr(10)) + 1}: this is not TOML: {found[1]}"
