"""The patience of one thread: which clocks its sleeps move, and when they may."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.mockserver.clock import VirtualClock

#: The functions of `time` that say what time it is.
CLOCKS: Final = ("monotonic", "time", "perf_counter")

#: The wall's functions, whatever is installed.
WALL: Final[Mapping[str, Callable[..., Any]]] = {
    name: getattr(time, name) for name in ("sleep", *CLOCKS, *(f"{name}_ns" for name in CLOCKS))
}


#: Sleeps that are skipped in one stretch. A client that sleeps more often is not going to end.
MOST_SLEEPS: Final = 10_000

#: Seconds of the wall between two looks whether something has ended.
MOMENT: Final = 0.001

#: Seconds of the wall after which an exchange that does not end is not waited for.
FOR_EXCHANGES: Final = 5.0


class World(Protocol):
    """A fake whose exchanges are waited for."""

    def is_quiet(self) -> bool:
        """Nothing that was sent is still to be answered."""
        ...

    def is_ours(self, port: int) -> bool:
        """The fake listens on this port."""
        ...


@dataclass(eq=False)
class Stretch:
    """The patience of one thread, from the first block to the end of the last."""

    clocks: list[VirtualClock] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)
    #: Function of `time` -> what it says where the clock says 0. Whole seconds, so that sums of sleeps stay exact.
    origins: dict[str, int] = field(default_factory=dict)
    #: Sleeps skipped so far.
    skipped: int = 0
    #: Pieces of work that a loop gave to threads, and that are not back.
    handed_over: int = 0

    def now(self, name: str) -> float:
        """What the function of `time` says."""
        return self.origins[name] + self.clocks[0].now()

    def sleep(self, seconds: float) -> None:
        """Let time pass, once nothing is under way."""
        deadline = WALL["monotonic"]() + FOR_EXCHANGES
        while not self.is_quiet() and WALL["monotonic"]() < deadline:
            WALL["sleep"](MOMENT)
        self.jump(seconds)

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

    def _give_up(self) -> NoReturn:
        __tracebackhide__ = True
        sentence = (
            f"the client has slept {MOST_SLEEPS:,} times, {self.clocks[0].now():,.0f} s of the clock, and goes on: "
            "give it a deadline, or the task a life that ends"
        )
        raise pytest.fail.Exception(sentence, pytrace=False)

    def is_quiet(self) -> bool:
        """No exchange is under way."""
        return all(world.is_quiet() for world in self.worlds)


#: Thread -> its stretch.
STRETCHES: Final[dict[int, Stretch]] = {}


def stretch_of_thread() -> Stretch | None:
    """The stretch of the thread that asks, if it is patient."""
    return STRETCHES.get(get_ident())
