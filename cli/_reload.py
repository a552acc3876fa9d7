"""The config file of a running fake, read again: at SIGHUP, and with `--watch` whenever it changes."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock, Thread
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli._config import shown_path
from safelight.cli._settings import USUAL_FILE
from safelight.cli._terminal import say
from safelight.cli._unusable import Unusable
from safelight.contracts.wording import listed
from safelight.mockserver.sessions.schemas import written
from safelight.mockserver.sessions.table import SERVE, SESSION
from safelight.mockserver.storage.store import StoreGone

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.cli._fake import Fake
    from safelight.cli._settings import CommandOptions

#: The settings that a running fake takes on. The others hold from the next start on.
LIVE: Final = SESSION.keys() | {"speed", "users"}

#: Seconds between two looks whether a file has changed.
LOOK_SECONDS: Final = 1.0


@dataclass
class Reload:
    """The fake of a command, and the options that it goes by."""

    read: Callable[[], CommandOptions]
    fake: Fake
    options: CommandOptions

    def __post_init__(self) -> None:
        self._reading = RLock()

    def watched(self) -> Watched | None:
        """The file, where it is to be watched."""
        if not self.options.values["watch"]:
            return None
        if self.options.file is None:
            raise Unusable(f"--watch needs a config file: there is no {USUAL_FILE} here; write one, or name another")
        return Watched(self.options.file)

    def again(self, tell: Callable[[str], object] = say, *, with_sessions: bool = True) -> bool:
        """Read the file, change the fake, with its open sessions or without, and tell what came of it.

        Gives whether the file could be read. Without one, whoever asked for it by SIGHUP ends the fake.
        """
        if self.options.file is None:
            tell("There is no config file to read again: SIGHUP ends the fake.")
            os.kill(os.getpid(), signal.SIGTERM)
            return False
        with self._reading:
            try:
                tell(self._adopted(self.read(), with_sessions=with_sessions))
            except (click.ClickException, ValueError, StoreGone) as error:
                reason = error.format_message() if isinstance(error, click.ClickException) else error
                tell(f"{reason}\nThe fake goes on with the settings that it has.")
                return False
        return True

    def begin(self, tell: Callable[[str], object] = say) -> None:
        """Do so in a thread of its own: whoever is told by a signal may be within a transaction."""
        Thread(target=self.again, args=(tell,), name="safelight reads its config file", daemon=True).start()

    def _adopted(self, read: CommandOptions, *, with_sessions: bool) -> str:
        before, wanted = self.options.values, read.values
        changed = [name for name in SERVE if before.get(name) != wanted.get(name)]
        values = {name: (wanted if name in LIVE else before).get(name) for name in {**before, **wanted}}
        after = replace(read, values=values)
        self.fake.adopt(self.options, after, with_sessions=with_sessions)
        self.options = after
        return _said(str(read.file), changed)


def _said(file: str, changed: list[str]) -> str:
    live, later = ([written(name) for name in changed if (name in LIVE) is is_live] for is_live in (True, False))
    news = f"{listed(live, 'and')} changed" if live else "nothing changed that a running fake takes on"
    rest = f"\n{listed(later, 'and')}: the fake takes what the file says now when it is started again." if later else ""
    return f"{shown_path(file)} was read again: {news}.{rest}"


class Watched:
    """A file that may change."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._seen = self._stamp()

    def has_changed(self) -> bool:
        """It is another one than at the last look."""
        before, self._seen = self._seen, self._stamp()
        return bool(self._seen != before)

    def _stamp(self) -> Any:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def watch(file: Watched, changed: Callable[[], object]) -> None:
    """From now on, call this in a thread each time the file has changed."""

    def look() -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            if file.has_changed():
                changed()

    Thread(target=look, name="safelight watches its config file", daemon=True).start()
