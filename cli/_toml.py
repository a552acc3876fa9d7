"""A TOML file that a person wrote: what it says, and where."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.cli._unusable import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Config:
    """A config file: its path, its text and what it says."""

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
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}: give the path of a TOML file") from None
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        return Config(path, text, _underscored(tomllib.loads(text)))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unusable(f"{path}, line {line}: this is not UTF-8, as TOML has to be") from None
    except (ValueError, RecursionError) as error:
        raise Unusable(f"{path}{_in_sentence(str(error), text)}") from None


def written(name: str) -> str:
    """The name of an option as people write it."""
    return name.replace("_", "-")


def line_of(text: str, names: Sequence[str]) -> int | None:
    """The line on which a TOML text says something under this name first.

    A statement ends with the first line up to which the text is TOML again, whatever it looks like inside.
    """
    start = 1
    for end, lines in enumerate(accumulate(text.split("\n"), "{}\n{}".format), 1):
        try:
            values = _underscored(tomllib.loads(lines))
        except ValueError:
            continue
        if _below(values, names) is not None:
            return start
        start = end + 1
    return None


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
    """What tomllib says, with its line in front. An integer too long and nesting too deep have none."""
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", message, re.DOTALL)
    if not found:
        return f": this is not TOML: {message}"
    return f", line {found[2] or text.rstrip().count(chr(10)) + 1}: this is not TOML: {found[1]}"
