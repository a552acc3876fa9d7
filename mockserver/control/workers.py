"""The workers of control: its own, as those of the API may all be drawing pictures."""

from collections.abc import Callable
from typing import Final, TypeVar

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync

_MAX_WORKERS: Final = 2

_LIMITER: Final = RunVar[CapacityLimiter]("workers of control")

_Made = TypeVar("_Made")


async def in_worker(function: Callable[[], _Made]) -> _Made:
    """What the function gives, called in a worker of this event loop."""
    return await run_sync(function, limiter=_limiter())


def _limiter() -> CapacityLimiter:
    try:
        return _LIMITER.get()
    except LookupError:
        _LIMITER.set(limiter := CapacityLimiter(_MAX_WORKERS))
        return limiter
