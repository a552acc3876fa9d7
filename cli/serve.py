"""`safelight serve`: the fake as a local backend, until it is stopped."""

from __future__ import annotations

import errno
import json
import os
import shlex
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

import click

from safelight.cli._config import shown_path
from safelight.cli._control import Controlled, control_of
from safelight.cli._fake import Fake, fake_of
from safelight.cli._log import LOGS, ReadableLog
from safelight.cli._processes import Processes
from safelight.cli._settings import SettingsCommand, command_options, settings_options
from safelight.cli._store import store_of
from safelight.cli._terminal import say
from safelight.cli._unusable import Unusable
from safelight.contracts.wording import counted
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.sessions.table import SERVE
from safelight.mockserver.transports.server import AppServer, CannotListen, entry_of, listen

if TYPE_CHECKING:
    import socket

#: Seconds that threads have to end by themselves when the server has ended.
_MAX_JOIN_SECONDS: Final = 0.1


@settings_options(SERVE)
@click.command(cls=SettingsCommand)
@click.pass_context
def command(ctx: click.Context, /, **_: Any) -> None:
    """Serve the API on this machine, with real pictures and no credits spent."""
    options = command_options(ctx)
    values = options.values
    log = LOGS[values["log"]]()
    with ExitStack() as until_end:
        store = store_of(values, until_end)
        fake = fake_of(options, log, store)
        try:
            bound = listen(values["host"], values["port"])
        except CannotListen as error:
            raise Unusable(str(error)) from None
        ready_file = _ReadyFile(values["ready_file"]) if values["ready_file"] else None
        controlled = control_of(bound, values)
        app = fake.app(controlled.control)
        sockets = [bound, *filter(None, [controlled.bound])]
        announce = partial(_announce, fake, bound, ready_file, controlled)

        def serve(ready: Callable[[], None]) -> None:
            before = set(threading.enumerate())
            AppServer(app, bound, ready=ready, path=fake.path).run(sockets)
            store.close()
            if isinstance(log, ReadableLog):
                log.end()
            _end(set(threading.enumerate()) - before)

        if values["processes"] == 1:
            serve(announce)
        else:
            store.close()  # no connection is carried over to another process
            Processes(values["processes"], serve).run(announce)


def _end(workers: set[threading.Thread]) -> None:
    """End now, although a thread may still draw or validate, for nobody: Python would wait for it."""
    deadline = time.monotonic() + _MAX_JOIN_SECONDS
    for worker in workers:
        worker.join(max(0, deadline - time.monotonic()))
    if any(worker.is_alive() for worker in workers):
        os._exit(0)  # nothing is lost: what is said goes out at once, and nothing is kept


def _announce(fake: Fake, bound: socket.socket, ready: _ReadyFile | None, controlled: Controlled) -> None:
    control = controlled.url
    url, host = entry_of(bound, fake.path), bound.getsockname()[0]
    if ready:
        own = {"control": control} if control else {}
        ready.write(json.dumps({"url": url, "api_key": fake.key, **own}) + "\n")
    has_page = controlled.control is not None and controlled.control.page
    page = f"{_PAGE}{urljoin(control or url, '/')}\n" if has_page else ""
    curl = _curl(url, fake.key)
    say(_BANNER.format(url=click.style(url, bold=True), key=_shown(fake.key), seed=fake.seed, page=page, curl=curl))
    if fake.taken_over:
        sessions = counted(fake.taken_over, "session")
        say(f"It goes on with {sessions} of its store, each with the settings and the clock that it has.\n")
    if control:
        say(f"It is controlled at {control}\n")
    if fake.users:
        users = (f"{name} (fingerprint {fingerprint(key)})" for name, key in fake.users.items())
        say(f"Its users are {', '.join(users)}.\n")
    if not ip_address(host.partition("%")[0]).is_loopback:
        say(click.style(_OPEN.format(host=host), fg="yellow"))


_BANNER: Final = """\
Safelight answers at  {url}
with the API key      {key}
and the seed          {seed}
{page}
Paste this to submit a picture:
  {curl}
"""

_PAGE: Final = "See what happens at   "

_OPEN: Final = "Warning: on {host} it answers other machines too. Whoever reaches it can use it.\n"


def _shown(key: str) -> str:
    """The key that is plainly nobody's; of one of the user's own what stands for it."""
    return key if key == FAKE_KEY else f"of your own, fingerprint {fingerprint(key)}"


def _curl(url: str, key: str) -> str:
    """A line that submits, for a shell."""
    header = f"'x-api-key: {key}'" if key == FAKE_KEY else '"x-api-key: $SAFELIGHT_API_KEY"'
    body = json.dumps({"prompt": "a lighthouse at dusk"})
    submit = shlex.quote(f"{url}?endpoint=image_generation")
    return f"curl {submit} -H {header} -H 'content-type: application/json' -d '{body}'"


class _ReadyFile:
    """A file that is there when the server answers, and of which nobody ever sees half."""

    def __init__(self, path: str) -> None:
        """Remove what an earlier server left behind: it would be taken for ours."""
        self._path = Path(path)
        try:
            if self._path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a directory")
            # A device or a pipe is somebody's, and written to as it is.
            self._is_ours = self._path.is_file() or not self._path.exists()
            if self._is_ours:
                self._path.unlink(missing_ok=True)
        except (OSError, ValueError) as error:
            raise self._unusable(error) from None

    def write(self, text: str) -> None:
        """Say that the server is ready."""
        try:
            if self._is_ours:
                self._write_whole(text)
            else:
                self._path.write_text(text, "utf-8")
        except OSError as error:
            raise self._unusable(error) from None

    def _write_whole(self, text: str) -> None:
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            part.write_text(text, "utf-8")
            part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)

    def _unusable(self, error: OSError | ValueError) -> Unusable:
        reason = error.strerror if isinstance(error, OSError) else error  # the name of no file
        return Unusable(f"cannot write the ready file {shown_path(self._path)}: {reason}")
