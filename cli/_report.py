"""What the commands that judge have in common: the reports that they write and show."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource
from rich.console import Console

from safelight.cli._config import shown_path
from safelight.cli._unusable import Unusable
from safelight.conformance.report.document import Document
from safelight.conformance.report.terminal import show
from safelight.conformance.report.writing import CannotWrite, write

_Command = TypeVar("_Command", bound=Callable[..., Any])


def writable(ctx: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    """A file that is found to be no good before the run is, and not after."""
    if path is None:
        return None
    try:
        wrong = _in_the_way(path) or _taken(path, ctx)
    except (OSError, ValueError) as error:
        wrong = f"{shown_path(path)} cannot be written: {getattr(error, 'strerror', None) or error}"
    if wrong:
        raise click.BadParameter(wrong, param=option)
    return path


def _in_the_way(path: Path) -> str:
    """Why a file cannot be written, or nothing."""
    if path.is_dir():
        return f"{shown_path(path)} is a folder: name a file"
    if not path.parent.is_dir():
        return f"there is no folder {shown_path(path.parent)}"
    return "" if os.access(path if path.exists() else path.parent, os.W_OK) else f"{shown_path(path)} cannot be written"


def _taken(path: Path, ctx: click.Context) -> str:
    """Which other report is written to a file, in a sentence, or nothing."""
    others = [name for name in _FILES if ctx.params.get(name) and ctx.params[name].resolve() == path.resolve()]
    return f"{shown_path(path)} is where --{others[0]} writes: give each report a file of its own" if others else ""


#: Name of an option -> what it writes.
_FILES: Final = {
    "html": "Write one HTML file: a matrix of cases, and a drawing of each.",
    "json": "Write JSON, of the schema that `safelight schema report` prints.",
    "junit": "Write JUnit XML.",
}


#: The options of reports, by their names in a command's parameters.
REPORTS: Final = (*_FILES, "github")


def report_options(command: _Command) -> _Command:
    """Give a command the options of reports; `write_reports` takes them."""
    command = click.option("--github", is_flag=True, help="Annotate the run in GitHub Actions, and write its summary.")(
        command
    )
    kind = click.Path(path_type=Path)
    for name, summary in reversed(_FILES.items()):
        command = click.option(f"--{name}", type=kind, callback=writable, metavar="FILE", help=summary)(command)
    return command


def console() -> Console:
    """Standard output; what it cannot encode is escaped."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return Console(highlight=False)


def write_reports(documents: Sequence[Document], **wanted: Any) -> None:
    """Print the reports, and write those that are wanted."""
    try:
        write(documents, **wanted)
    except CannotWrite as error:
        raise Unusable(str(error)) from None
    finally:  # the files come first: who reads what is printed may go before its end
        for document in documents:
            show(document, console())


def typed(ctx: click.Context, *, without: Collection[str]) -> str:
    """The command as it was typed, but for some options. There is no key in it: no option takes one."""
    words = []
    for parameter in ctx.command.params:
        name = str(parameter.name)
        if name in without or ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        value = ctx.params[name]
        for one in value if isinstance(value, tuple) else [value]:
            flag = [] if isinstance(parameter, click.Argument) else [parameter.opts[0]]
            words += [*flag, *([] if one is True else [str(one)])]
    return shlex.join(["safelight", *ctx.command_path.split()[1:], *words])
