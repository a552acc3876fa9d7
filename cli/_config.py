"""A TOML file as a source of options: the same names, the same checks, and the line of the mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from safelight.cli._toml import MOST_DIGITS, TOO_MANY_DIGITS, Config, load, written

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What `[workflows.NAME]` can say, as for all tasks.
LIFE: Final = ("queued", "running", "polls", "fail_rate", "fail_reason", "fail_nth")

#: Options that take several values.
_LISTS: Final = frozenset({"polls", "fail_nth", "down", "faults"})

#: Options that the file has as tables, in the place of NAME=VALUE.
_AS_TABLES: Final = frozenset({"prices"})

#: Names of tables that are no options.
_TABLES: Final = ("workflows", "users")

_KEY: Final = "safelight config"


class ConfiguredCommand(click.Command):
    """A command whose `--config` gives defaults. A bad value is reported where it stands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's, with the file and line before what is wrong with a value of the file."""
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            config, name = config_of(ctx), str(error.param and error.param.name)
            if config and is_from_file(ctx, name):
                raise config.mistake(f"{written(name)}: {error.message}", name) from None
            raise


def is_from_file(ctx: click.Context, name: str) -> bool:
    """Whether the value of an option comes from the config file."""
    return ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


def read_config(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    """Make the values of a config file the defaults of the command it was given to."""
    if path is None:
        return
    config = ctx.meta[_KEY] = load(path)
    names = [name for name in config.values if name not in _TABLES]
    ctx.default_map = {name: _value(config, _option(config, ctx, name), name) for name in names}


def workflow_lives(ctx: click.Context) -> dict[str, dict[str, Any]]:
    """Workflow -> what the config file says of its lives, each value checked by the option of the same name."""
    config = config_of(ctx)
    return {workflow: _life(config, ctx, workflow) for workflow in _tables(config)} if config else {}


def config_of(ctx: click.Context) -> Config | None:
    """The config file that the command was given, if it was."""
    config: Config | None = ctx.meta.get(_KEY)
    return config


def conflict(ctx: click.Context, message: str, names: Sequence[str]) -> click.ClickException:
    """What to say of options that do not go together: where the file says one of them, if it does."""
    if config := config_of(ctx):
        tables: list[tuple[str, ...]] = [(), *(("workflows", workflow) for workflow in _tables(config))]
        paths = [(*table, name) for name in names for table in tables]
        found = next((path for path in paths if config.says(*path) is not None), None)
        if found:
            return config.mistake(message, *found)
    return click.UsageError(message, ctx)


def _option(config: Config, ctx: click.Context, name: str) -> click.Option:
    from safelight.contracts.wording import did_you_mean

    known = {str(param.name): param for param in ctx.command.params if isinstance(param, click.Option)}
    del known["config"]
    if name not in known:
        near = did_you_mean(written(name), map(written, [*known, *_TABLES]))
        if not near and isinstance(config.says(name), dict):
            near = "; options stand at the top level, not in a table"
        raise config.mistake(f"safelight {ctx.info_name} has no option {written(name)!r}{near}", name)
    return known[name]


def _tables(config: Config) -> dict[str, Any]:
    tables = config.says("workflows") or {}
    if not isinstance(tables, dict):
        raise config.mistake("write the lives of a workflow as a table: [workflows.rr3]", "workflows")
    return tables


def _life(config: Config, ctx: click.Context, workflow: str) -> dict[str, Any]:
    from safelight.mockserver.model.settings import check_names, kinds

    table, where = config.says("workflows", workflow), ("workflows", workflow)
    try:
        check_names([workflow], kinds(), "workflow")
    except ValueError as error:
        raise config.mistake(str(error), *where) from None
    if not isinstance(table, dict):
        raise config.mistake(f"write the lives of a workflow as a table: [workflows.{workflow}]", *where)
    if "polls" in table and {"queued", "running"} & set(table):
        raise config.mistake("lives are in seconds or in polls: give queued and running, or polls", *where, "polls")
    return {name: _cast(config, ctx, workflow, name) for name in table}


def _cast(config: Config, ctx: click.Context, workflow: str, name: str) -> Any:
    from safelight.contracts.wording import did_you_mean, listed

    where = "workflows", workflow, name
    if name not in LIFE:
        own = list(map(written, LIFE))
        near = did_you_mean(written(name), own) or f": it has {listed(own)}"
        raise config.mistake(f"a workflow has no {written(name)!r} of its own{near}", *where)
    option = _option(config, ctx, name)
    try:
        return option.type_cast_value(ctx, _value(config, option, *where))
    except click.BadParameter as error:
        raise config.mistake(f"{written(name)}: {error.message}", *where) from None


def _value(config: Config, option: click.Option, *where: str) -> Any:
    """What stands there as it would be written on the command line, so that both are read alike."""
    value = config.says(*where)
    if option.name in _AS_TABLES:
        return _table(config, *where)
    parts = value if isinstance(value, list) and option.name in _LISTS else [value]
    if option.is_flag and isinstance(value, bool):
        return value
    if option.is_flag or any(isinstance(part, bool | list | dict) for part in parts):
        wanted = "true or false" if option.is_flag else "a number or a text"
        raise config.mistake(f"{written(where[-1])} takes {wanted}", *where)
    if any(isinstance(part, int) and abs(part) >= 10**MOST_DIGITS for part in parts):
        raise config.mistake(f"{written(where[-1])}: {TOO_MANY_DIGITS}", *where)
    texts = list(map(str, parts))
    return texts if option.multiple else ",".join(texts)


def _table(config: Config, *where: str) -> list[str]:
    value = config.says(*where)
    if not isinstance(value, dict):
        raise config.mistake(f"write a table: [{written(where[-1])}]", *where)
    for name, number in value.items():
        if isinstance(number, bool | list | dict) or (isinstance(number, int) and abs(number) >= 10**MOST_DIGITS):
            raise config.mistake(f"{written(where[-1])}: {name} takes a number", *where, name)
    return [f"{name}={number}" for name, number in value.items()]
