"""Patience: a client that waits moves a virtual clock instead of waiting, and its own loop runs in no time.

It holds for one thread, that of the test, while a block runs:

- `time.sleep` moves the clock on, and `time.monotonic`, `time.time` and `time.perf_counter` agree with it, also where
  a module took the names from `time` before. Python's own modules and test tools keep the wall's time: what they wait
  for is not of this clock. Other threads keep it too.
- An asyncio loop of this thread reads its time from the clock, so whatever it has planned follows: `asyncio.sleep`,
  `anyio.sleep`, `asyncio.timeout`, `wait_for`, `call_later`. Where the loop would wait for the next of them, the clock
  jumps there: sleeps end in the order in which they would have ended, and parallel ones together.

Time jumps only when nothing else can happen: nothing has come in for the loop, and no exchange of the fake is under
way, be it in the server's thread. That is found out by asking the server to take in what has been sent to it.
Whatever else a loop waits for, another server or a thread that it handed work to, has a moment of the wall's time.
"""

from __future__ import annotations

from contextlib import contextmanager
from math import ceil
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Final

from safelight.mockserver.patience.loops import move, move_back, running_loop
from safelight.mockserver.patience.places import install, uninstall
from safelight.mockserver.patience.stretch import STRETCHES, Quiet, Stretch, stretch_of_thread
from safelight.mockserver.wall import CLOCKS, WALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.mockserver.clock import VirtualClock

_CHANGING: Final = Lock()


def clock_in_use() -> VirtualClock | None:
    """The clock that this thread's sleeps move, if it is patient: another session has to live by the same."""
    stretch = stretch_of_thread()
    return stretch.clocks[0] if stretch else None


@contextmanager
def patience(clock: VirtualClock, host: Quiet) -> Iterator[Stretch]:
    """While the block runs, the sleeps of this thread move the clock. Blocks may be nested.

    Gives the patience of the thread, which wants to be told of each exchange.
    """
    thread = get_ident()
    with _CHANGING:
        if not STRETCHES:
            install()
        stretch = STRETCHES.setdefault(thread, Stretch())
    stretch.origins = stretch.origins or {name: ceil(WALL[name]() - clock.now()) for name in CLOCKS}
    stretch.clocks.append(clock)
    stretch.hosts.append(host)
    if loop := running_loop():
        move(loop, stretch)
    try:
        yield stretch
    finally:
        stretch.clocks.remove(clock)
        stretch.hosts.remove(host)
        with _CHANGING:
            if not stretch.clocks:
                del STRETCHES[thread]
                for loop in list(stretch.loops):
                    move_back(loop, stretch)
            if not STRETCHES:
                uninstall()
