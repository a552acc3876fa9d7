"""Virtual time: a client that waits moves a virtual clock instead of waiting, and its own loop runs in no time.

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

from safelight.mockserver.model.clock import machine_date
from safelight.mockserver.model.real_time import CLOCKS, WALL
from safelight.testing.virtual_time.loops import move, move_back, running_loop
from safelight.testing.virtual_time.patches import READY, install, uninstall
from safelight.testing.virtual_time.thread_time import VIRTUAL_TIMES, Quiet, VirtualTime, virtual_time_of_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.mockserver.model.clock import VirtualClock

_CHANGING: Final = Lock()


def clock_in_use() -> VirtualClock | None:
    """The clock that this thread's sleeps move, if it has virtual time: another session has to live by the same."""
    virtual_time = virtual_time_of_thread()
    return virtual_time.clocks[0] if virtual_time else None


@contextmanager
def kept_ready() -> Iterator[None]:
    """While the block runs, ours stay in the place of the real functions: to put them there takes a millisecond.

    Threads without virtual time have the wall's by them. Blocks may be nested.
    """
    thread = get_ident()
    with _CHANGING:
        if not READY:
            install()
        READY.append(thread)
    try:
        yield
    finally:
        with _CHANGING:
            READY.remove(thread)
            if not READY:
                uninstall()


@contextmanager
def virtual_time(clock: VirtualClock, server: Quiet) -> Iterator[VirtualTime]:
    """While the block runs, the sleeps of this thread move the clock. Blocks may be nested.

    Gives the virtual time of the thread, whose `stands_still` is to be called for each poll that waits for time.
    """
    with kept_ready(), _moving(clock, server) as virtual_time:
        yield virtual_time


@contextmanager
def _moving(clock: VirtualClock, server: Quiet) -> Iterator[VirtualTime]:
    thread = get_ident()
    virtual_time = VIRTUAL_TIMES.setdefault(thread, VirtualTime())
    virtual_time.origins = virtual_time.origins or {name: ceil(WALL[name]() - clock.now()) for name in CLOCKS}
    virtual_time.clocks.append(clock)
    clock.read_date = virtual_time.date
    virtual_time.servers.append(server)
    if loop := running_loop():
        move(loop, virtual_time)
    try:
        yield virtual_time
    finally:
        virtual_time.clocks.remove(clock)
        virtual_time.servers.remove(server)
        if clock not in virtual_time.clocks:
            clock.read_date = machine_date
        if not virtual_time.clocks:
            del VIRTUAL_TIMES[thread]
            for loop in list(virtual_time.loops):
                move_back(loop, virtual_time)
