"""The rows of the table of settings as options of a command, and the values from command line and config file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli._completion import offered, words_of
from safelight.cli._config import load, shown_path
from safelight.cli._unusable import Unusable
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import over, settings_of, task_profile
from safelight.mockserver.sessions.readers import FLAG
from safelight.mockserver.sessions.schemas import written
from safelight.mockserver.sessions.setting import WrongSetting, read
from safelight.mockserver.sessions.table import CONFLICTS, HEADINGS, SERVE, SESSION, TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from safelight.mockserver.sessions.setting import Setting

#: The config file that is found by itself, in the current folder.
USUAL_FILE: Final = "safelight.toml"

#: Where a context keeps which file was found.
FOUND: Final = "safelight.config"

#: What `serve` and `exec` do by default: long enough to see, too short to wait.
_USUAL: Final = Settings(task_profile(queued=TIME["queued"].default, running=TIME["running"].default))


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """The settings of a command's sessions, the values of all its options, and the config file that has some."""

    settings: Settings
    values: Mapping[str, Any]
    file: str | None = None


class SettingsCommand(click.Command):
    """A command with settings; its help has them under headings."""

    #: The command's settings.
    rows: Mapping[str, Setting]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, the settings under their headings."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = {str(option.name): option.get_help_record(ctx) for option in options}
        rows = {param.name for param in self.params if isinstance(param, _Option)}
        sections = {"Options": [name for name in records if name not in rows]}
        sections |= {heading: [name for name in names if name in rows] for heading, names in HEADINGS.items()}
        width = max(len(record[0]) for record in records.values() if record)
        for heading, names in sections.items():
            lines = [(record[0].ljust(width), record[1]) for name in names if (record := records.get(name))]
            if lines:
                with formatter.section(heading):
                    formatter.write_dl(lines)


def settings_options(
    rows: Mapping[str, Setting], only: Collection[str] = ()
) -> Callable[[click.Command], click.Command]:
    """Give a command these settings, all or `only` some as options; a config file can have all of them."""

    def add(command: click.Command) -> click.Command:
        assert isinstance(command, SettingsCommand)
        command.rows = rows
        command.params[:0] = [
            _CONFIG,
            _NO_CONFIG,
            *(
                _Option(row)
                for name, row in rows.items()
                if (row.reader is FLAG or row.reader.parse) and (name in only or not only)
            ),
        ]
        return command

    return add


def command_options(ctx: click.Context) -> CommandOptions:
    """What command line and config file say, the command line first; or one sentence."""
    assert isinstance(ctx.command, SettingsCommand)
    rows, path = ctx.command.rows, _file_of(ctx)
    typed = {
        name: _typed(row, ctx.params[name]) for name, row in rows.items() if ctx.params.get(name) not in (None, ())
    }
    filed = _filed(ctx, path) if path else {}
    try:
        values = read(over(typed, filed), rows, CONFLICTS, kind=f"setting of safelight {ctx.info_name}")
        settings = settings_of(values, _USUAL)
    except WrongSetting as wrong:
        if any(name in filed and name not in typed for name in (*wrong.path[:1], *wrong.names)):
            raise Unusable(f"{shown_path(path or '')}: {written(str(wrong))}") from None
        raise _usage_error(ctx, wrong) from None
    except ValueError as error:
        raise Unusable(f"{shown_path(path)}: {error}" if path else str(error)) from None
    usual = {name: row.default for name, row in rows.items() if name not in SESSION}
    return CommandOptions(settings, usual | values, path)


def _file_of(ctx: click.Context) -> str | None:
    """The config file: the one that is named, or that of this folder, which stays the one once it was there."""
    named: str | None = ctx.params["config"]
    if named and ctx.params["no_config"]:
        raise click.UsageError("--config and --no-config contradict each other: give one of them", ctx)
    if named or ctx.params["no_config"]:
        return named
    if FOUND not in ctx.meta:
        file = Path(USUAL_FILE)  # what cannot be read is told, not passed over
        ctx.meta[FOUND] = USUAL_FILE if file.is_file() or file.is_dir() or file.is_symlink() else None
    return ctx.meta[FOUND]  # type: ignore[no-any-return]


def _filed(ctx: click.Context, path: str) -> dict[str, Any]:
    """What the file says; that of this folder may be for `serve` too, whose other settings are left out."""
    assert isinstance(ctx.command, SettingsCommand)
    rows = ctx.command.rows
    return {
        name: value for name, value in load(path).items() if name in rows or name not in SERVE or not was_found(ctx)
    }


def announce_found(ctx: click.Context) -> None:
    """Say which config file was found, on standard error, as standard output is another command's."""
    if was_found(ctx):
        click.echo(f"{ctx.command_path}: the fake has the settings of {ctx.meta[FOUND]}", err=True)


def was_found(ctx: click.Context) -> bool:
    """The config file is that of this folder, which nobody has named."""
    return bool(ctx.meta.get(FOUND))


def _usage_error(ctx: click.Context, wrong: WrongSetting) -> click.UsageError:
    if not wrong.path:
        return click.UsageError(written(wrong.reason), ctx)
    return click.BadParameter(wrong.reason, ctx, param_hint=f"'--{written(wrong.path[0])}'")


def _typed(row: Setting, value: Any) -> Any:
    """The value to read, from what the command line has."""
    reader = row.reader
    if reader.parse is None:
        return value
    return reader.gather(map(reader.parse, value)) if reader.gather else reader.parse(value)


class _Option(click.Option):
    """A setting as an option. Its text is read later, beside the config file's values."""

    def __init__(self, row: Setting) -> None:
        name, is_flag = written(row.name), row.reader is FLAG
        self._form = f"--[no-]{name}" if is_flag else f"--{name} {row.reader.form}"
        usual = row.usual or ("on" if row.default is True else "" if row.default in (None, False) else row.default)
        several, default = "  Repeatable." if row.reader.gather else "", f"  [default: {usual}]" if usual != "" else ""
        super().__init__(
            [f"--{name}/--no-{name}" if is_flag else f"--{name}"],
            type=bool if is_flag else str,
            multiple=bool(row.reader.gather),
            default=None,
            envvar=row.variable,
            shell_complete=offered(words_of(row)),
            help=f"{row.summary}.{several}{default}",
        )

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:  # noqa: ARG002 - click's signature
        """The option and what it is."""
        return self._form, self.help or ""


_CONFIG: Final = click.Option(
    ["--config"],
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help=f"Read settings from a TOML file, under the same names. The command line wins.  [default: {USUAL_FILE}, if "
    "there is one]",
)

_NO_CONFIG: Final = click.Option(["--no-config"], is_flag=True, help=f"Read no {USUAL_FILE}.")
