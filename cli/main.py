"""`safelight`: the group whose commands are the modules of this folder.

Every module without a leading underscore holds `command`. Only the one that is called is imported: what the others do
is read from the first line of their files.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final

import click

import safelight.cli
from safelight.contracts.wording import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What comes of printing to a full disk, a broken terminal and the like. A pipe that nobody reads is click's matter.
_UNPRINTABLE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EAGAIN}


class _Commands(click.Group):
    """A group that lists and imports the modules beside this one."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click's, whatever has become of the standard streams."""
        _open_missing_streams()
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.filename is not None or error.errno not in _UNPRINTABLE:
                raise
            with suppress(OSError):
                click.echo(f"Error: cannot print: {error.strerror}", err=True)
            _forget_output()
            sys.exit(1)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As click's; see `_bounded`."""
        with _bounded():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's; see `_bounded`."""
        with _bounded():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands' names, sorted."""
        names = {module.name for module in iter_modules(safelight.cli.__path__)} - {"main"}
        return sorted(name for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"safelight.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what there is, without importing it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name)) for name in self.list_commands(ctx)])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="safelight")
def main() -> None:
    """Develop and test clients of an asynchronous image-generation API."""


@contextmanager
def _bounded() -> Iterator[None]:
    """What a command says of what is wrong: without keys and endless words, whoever has worded it."""
    try:
        yield
    except click.ClickException as error:
        error.message = bounded(error.message)  # type: ignore[misc]  # final for whoever only reads it
        raise


def _summary(name: str) -> str:
    """What stands after the name in the first line of a command's file."""
    with Path(safelight.cli.__path__[0], f"{name}.py").open(encoding="utf-8") as file:
        summary = file.readline().strip().strip('"').partition(": ")[2]
    return summary[:1].upper() + summary[1:]


def _open_missing_streams() -> None:
    """Put nothing in the place of a stream that was closed, which the next file to be opened would take."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False))


def _forget_output() -> None:
    """What is left in buffers is tried once more at exit, and would end in a second complaint."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
