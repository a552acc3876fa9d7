"""Waiting for other threads, and for signals meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Any, Final

#: Seconds between two looks for a signal: it does not always wake a thread that waits for a lock.
_MOMENT: Final = 0.1


def await_all(running: Collection[Future[Any]]) -> None:
    """Wait until all have ended, or one has failed. A signal is handled within a moment."""
    while True:
        ended, others = wait(running, _MOMENT, FIRST_EXCEPTION)
        if not others or any(one.exception() for one in ended):
            return
