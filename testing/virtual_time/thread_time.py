"""The virtual time of one thread: which clocks its sleeps move, and when they may."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

import pytest
from _pytest.outcomes import Failed

from safelight.testing.real_time import WALL

if TYPE_CHECKING:
    from safelight.mockserver.model.clock import VirtualClock

#: Sleeps that are skipped in one virtual_time. A client that sleeps more often is not going to end.
MOST_SLEEPS: Final = 10_000

#: Requests for which the clock may stand still; and a few of them, when they take so many seconds of the wall.
_MOST_UNMOVED: Final = 1_000
_FEW_UNMOVED: Final = 3
_LONG_UNMOVED: Final = 10.0

#: Seconds of the wall between two looks whether something has ended.
MOMENT: Final = 0.001

#: Seconds of the wall after which an exchange that does not end is not waited for.
FOR_EXCHANGES: Final = 5.0


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


@dataclass(eq=False)
class VirtualTime:
    """The virtual time of one thread, from the first block to the end of the last."""

    clocks: list[VirtualClock] = field(default_factory=list)
    hosts: list[Quiet] = field(default_factory=list)
    #: Function of `time` -> what it says where the clock says 0. Whole seconds, so that sums of sleeps stay exact.
    origins: dict[str, int] = field(default_factory=dict)
    #: Sleeps skipped so far.
    skipped: int = 0
    #: Pieces of work that a loop gave to threads, and that are not back.
    handed_over: int = 0
    #: A loop of this thread waits for its threads to end: that takes the wall's time.
    is_ending: bool = False
    #: Requests that came to nothing since the clock said this, and when on the wall the first of them came.
    unmoved: int = 0
    moment: float = 0.0
    since: float = 0.0
    thread: int = field(default_factory=get_ident)
    #: The loops that are moved, with their own selectors.
    loops: dict[Any, Any] = field(default_factory=dict)

    def now(self, name: str) -> float:
        """What the function of `time` says."""
        return self.origins[name] + self.clocks[0].now()

    def sleep(self, seconds: float) -> None:
        """Let time pass, once nothing is under way."""
        begun = WALL["monotonic"]()
        while self.has_exchanges(WALL["monotonic"]() - begun):
            WALL["sleep"](MOMENT)
        self.jump(seconds)

    def has_exchanges(self, waited: float) -> bool:
        """An exchange is under way that is worth waiting for, after so many seconds of the wall."""
        if self.is_quiet():
            return False
        if waited >= FOR_EXCHANGES:
            for host in self.hosts:
                host.give_up()
            return False
        return True

    def jump(self, seconds: float) -> None:
        """Let time pass at once. Fails the test when that has been done too often."""
        __tracebackhide__ = True
        self.skipped += 1
        if self.skipped > MOST_SLEEPS:
            self._give_up()
        for clock in dict.fromkeys(self.clocks):
            clock.advance(seconds)

    def returned(self) -> None:
        """A thread has done its work."""
        self.handed_over -= 1

    def waits_for_time(self) -> None:
        """A request came to nothing, as time has to pass. Fails the test where many do, and the clock stands still."""
        __tracebackhide__ = True
        moment, now = self.clocks[0].now(), WALL["monotonic"]()
        if moment != self.moment or not self.unmoved:
            self.unmoved, self.moment, self.since = 0, moment, now
        self.unmoved += 1
        waited = now - self.since
        if self.unmoved > _MOST_UNMOVED or (self.unmoved >= _FEW_UNMOVED and waited > _LONG_UNMOVED):
            self._stand_still()

    def _stand_still(self) -> None:
        """Fail the test: in its own thread, whichever one this is."""
        __tracebackhide__ = True
        number, self.unmoved = self.unmoved, 0
        if get_ident() == self.thread:
            raise _StoodStill(number)
        if VIRTUAL_TIMES.get(self.thread) is not self:  # the test has ended in the meantime
            return
        # The next thing that thread does is to raise this; an instance cannot be handed to it.
        raised = type("StoodStill", (_StoodStill,), {"__init__": lambda self: _StoodStill.__init__(self, number)})
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.thread), ctypes.py_object(raised))

    def _give_up(self) -> NoReturn:
        __tracebackhide__ = True
        sentence = (
            f"the client has slept {MOST_SLEEPS:,} times, {self.clocks[0].now():,.0f} s of the clock, and goes on: "
            "give it a deadline by time.monotonic, or the task a life that ends"
        )
        # Not an AssertionError: a client that goes on whatever is raised would go on.
        raise pytest.fail.Exception(sentence, pytrace=False)

    def is_quiet(self) -> bool:
        """No exchange is under way."""
        return all(host.is_quiet() for host in dict.fromkeys(self.hosts))


class _StoodStill(Failed):
    """The client asks and asks, and no time passes."""

    def __init__(self, number: int) -> None:
        sentence = (
            f"the client has sent {number:,} requests, and the clock stands still: it does not wait between them, or "
            "with something that does not move the clock, such as another thread or process, Event.wait or datetime; "
            "give speed=60, or polls=(1, 1)"
        )
        super().__init__(sentence, pytrace=False)


#: Thread -> its virtual_time.
VIRTUAL_TIMES: Final[dict[int, VirtualTime]] = {}


def virtual_time_of_thread() -> VirtualTime | None:
    """The virtual_time of the thread that asks, if it is patient."""
    return VIRTUAL_TIMES.get(get_ident())
