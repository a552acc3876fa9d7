"""The virtual time of one thread: which clocks its sleeps move, and when they may."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

import pytest

from safelight.mockserver.model.clock import machine_date
from safelight.mockserver.model.real_time import WALL
from safelight.testing.virtual_time.others import holder, move_along

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safelight.mockserver.model.clock import VirtualClock

#: Sleeps that are skipped in one virtual time. A client that sleeps more often is not going to end.
MAX_SLEEPS: Final = 10_000

#: Seconds of the wall after which fewer are enough: a client that polls between its sleeps takes minutes for all those.
MAX_WALL_SECONDS: Final = 20.0
_MANY_SLEEPS: Final = 500

#: Polls for which the clock may stand still; and seconds of the wall, once there are a few polls.
MAX_UNMOVED_POLLS: Final = 1_000
MAX_UNMOVED_SECONDS: Final = 2.0
_FEW_POLLS: Final = 3

#: Seconds of the wall between two polls that are a wait of the client's, and how many of those are no chance.
LONG_SECONDS: Final = 1.0
_MANY_WAITS: Final = 2

#: Seconds of the wall between two looks whether something has ended.
MOMENT: Final = 0.001

#: Seconds of the wall that an exchange is waited for.
MAX_EXCHANGE_SECONDS: Final = 5.0


class Quiet(Protocol):
    """A fake whose exchanges are waited for."""

    def is_quiet(self) -> bool:
        """Nothing that was sent is still to be answered."""
        ...

    def give_up(self) -> None:
        """What is under way now is not waited for any longer."""
        ...

    def is_ours(self, port: int) -> bool:
        """The fake listens on this port."""
        ...

    def next_end(self) -> float:
        """Seconds after which an answer goes on that is late or slow."""
        ...

    def pass_time(self, seconds: float) -> None:
        """So much virtual time has passed: answers go on."""
        ...


@dataclass(eq=False)
class VirtualTime:
    """The virtual time of one thread, from the first block to the end of the last."""

    clocks: list[VirtualClock] = field(default_factory=list)
    servers: list[Quiet] = field(default_factory=list)
    #: Function of `time` -> what it says where the clock says 0. Whole seconds, so that sums of sleeps stay exact.
    origins: dict[str, int] = field(default_factory=dict)
    #: When on the wall it began, and sleeps skipped so far.
    begun: float = field(default_factory=WALL["perf_counter"])
    skipped: int = 0
    #: Whether nobody sends over a socket: all exchanges are over when this thread sleeps.
    is_alone: Callable[[], bool] = lambda: False
    #: Seconds of the clock after which the client should have ended.
    latest: float = inf
    #: Sleeps that are skipped before it is stopped.
    max_sleeps: int = MAX_SLEEPS
    #: Pieces of work that a loop gave to threads, and that are not back.
    handed_over: int = 0
    #: A loop of this thread waits for its threads to end: that takes the wall's time.
    is_ending: bool = False
    #: Polls that came to nothing since the clock said this, and when on the wall the first of them came.
    unmoved: int = 0
    moment: float = 0.0
    since: float = 0.0
    #: When on the wall the last poll came, what the clock said, and the client's waits that did not move it.
    polled_at: tuple[float, float] = (inf, 0.0)
    real_waits: list[float] = field(default_factory=list)
    #: Why the client was not going to end, in a sentence: the test fails with it.
    failure: str = ""
    #: The loops that are moved, with their own selectors.
    loops: dict[Any, Any] = field(default_factory=dict)

    def now(self, name: str) -> float:
        """What the function of `time` says."""
        return self.origins[name] + self.clocks[0].now()

    def date(self) -> float:
        """What its client reads as `time.time`, whichever thread asks: a library may hold it."""
        with self._entered():
            return machine_date()

    @contextmanager
    def _entered(self) -> Iterator[None]:
        """While the block runs, this thread has this virtual time."""
        thread = get_ident()
        before = VIRTUAL_TIMES.get(thread)
        VIRTUAL_TIMES[thread] = self
        try:
            yield
        finally:
            if before:
                VIRTUAL_TIMES[thread] = before
            else:
                del VIRTUAL_TIMES[thread]

    def sleep(self, seconds: float) -> None:
        """Let time pass, once nothing is under way."""
        __tracebackhide__ = True
        begun = WALL["perf_counter"]()
        while self.has_exchanges(WALL["perf_counter"]() - begun):
            WALL["sleep"](MOMENT)
        if seconds == inf:
            self.fail("the client waits for ever for an answer that does not come: give it a read time-out")
        self.jump(seconds)

    def has_exchanges(self, waited: float) -> bool:
        """An exchange is under way that is worth waiting for, after so many seconds of the wall."""
        if self.is_quiet():
            return False
        if waited >= MAX_EXCHANGE_SECONDS:
            for server in self.servers:
                server.give_up()
            return False
        return True

    def next_end(self) -> float:
        """Seconds after which an answer of a fake goes on that is late or slow."""
        return min((server.next_end() for server in self.servers), default=inf)

    def pass_time(self, seconds: float) -> None:
        """Let time pass at once, for the clocks and for the fakes that wait."""
        for clock in dict.fromkeys(self.clocks):
            clock.advance(seconds)
        for server in dict.fromkeys(self.servers):
            server.pass_time(seconds)
        move_along(seconds)

    def jump(self, seconds: float) -> None:
        """Skip a sleep. When that has been done too often, the client is stopped, and the test fails.

        Time passes nevertheless: a client that goes on whatever is raised may have a deadline.
        """
        __tracebackhide__ = True
        self.pass_time(seconds)
        self.skipped += 1
        if self.clocks[0].now() > self.latest:
            self.fail(f"the client goes on after {self.latest:,.0f} s, which is past its deadline")
        waited = WALL["perf_counter"]() - self.begun
        if self.skipped > self.max_sleeps or (self.skipped > _MANY_SLEEPS and waited > MAX_WALL_SECONDS):
            self.fail(
                f"the client has slept {self.skipped:,} times, {self.clocks[0].now():,.0f} s of the clock, and goes "
                f"on: {_way_out()}"
            )

    def fail(self, sentence: str) -> NoReturn:
        """Stop a client that is not going to end. Whoever goes on after this too fails at the end of the test."""
        __tracebackhide__ = True
        self.failure = self.failure or sentence
        # Not an AssertionError, which more clients go on after.
        raise pytest.fail.Exception(sentence, pytrace=False)

    def returned(self) -> None:
        """A thread has done its work."""
        self.handed_over -= 1

    def take_poll(self) -> None:
        """A poll came: perhaps long after the one before it, while the clock stood still."""
        now, moment = WALL["perf_counter"](), self.clocks[0].now()
        before, earlier = self.polled_at
        if moment == earlier and now - before >= LONG_SECONDS:
            self.real_waits.append(now - before)
        self.polled_at = now, moment

    @property
    def slowness(self) -> str:
        """Why the test took real time, and what would make it quick, in a sentence; or nothing."""
        if len(self.real_waits) < _MANY_WAITS:
            return ""
        return (
            f"the client waited {sum(self.real_waits):.0f} s of real time between its polls: in another thread or "
            "process, or with something else that does not move the clock; let it poll more often in this test"
        )

    def stands_still(self) -> bool:
        """A poll came to nothing, as time has to pass. Gives whether too many did while the clock stood still."""
        moment, now = self.clocks[0].now(), WALL["perf_counter"]()
        if moment != self.moment or not self.unmoved:
            self.unmoved, self.moment, self.since = 0, moment, now
        self.unmoved += 1
        waited = now - self.since
        if self.unmoved > MAX_UNMOVED_POLLS or (self.unmoved >= _FEW_POLLS and waited > MAX_UNMOVED_SECONDS):
            self.failure = self.failure or (
                f"the client has sent {self.unmoved:,} requests, and the clock stood still: it does not wait between "
                "them, or in another thread or process, or with something else that does not move the clock, such as a "
                "loop of uvloop; give speed=60, or polls=(1, 1)"
            )
        return bool(self.failure)

    def is_quiet(self) -> bool:
        """No exchange is under way."""
        if self.is_alone() and not self.loops:
            return True
        return all(server.is_quiet() for server in dict.fromkeys(self.servers))


def _way_out() -> str:
    """What ends a client that sleeps for ever."""
    if library := holder():
        return f"{library} lets time stand still, so that no deadline comes; give it tick=True"
    return "give it a deadline by time.monotonic, or the task a timeline that ends"


#: Thread -> its virtual time.
VIRTUAL_TIMES: Final[dict[int, VirtualTime]] = {}


#: Seconds of the wall that are slept at once: more than some would be refused.
_DAY: Final = 86_400.0


def sleep_in_thread(seconds: float) -> None:
    """Let so many seconds pass for this thread, or all there are: its virtual ones where it has some."""
    __tracebackhide__ = True
    if virtual_time := virtual_time_of_thread():
        virtual_time.sleep(seconds)
        return
    while seconds > 0:
        WALL["sleep"](min(seconds, _DAY))
        seconds -= _DAY


def virtual_time_of_thread() -> VirtualTime | None:
    """The virtual time of the thread that asks, if it has some."""
    return VIRTUAL_TIMES.get(get_ident())
