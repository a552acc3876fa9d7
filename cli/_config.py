"""The config file: TOML with the settings of a command, under the same names."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli._unusable import Unusable
from safelight.contracts.wording import MAX_PATH_CHARACTERS, brief
from safelight.mockserver.sessions.schemas import written
from safelight.mockserver.sessions.table import SERVE

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Bytes of a config file.
MAX_CONFIG_BYTES: Final = 100_000

#: A setting as people write it -> its name.
_NAMES: Final = {written(name): name for name in SERVE}


def load(path: str) -> dict[str, Any]:
    """What a config file says, name -> value, or `Unusable` with a sentence."""
    shown = shown_path(path)
    try:
        return named(_parsed(_bytes(path, shown).decode("utf-8-sig")))
    except UnicodeDecodeError:
        raise Unusable(f"{shown}: this is not UTF-8, as TOML has to be") from None
    except RecursionError:
        raise Unusable(f"{shown}: this is not TOML that can be read: it is nested too deep") from None
    except ValueError as error:
        raise Unusable(f"{shown}: this is not TOML: {error}") from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # Python's own words, for who programs in it
        raise ValueError("an integer has more digits than TOML has, whose integers have 64 bits") from None


def shown_path(path: str | Path) -> str:
    """A path for a sentence."""
    return brief(click.format_filename(path), MAX_PATH_CHARACTERS)


def _bytes(path: str, shown: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise Unusable(f"{shown}: {error.strerror}: give the path of a TOML file") from None
    if len(data) > MAX_CONFIG_BYTES:
        raise Unusable(f"{shown}: this is larger than {MAX_CONFIG_BYTES // 1_000} kB, too large for a config file")
    return data


def named(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values under the settings' names, those in tables of workflows too."""
    found: dict[str, Any] = {}
    for spelled, value in values.items():
        name = _NAMES.get(spelled, spelled)
        if name in found:
            raise ValueError(f"{brief(spelled)} is said twice, with a dash and with an underscore")
        found[name] = value
    if isinstance(tables := found.get("workflows"), dict):
        own = {name: named(table) if isinstance(table, dict) else table for name, table in tables.items()}
        found["workflows"] = own
    return found
