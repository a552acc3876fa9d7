"""Waits of a thread for another one, and `select` without files: where nothing can end them, they are sleeps.

Python's own classes wait in `Condition.wait`: `Event`, `Semaphore`, `Barrier`, `queue.Queue` and the futures of
`concurrent.futures`. While a thread of the client works, a wait takes the wall's time, as that thread does; when it has
lasted its whole time, as much time passes on the clock. What a thread ends earlier takes no time of the clock.
"""

from __future__ import annotations

import concurrent.futures.thread
import select
import sys
import threading
from math import inf
from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.model.real_time import WALL
from safelight.testing.virtual_time.functions import LEFT_ALONE, TOOLS, virtual_time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_WAIT: Final = threading.Condition.wait
_SELECT: Final = select.select

#: The function in which a thread of a pool waits for work.
_IDLE: Final = concurrent.futures.thread._worker.__code__  # noqa: SLF001 - no public way

#: It goes on until its deadline is past: one that is just there it would wait for without end.
_AS_COMPLETED: Final = concurrent.futures.as_completed.__code__
_PAST_SECONDS: Final = 1e-6

#: Packages whose threads end no wait of a client: those of tools, and the workers of the fake's own loop.
_NOT_OF_CLIENTS: Final = TOOLS | {"anyio"}

#: Seconds of the wall between two looks whether a thread of the client still works.
_LOOK_SECONDS: Final = 0.02


def _wait(self: threading.Condition, timeout: float | None = None) -> bool:
    __tracebackhide__ = True
    caller = sys._getframe(1)  # noqa: SLF001 - the way to know who calls
    virtual_time = virtual_time_of(caller, LEFT_ALONE)
    if timeout == 0 and caller.f_back and caller.f_back.f_code is _AS_COMPLETED:
        timeout = _PAST_SECONDS
    if virtual_time is None or timeout is None or not 0 < timeout < inf:
        return _WAIT(self, timeout)
    if _is_ended_by_others(self, timeout):
        return True
    virtual_time.sleep(timeout)
    return False


def _is_ended_by_others(condition: threading.Condition, seconds: float) -> bool:
    """Wait for so many seconds of the wall, and not longer than there is somebody to wait for."""
    until: float = WALL["monotonic"]() + seconds
    is_ended = _WAIT(condition, 0)
    while not is_ended and _others_work() and (left := until - WALL["monotonic"]()) > 0:
        is_ended = _WAIT(condition, min(left, _LOOK_SECONDS))
    return is_ended


def _others_work() -> bool:
    """A thread that may end what this one waits for is neither a tool's nor idle."""
    frames, here = sys._current_frames(), threading.current_thread()  # noqa: SLF001 - the way to see what threads do
    return any(
        thread is not here and _is_of_client(thread) and not _is_idle(frames.get(thread.ident or 0))
        for thread in threading.enumerate()
    )


def _is_of_client(thread: threading.Thread) -> bool:
    if isinstance(thread, threading._DummyThread):  # noqa: SLF001 - begun by no code in Python
        return False
    work = getattr(thread, "_target", None) or getattr(thread, "function", None) or type(thread)
    return str(getattr(work, "__module__", "")).partition(".")[0] not in _NOT_OF_CLIENTS


def _is_idle(frame: Any) -> bool:
    return frame is not None and frame.f_code is _IDLE


def _select(rlist: Any, wlist: Any, xlist: Any, timeout: Any = None, /) -> Any:
    __tracebackhide__ = True
    is_sleep = not (rlist or wlist or xlist) and isinstance(timeout, (int, float)) and 0 < timeout < inf
    virtual_time = virtual_time_of(sys._getframe(1), LEFT_ALONE) if is_sleep else None  # noqa: SLF001 - as above
    if virtual_time is None:
        return _SELECT(rlist, wlist, xlist, timeout)
    virtual_time.sleep(timeout)
    return [], [], []


#: The real function -> the one in its place.
SHIMS: Final[Mapping[Callable[..., Any], Any]] = {_SELECT: staticmethod(_select)}

#: Class and name of a method -> the real one, and the one in its place.
METHODS: Final[Mapping[tuple[type, str], tuple[Any, Any]]] = {(threading.Condition, "wait"): (_WAIT, _wait)}
