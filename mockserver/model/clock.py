"""Time is an argument. A clock is the only source of it.

It has two readings. By `now` the tasks of the fake move on, whoever else holds or moves the time of the process. `date`
is what the clients of the clock read as `time.time`: whatever the fake says as a date is computed from it.
"""

from __future__ import annotations

import time
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from safelight.mockserver.model.real_time import WALL

if TYPE_CHECKING:
    from collections.abc import Callable

from safelight.contracts.wording import shown


class Clock(Protocol):
    """Gives the time in seconds. Only differences mean anything, and it never goes back."""

    def now(self) -> float:
        """The time, in seconds."""
        ...

    def date(self) -> float:
        """What its clients read as `time.time`."""
        ...


def machine_date() -> float:
    """What this process reads as `time.time`, be it that of the machine or another."""
    try:
        return time.time()  # looked up each time, as a suite may replace it
    except IndexError:  # by freezegun, which stops at this moment in another thread
        return WALL["time"]()  # type: ignore[no-any-return]


class RealClock:
    """The wall's time, or that many times faster: at 60, a task of a minute takes a second."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = _checked_speed(speed)
        self._start = self._date = float(WALL["time"]())
        self._origin: float = WALL["monotonic"]()

    def now(self) -> float:
        """Seconds since the epoch at the start, then seconds of this clock."""
        passed: float = WALL["monotonic"]() - self._origin
        return self._start + self._speed * passed

    def date(self) -> float:
        """The machine's date, whatever the speed: its clients live by that."""
        return machine_date()

    def kept(self) -> list[float]:
        """Its time at the start, the machine's at that moment, and its speed: as true in another process."""
        return [self._start, self._date, self._speed]

    @classmethod
    def restored(cls, kept: list[float]) -> RealClock:
        """The clock that this was kept of."""
        clock = cls(kept[2])
        clock._start, clock._date, _ = kept
        clock._origin = _origin(clock._date)
        return clock


def _origin(date: float) -> float:
    """What the monotonic clock of this process showed at a date."""
    monotonic: float = WALL["monotonic"]()
    passed: float = WALL["time"]() - date
    return monotonic - passed


#: Seconds that no clock is ever advanced at once: a thousand years.
_MAX_ADVANCE_SECONDS: Final = 10**11


class AdjustableClock:
    """The wall's time, whose speed may change on the way: faster, slower, or frozen. It leaps forward, never back."""

    def __init__(self, speed: float = 1.0) -> None:
        self._lock = Lock()
        self._is_frozen = False
        #: The machine's date when it was last turned.
        self._date = float(WALL["time"]())
        self._speed = _checked_speed(speed)
        #: Its own time then, that of the machine's monotonic clock, and seconds for each of the wall's since then: one
        #: value, so that it is read without the lock.
        self._line: tuple[float, float, float] = self._date, WALL["monotonic"](), self._speed

    @property
    def speed(self) -> float:
        """Seconds for each of the wall's, while it is not frozen."""
        return self._speed

    @property
    def is_frozen(self) -> bool:
        """It stands still."""
        return self._is_frozen

    def now(self) -> float:
        """Seconds since the epoch at the start, then seconds of this clock."""
        while True:
            line = self._line
            begun, origin, speed = line
            passed: float = WALL["monotonic"]() - origin
            if line is self._line:  # it was not turned meanwhile
                return begun + speed * passed

    def date(self) -> float:
        """The machine's date, whatever the speed: its clients live by that."""
        return machine_date()

    def kept(self) -> list[float | bool]:
        """Its time when it was last turned, the machine's at that moment, its speed and whether it is frozen.

        That is as true in another process, and stays the same while nobody turns it.
        """
        with self._lock:
            return [self._line[0], self._date, self._speed, self._is_frozen]

    @classmethod
    def restored(cls, kept: list[Any]) -> AdjustableClock:
        """The clock that this was kept of."""
        clock = cls(kept[2])
        begun, clock._date, speed, clock._is_frozen = kept
        clock._line = begun, _origin(clock._date), 0.0 if clock._is_frozen else speed
        return clock

    def advance(self, seconds: float) -> None:
        """Leap ahead. It does not go back: negative seconds are refused."""
        ahead = _checked_seconds(seconds)
        with self._lock:
            begun, origin, speed = self._line
            self._line = begun + ahead, origin, speed

    def scale(self, factor: float) -> None:
        """From now on, run at this speed: 60 lets a minute pass in a second."""
        speed = _checked_speed(factor)
        with self._lock:
            self._turn(speed, is_frozen=self._is_frozen)

    def freeze(self, frozen: bool = True) -> None:  # noqa: FBT001, FBT002 - clock.freeze(False) says what it does
        """Stand still, or with False go on from there."""
        with self._lock:
            self._turn(self._speed, is_frozen=frozen)

    def _turn(self, speed: float, *, is_frozen: bool) -> None:
        """Go on like this; what it has run so far, it keeps."""
        (begun, origin, before), wall = self._line, WALL["monotonic"]()
        self._date, self._speed, self._is_frozen = WALL["time"](), speed, is_frozen
        self._line = begun + before * (wall - origin), wall, 0.0 if is_frozen else speed


class VirtualClock:
    """Stands still until somebody advances it."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now
        self._lock = Lock()
        #: How its clients read the date: those that it moves with their sleeps read it with them.
        self.read_date: Callable[[], float] = machine_date

    def now(self) -> float:
        """Where it was advanced to."""
        return self._now

    def date(self) -> float:
        """The date as its clients read it."""
        return self.read_date()

    def kept(self) -> float:
        """Its time."""
        return self._now

    @classmethod
    def restored(cls, kept: float) -> VirtualClock:
        """The clock that this was kept of."""
        return cls(kept)

    def advance(self, seconds: float) -> None:
        """Let time pass. It does not go back: negative seconds are refused."""
        ahead = _checked_seconds(seconds)
        with self._lock:
            self._now += ahead


def _checked_seconds(seconds: object) -> float:
    if not isinstance(seconds, int | float) or not 0 <= seconds < _MAX_ADVANCE_SECONDS:
        raise ValueError(f"a clock cannot be advanced by {shown(seconds)} s: give 0 or more")
    return seconds


def _checked_speed(speed: float) -> float:
    if not 0 < speed < inf:
        raise ValueError(f"a clock cannot run at {shown(speed)} times the speed: give a number above 0")
    return speed
