"""What the commands that judge have in common, beside their reports: waivers, and the dialect of a server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from safelight.cli._unusable import Unusable
from safelight.conformance.report.waivers import BadWaivers, Waiver, read
from safelight.contracts.dialects import dialects

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: The settings of a dialect that can be told from what a server says.
DIALECT: Final = ("vocabulary", "errors", "limits", "requests")


def waivers_option(command: _Command) -> _Command:
    """Give a command `--waivers`; `waivers_of` reads the file."""
    about = "What may fail, until when, and why."
    return click.option("--waivers", type=click.Path(path_type=Path), metavar="FILE", help=about)(command)


def waivers_of(path: Path | None, known: Collection[str]) -> Sequence[Waiver]:
    """The waivers of a file, of cases or checks that are known; none where no file is named."""
    try:
        return read(path, known) if path else ()
    except BadWaivers as error:
        raise Unusable(str(error)) from None


def dialect_options(*, any_of: Collection[str] = ()) -> Callable[[_Command], _Command]:
    """Give a command the options of a dialect; those of `any_of` are None where nobody names one."""

    def give(command: _Command) -> _Command:
        for setting in reversed(DIALECT):
            names = list(dialects()[setting])
            usual = None if setting in any_of else names[0]
            about = f"The {setting} of the server, where servers differ.  [default: {usual or 'any'}]"
            command = click.option(f"--{setting}", type=click.Choice(names), default=usual, help=about)(command)
        return command

    return give
