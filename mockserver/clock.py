"""Time is an argument. A clock is the only source of it."""

from __future__ import annotations

import reprlib
import time
from threading import Lock
from typing import Final, Protocol


class Clock(Protocol):
    """Says what time it is, in seconds. Only differences mean anything, and it never goes back."""

    def now(self) -> float:
        """The time, in seconds."""
        ...


class RealClock:
    """The wall's time, or that many times faster: at 60, a task of a minute takes a second."""

    def __init__(self, speed: float = 1.0) -> None:
        if not 0 < speed < float("inf"):
            raise ValueError(f"a clock cannot run at {speed} times the speed: give a number above 0")
        self._start = time.time()
        self._origin = time.monotonic()
        self._speed = speed

    def now(self) -> float:
        """Seconds since the epoch at the start, then seconds of this clock."""
        return self._start + self._speed * (time.monotonic() - self._origin)


#: Seconds that no clock is ever advanced at once: a thousand years.
_FAR: Final = 10**11


class VirtualClock:
    """Stands still until somebody advances it."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now
        self._lock = Lock()

    def now(self) -> float:
        """Where it was advanced to."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass. It does not go back: negative seconds are refused."""
        given: object = seconds
        if not isinstance(given, int | float) or not 0 <= seconds < _FAR:
            raise ValueError(f"a clock cannot be advanced by {reprlib.repr(seconds)} s: give 0 or more")
        with self._lock:
            self._now += seconds
