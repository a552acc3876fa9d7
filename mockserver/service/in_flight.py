"""How many exchanges are under way."""

from __future__ import annotations

from threading import Lock
from typing import Self


class InFlight:
    """Entered with the first byte of a request, left with the last of its answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        #: Exchanges under way.
        self.open = 0

    def __enter__(self) -> Self:
        with self._lock:
            self.open += 1
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.open -= 1
