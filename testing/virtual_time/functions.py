"""The functions of `time`: those of the wall, and those in their place while a thread has virtual time."""

from __future__ import annotations

import sys
from math import inf
from operator import index
from typing import TYPE_CHECKING, Any, Final

from safelight.testing.real_time import WALL
from safelight.testing.virtual_time.thread_time import VirtualTime, virtual_time_of_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

#: Whoever calls from these packages means the wall's time. Loops are the exception: they follow the clock.
LEFT_ALONE: Final = sys.stdlib_module_names | {
    *("_pytest", "pytest", "pluggy", "hypothesis", "xdist", "execnet", "pytest_asyncio", "pytest_timeout"),
    *("uvicorn", "uvloop", "trio", "safelight"),
}
_LOOPS: Final = "asyncio.base_events"


def _virtual_time_of(caller: FrameType) -> VirtualTime | None:
    """The virtual time that a call from this frame belongs to."""
    virtual_time = virtual_time_of_thread()
    if virtual_time is None:
        return None
    module = str(caller.f_globals.get("__name__"))
    return None if module.partition(".")[0] in LEFT_ALONE and module != _LOOPS else virtual_time


def _sleep(seconds: Any, /) -> None:
    __tracebackhide__ = True
    virtual_time = _virtual_time_of(sys._getframe(1))  # noqa: SLF001 - the way to know who calls
    length = seconds if isinstance(seconds, float) else index(seconds)
    if virtual_time is None or not 0 <= length < inf:
        WALL["sleep"](seconds)  # which has its own words for what is no length
    else:
        virtual_time.sleep(length)


def _reading(name: str) -> Callable[[], float]:
    seconds, is_ns = name.removesuffix("_ns"), name.endswith("_ns")

    def read() -> float:
        virtual_time = _virtual_time_of(sys._getframe(1))  # noqa: SLF001 - the way to know who calls
        if virtual_time is None:
            return WALL[name]()  # type: ignore[no-any-return]
        return round(virtual_time.now(seconds) * 1_000_000_000) if is_ns else virtual_time.now(seconds)

    return read


#: The real function -> the one in its place. Static, as the real ones are: in a class they do not become methods.
SHIMS: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    WALL["sleep"]: staticmethod(_sleep),
    **{WALL[name]: staticmethod(_reading(name)) for name in WALL if name != "sleep"},
}
