"""`safelight serve`: the fake as a local backend, until it is stopped."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

import click

from safelight.cli._config import shown_path
from safelight.cli._control import Controlled, control_of
from safelight.cli._fake import Fake, fake_of
from safelight.cli._log import LOGS, ReadableLog
from safelight.cli._processes import Processes
from safelight.cli._reload import Reload, watch
from safelight.cli._settings import SettingsCommand, command_options, settings_options
from safelight.cli._signals import on_hang_up
from safelight.cli._store import store_of
from safelight.cli._terminal import say, warn_if_open
from safelight.cli._unusable import Unusable
from safelight.contracts.wording import counted
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.sessions.schemas import written
from safelight.mockserver.sessions.table import SERVE
from safelight.mockserver.transports.server import AppServer, CannotListen, entry_of, listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence

    from safelight.cli._settings import CommandOptions

#: Serves, and calls what it is given once it answers.
_Serve = Callable[[Callable[[], None]], None]

#: File descriptors that are asked for, where the system allows as many: enough for 10,000 clients and more.
_DESCRIPTORS: Final = 32_768

#: Seconds that threads have to end by themselves when the server has ended.
_MAX_JOIN_SECONDS: Final = 0.1


@settings_options(SERVE)
@click.command(cls=SettingsCommand)
@click.pass_context
def command(ctx: click.Context, /, **_: Any) -> None:
    """Serve the API on this machine, with real pictures and no credits spent."""
    values = command_options(ctx).values
    if values["upstream"]:
        _pass_on(values)
        return
    _check_upstream(values)
    log = LOGS[values["log"]]()
    options, replayed = _read(ctx)
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
        _allow_connections()
        sockets = [bound, *filter(None, [controlled.bound])]
        config = options.file and f"Its settings are those of {shown_path(options.file)}; the command line wins"
        announce = partial(_announce, fake, bound, ready_file, controlled, [config, replayed])
        reload = Reload(lambda: _read(ctx)[0], fake, options)

        def serve(ready: Callable[[], None]) -> None:
            before = set(threading.enumerate())
            AppServer(app, bound, ready=ready, path=fake.path).run(sockets)
            store.close()
            if isinstance(log, ReadableLog):
                log.end()
            _end(set(threading.enumerate()) - before)

        if values["processes"] == 1:
            _serve_alone(serve, reload, announce)
        else:
            store.close()  # no connection is carried over to another process
            _serve_beside(serve, reload, announce)


def _read(ctx: click.Context) -> tuple[CommandOptions, str]:
    """The options, with what a recording says beside them, and what that is in a sentence."""
    options = command_options(ctx)
    if (file := options.values["replay"]) is None:
        return options, ""
    from safelight.cli._replay import replaying  # noqa: PLC0415 - the fake needs nothing of recordings by itself

    return replaying(options, file)


def _serve_alone(serve: _Serve, reload: Reload, announce: Callable[[], None]) -> None:
    on_hang_up(reload.begin, ends=not reload.options.file)
    if watched := reload.watched():
        watch(watched, reload.again)
    serve(announce)


def _serve_beside(serve: _Serve, reload: Reload, announce: Callable[[], None]) -> None:
    """Serve from several processes. The one that begins them reads the file first, and tells what comes of it."""
    has_file, watched = bool(reload.options.file), reload.watched()

    def serve_one(ready: Callable[[], None]) -> None:
        if has_file:
            signal.signal(signal.SIGHUP, lambda *_: reload.begin(lambda _: None))
        serve(ready)

    reread = partial(reload.again, with_sessions=False)
    processes = Processes(reload.options.values["processes"], serve_one)
    on_hang_up(lambda: processes.hand_on() if reread() else None, ends=not has_file)
    processes.run(announce, reread, watched)


def _pass_on(values: Mapping[str, Any]) -> None:
    """Serve the proxy in front of an upstream instead."""
    from safelight.cli._upstream import pass_on  # noqa: PLC0415 - the fake needs none of its judges

    ready_file = _ReadyFile(values["ready_file"]) if values["ready_file"] else None
    pass_on(values, ready_file.write if ready_file else lambda _: None)


def _check_upstream(values: Mapping[str, Any]) -> None:
    """What is about an upstream needs one."""
    for name in ("recording", "max_paid"):
        if values[name] is not None:
            raise Unusable(f"--{written(name)} is about the API that requests are passed on to: name it by --upstream")


def _allow_connections() -> None:
    """Each connection takes a file descriptor, of which shells often allow 1,024: take what the system allows."""
    with suppress(ImportError, OSError, ValueError):  # of Windows, and of limits below what they say
        import resource  # noqa: PLC0415

        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, _DESCRIPTORS)
        if now != resource.RLIM_INFINITY and now < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _end(workers: set[threading.Thread]) -> None:
    """End now, although a thread may still draw or validate, for nobody: Python would wait for it."""
    deadline = time.monotonic() + _MAX_JOIN_SECONDS
    for worker in workers:
        worker.join(max(0, deadline - time.monotonic()))
    if any(worker.is_alive() for worker in workers):
        os._exit(0)  # nothing is lost: what is said goes out at once, and nothing is kept


def _announce(
    fake: Fake, bound: socket.socket, ready: _ReadyFile | None, controlled: Controlled, sources: Sequence[str | None]
) -> None:
    control, url = controlled.url, entry_of(bound, fake.path)
    if ready:
        own = {"control": control} if control else {}
        key = {"api_key": fake.key} if fake.key == FAKE_KEY else {"fingerprint": fingerprint(fake.key)}
        ready.write(json.dumps({"url": url, **key, **own}) + "\n")
    has_page = controlled.control is not None and controlled.control.page
    page = f"{_PAGE}{urljoin(control or url, '/')}\n" if has_page else ""
    public_url = fake.api.public_url
    curl = _curl(public_url + fake.path if public_url else url, fake.key)
    say(_BANNER.format(url=click.style(url, bold=True), key=_shown(fake.key), seed=fake.seed, page=page, curl=curl))
    if public_url:
        say(f"The URLs in its answers begin with {public_url}\n")
    for source in filter(None, sources):
        say(f"{source}.\n")
    if fake.taken_over:
        sessions = counted(fake.taken_over, "session")
        say(f"It goes on with {sessions} of its store, each with the settings and the clock that it has.\n")
    if control:
        say(f"It is controlled at {control}\n")
    if fake.users:
        users = (f"{name} (fingerprint {fingerprint(key)})" for name, key in fake.users.items())
        say(f"Its users are {', '.join(users)}.\n")
    warn_if_open(bound)


_BANNER: Final = """\
Safelight answers at  {url}
with the API key      {key}
and the seed          {seed}
{page}
Paste this to submit a picture:
  {curl}
"""

_PAGE: Final = "See what happens at   "


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
