"""How many exchanges are under way, and which of them are silent for a while."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(eq=False, slots=True)
class _Silence:
    """Seconds that are still to pass, and how to say that they have."""

    seconds: float
    end: Callable[[], object]


class InFlight:
    """Entered with the first byte of a request, left with the last of its answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        #: Exchanges under way that go on without anything else having to happen.
        self.open = 0
        self._silences: list[_Silence] = []

    def __enter__(self) -> Self:
        with self._lock:
            self.open += 1
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.open -= 1

    @contextmanager
    def silence(self, seconds: float = inf, end: Callable[[], object] = lambda: None) -> Iterator[None]:
        """While the block runs, the exchange waits for time to pass. `end` is called once so much virtual time has."""
        silence = _Silence(seconds, end)
        with self._lock:
            self.open -= 1
            self._silences.append(silence)
        try:
            yield
        finally:
            with self._lock:
                self._end(silence)

    def next_end(self) -> float:
        """Seconds after which the first silence ends."""
        with self._lock:
            return min((silence.seconds for silence in self._silences), default=inf)

    def pass_time(self, seconds: float) -> None:
        """End the silences that are over when so much virtual time has passed: their exchanges go on."""
        with self._lock:
            for silence in list(self._silences):
                silence.seconds -= seconds
                if silence.seconds <= 0:
                    self._end(silence)
                    silence.end()

    def _end(self, silence: _Silence) -> None:
        if silence in self._silences:
            self._silences.remove(silence)
            self.open += 1
