"""`safelight exec -- CMD`: a fake for as long as one command runs."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import click

from safelight.cli._fake import fake_of
from safelight.cli._settings import SettingsCommand, announce_found, command_options, settings_options
from safelight.cli._signals import ENDING, on_ending
from safelight.contracts.wording import MAX_PATH_CHARACTERS, echoed
from safelight.mockserver.control.control import Control
from safelight.mockserver.model.addresses import without_proxy
from safelight.mockserver.sessions.table import EXEC
from safelight.mockserver.transports.server import in_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What a shell exits with when a command is not found, or cannot be run.
_NOT_FOUND, _NOT_RUN = 127, 126


@settings_options(EXEC)
@click.command(cls=SettingsCommand, context_settings={"allow_interspersed_args": False})
@click.argument("cmd", metavar="[--] CMD...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, /, cmd: tuple[str, ...], **_: Any) -> None:
    """Run CMD beside a fake on a free port, and exit as CMD does.

    `safelight check client --watch -- CMD` does the same, and judges what CMD sends.

    CMD finds the fake in SAFELIGHT_BASE_URL and SAFELIGHT_API_KEY, and asks no proxy for it. What stands after CMD is
    handed to it.
    """
    fake = fake_of(command_options(ctx))
    announce_found(ctx)
    with in_thread(fake.app(Control()), path=fake.path) as server:
        found = {"SAFELIGHT_BASE_URL": server.url, "SAFELIGHT_API_KEY": fake.key}
        code = _run(cmd, {**os.environ, **without_proxy(os.environ), **found})
    ctx.exit(code)


def _run(cmd: Sequence[str], environment: dict[str, str]) -> int:
    """The command's exit code; 128 and its number where a signal ended it, as in a shell."""
    early = _catch_signals()
    try:
        process = subprocess.Popen(cmd, env=environment)  # noqa: S603 - running it is what the user asked for
    except FileNotFoundError:
        click.echo(f"safelight exec: there is no command {echoed(cmd[0], MAX_PATH_CHARACTERS)}", err=True)
        return _NOT_FOUND
    except OSError as error:
        click.echo(f"safelight exec: {echoed(cmd[0], MAX_PATH_CHARACTERS)} cannot be run: {error.strerror}", err=True)
        return _NOT_RUN
    _hand_on(process, early)
    code = process.wait()
    return 128 - code if code < 0 else code


def _catch_signals() -> list[int]:
    """From now on no signal ends us and leaves the command an orphan. Gives those that came."""
    early: list[int] = []
    on_ending(lambda number, _: early.append(number), ENDING)
    # A terminal sends Ctrl-C to both; the command decides what becomes of it. Ignored, it would be so in the command.
    signal.signal(signal.SIGINT, lambda *_: None)
    return early


def _hand_on(process: subprocess.Popen[bytes], early: Sequence[int]) -> None:
    on_ending(lambda number, _: process.send_signal(number), ENDING)
    for sent in early:
        process.send_signal(sent)
