"""A TOML file as a source of options: the same names, the same checks, and the line of the mistake."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from safelight.cli._unusable import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What `[workflows.NAME]` can say, as for all tasks.
_LIFE: Final = ("queued", "running", "polls", "fail_rate", "fail_reason", "fail_nth")

_KEY: Final = "safelight config"


@dataclass(frozen=True, slots=True)
class Config:
    """A config file: its path, its text and what it says."""

    path: str
    text: str
    values: dict[str, Any]

    def at(self, *names: str) -> str:
        """`file, line N` for a key below these tables: what a message about it starts with."""
        lines = enumerate(_keys(self.text), 1)
        found = next((line for line, seen in lines if seen == names), None)
        return f"{self.path}, line {found}" if found else self.path


class ConfiguredCommand(click.Command):
    """A command whose `--config` gives defaults. A bad value is reported where it stands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's, with the file and line before what is wrong with a value of the file."""
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            config, name = ctx.meta.get(_KEY), str(error.param and error.param.name)
            if config and ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP:
                raise _mistake(config.at(name), error.message) from None
            raise


def read_config(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    """Make the values of a config file the defaults of the command it was given to."""
    if path is None:
        return
    config = ctx.meta[_KEY] = _load(path)
    values = {name: value for name, value in config.values.items() if name != "workflows"}
    for name, value in values.items():
        _check(config, ctx, value, name)
    ctx.default_map = values


def workflow_lives(ctx: click.Context) -> dict[str, dict[str, Any]]:
    """Workflow -> what the config file says of its lives, each value checked by the option of the same name."""
    config: Config | None = ctx.meta.get(_KEY)
    if config is None:
        return {}
    tables = config.values.get("workflows", {})
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise _mistake(config.at("workflows"), "write the lives of a workflow as a table: [workflows.rr3]")
    return {
        workflow: {name: _cast(config, ctx, value, workflow, name) for name, value in table.items()}
        for workflow, table in tables.items()
    }


def _load(path: str) -> Config:
    try:
        text = Path(path).read_text("utf-8")
        return Config(path, text, _underscored(tomllib.loads(text)))
    except OSError as error:
        raise _mistake(path, f"{error.strerror}: give the path of a TOML file") from None
    except UnicodeDecodeError:
        raise _mistake(path, "this is not UTF-8, as TOML has to be") from None
    except tomllib.TOMLDecodeError as error:
        raise _mistake(path, f"this is not TOML: {error}") from None


def _check(config: Config, ctx: click.Context, value: Any, name: str) -> None:
    from safelight.contracts.wording import did_you_mean  # noqa: PLC0415 - `--help` does without

    known = {str(param.name): param for param in ctx.command.params if param.name not in ("config", "help")}
    if name not in known:
        raise _mistake(config.at(name), f"there is no option {name!r}{did_you_mean(name, known)}")
    is_flag = getattr(known[name], "is_flag", False)
    if isinstance(value, bool) is not is_flag or isinstance(value, dict):
        wanted = "true or false" if is_flag else "a number or a text"
        raise _mistake(config.at(name), f"{name} takes {wanted}")


def _cast(config: Config, ctx: click.Context, value: Any, workflow: str, name: str) -> Any:
    from safelight.contracts.wording import did_you_mean, either  # noqa: PLC0415 - as above

    where = config.at("workflows", workflow, name)
    if name not in _LIFE:
        raise _mistake(where, f"a workflow has no {name!r} of its own{did_you_mean(name, _LIFE)}: only {either(_LIFE)}")
    param = next(param for param in ctx.command.params if param.name == name)
    try:
        return param.type_cast_value(ctx, value)
    except click.BadParameter as error:
        raise _mistake(where, error.message) from None


def _mistake(where: str, what: str) -> Unusable:
    return Unusable(f"{where}: {what}")


def _underscored(table: dict[str, Any]) -> dict[str, Any]:
    """Names as Python has them: `fail-rate` is `fail_rate`. Names of workflows stay."""
    found = {name.replace("-", "_"): value for name, value in table.items()}
    if isinstance(tables := found.get("workflows"), dict):
        found["workflows"] = {
            name: _underscored(life) if isinstance(life, dict) else life for name, life in tables.items()
        }
    return found


def _keys(text: str) -> Iterator[tuple[str, ...]]:
    """For each line of a TOML text the full name of the key it sets or the table it opens, else nothing."""
    table: tuple[str, ...] = ()
    for line in text.splitlines():
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        key = re.match(r"""\s*["']?([\w-]+)["']?\s*=""", line)
        if header:
            table = tuple(part.strip(" \"'") for part in header[1].split("."))
            yield table
        else:
            yield (*table, key[1].replace("-", "_")) if key else ()
