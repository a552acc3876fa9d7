"""`safelight`: the group whose commands are the modules of this folder."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli._commands import Commands
from safelight.contracts.wording import bounded

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What comes of printing to a full disk, a broken terminal and the like. A pipe that nobody reads is click's matter.
_UNPRINTABLE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EAGAIN}


class _Main(Commands):
    """The commands of this folder, whatever becomes of the standard streams, and of what is said in an error."""

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


@click.command(
    cls=_Main,
    package="safelight.cli",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
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
