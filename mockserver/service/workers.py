"""The threads in which requests are answered that take more than a moment: no effort keeps another waiting."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from safelight.mockserver.service.effort import Effort

_Given = TypeVar("_Given")

#: More calls that compute would only be slower, each of them, and more to wait for at the end.
_PROCESSORS: Final = os.cpu_count() or 2

#: Calls at a time. Those that wait for a store may wait for a session that another process is in.
MAX_CALLS: Final[Mapping[Effort, int]] = {
    Effort.STORE: 8,
    Effort.CHECKING: _PROCESSORS,
    Effort.DRAWING: _PROCESSORS,
    Effort.CONTROL: 2,
}

_LIMITERS: Final[RunVar[Mapping[Effort, CapacityLimiter]]] = RunVar("limiters of worker threads")


async def in_worker(effort: Effort, call: Callable[[], _Given]) -> _Given:
    """What a call gives: made in a worker thread, or at once where it takes but a moment."""
    if effort is Effort.MOMENT:
        return call()
    return await to_thread.run_sync(call, limiter=_limiters()[effort])


def _limiters() -> Mapping[Effort, CapacityLimiter]:
    """Those of this event loop."""
    try:
        return _LIMITERS.get()
    except LookupError:
        _LIMITERS.set(made := {effort: CapacityLimiter(number) for effort, number in MAX_CALLS.items()})
        return made
