"""Processes that serve from the same sockets and the same store. One that ends by itself is begun again."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from safelight.cli._reload import LOOK_SECONDS
from safelight.cli._terminal import say
from safelight.cli._unusable import Unusable
from safelight.mockserver.transports.server import ALWAYS_ENDING, ENDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.cli._reload import Watched

#: What this process hears, and one that begins must not hear in its place.
_SIGNALS: Final = (*ENDING, *([signal.SIGALRM] if hasattr(signal, "SIGALRM") else []))

#: Seconds between two looks whether all processes answer, and before one is begun again.
_LOOK_SECONDS: Final = 0.05


class Processes:
    """So many processes, each of which calls `serve` with what it has to call once it answers."""

    def __init__(self, number: int, serve: Callable[[Callable[[], None]], None]) -> None:
        if not hasattr(os, "fork"):
            raise Unusable("--processes needs a system on which a process can be forked, and this is none")
        self._number, self._serve = number, serve
        self._running: set[int] = set()
        self._is_ending = False
        self._ready, self._say_ready = os.pipe()
        #: Nothing is ever written to it: it ends with this process, however that ends.
        self._lifeline, self._life = os.pipe()

    def run(self, announce: Callable[[], None], reread: Callable[[], bool], watched: Watched | None = None) -> None:
        """Serve until a signal. `announce` is called when all of them answer.

        `reread` is called when a file has changed that is watched; where it is true, all processes hear of it.
        """
        for name in ENDING:
            if name in ALWAYS_ENDING or signal.getsignal(name) is signal.SIG_DFL:
                signal.signal(name, self._end)
        if watched:
            signal.signal(signal.SIGALRM, lambda *_: self.hand_on() if watched.has_changed() and reread() else None)
            signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)
        for _ in range(self._number):
            self._begin()
        self._await_ready()
        if not self._is_ending:
            announce()
        while self._running:
            self._take_back(0)
        if watched:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _await_ready(self) -> None:
        awaited = self._number
        while awaited and not self._is_ending:
            self._take_back(os.WNOHANG)
            if select.select([self._ready], [], [], _LOOK_SECONDS)[0]:
                awaited -= len(os.read(self._ready, awaited))

    def _take_back(self, options: int) -> None:
        """Take leave of a process that has ended, and begin another one in its place."""
        pid, status = os.waitpid(-1, options)
        if not pid:
            return
        self._running.discard(pid)
        if not self._is_ending:
            ending = _ending(os.waitstatus_to_exitcode(status))
            say(f"Process {pid} of the fake has ended ({ending}). Another one serves in its place.")
            time.sleep(_LOOK_SECONDS)
            self._begin()

    def _begin(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if not pid:
            self._work()
        self._running.add(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _work(self) -> None:
        """Be one of the processes."""
        code = 1
        try:
            for name in _SIGNALS:
                signal.signal(name, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # unless it has a config file to read again
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.close(self._life)
            Thread(target=self._end_with_parent, daemon=True).start()
            self._serve(self._ready_to_answer)
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)

    def _ready_to_answer(self) -> None:
        os.write(self._say_ready, b".")

    def _end_with_parent(self) -> None:
        os.read(self._lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def hand_on(self) -> None:
        """Let all processes read the config file again."""
        for pid in self._running:
            os.kill(pid, signal.SIGHUP)

    def _end(self, *_: Any) -> None:
        self._is_ending = True
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
