"""The functions of `time`: those of the wall, and those in their place while a thread has virtual time."""

from __future__ import annotations

import sys
from math import inf
from operator import index
from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.model.real_time import CLOCKS, WALL
from safelight.testing.virtual_time.others import traveller
from safelight.testing.virtual_time.thread_time import VirtualTime, virtual_time_of_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

#: Tools of tests, and libraries with loops of their own: whoever calls from these packages means the wall's time.
TOOLS: Final = frozenset({
    *("_pytest", "pytest", "pluggy", "hypothesis", "xdist", "execnet", "pytest_asyncio", "pytest_timeout"),
    *("uvicorn", "uvloop", "trio", "safelight"),
})  # fmt: skip

#: So do Python's own modules where they wait.
LEFT_ALONE: Final = sys.stdlib_module_names | TOOLS

#: Modules that follow the clock though their package does not: loops, and what the fake calls now.
_FOLLOWING: Final = frozenset({"asyncio.base_events", "safelight.mockserver.model.clock"})


#: Modules in which a thread waits for another one: they wait on behalf of whoever calls them.
_WAITING: Final = frozenset({"threading", "queue", "concurrent.futures._base"})


def virtual_time_of(caller: FrameType, left_alone: frozenset[str]) -> VirtualTime | None:
    """The virtual time that a call from this frame belongs to."""
    virtual_time = virtual_time_of_thread()
    if virtual_time is None:
        return None
    while (module := str(caller.f_globals.get("__name__"))) in _WAITING and caller.f_back:
        caller = caller.f_back
    return None if module.partition(".")[0] in left_alone and module not in _FOLLOWING else virtual_time


def date_for(caller: FrameType) -> float | None:
    """The date for a call from this frame, in seconds since the epoch; None: that of the wall.

    It is also that of Python's own modules: they wait by no date, but date messages and let cookies expire.
    """
    virtual_time = None if traveller() else virtual_time_of(caller, TOOLS)
    return virtual_time.now("time") if virtual_time else None


def _sleep(seconds: Any, /) -> None:
    __tracebackhide__ = True
    virtual_time = virtual_time_of(sys._getframe(1), LEFT_ALONE)  # noqa: SLF001 - the way to know who calls
    length = seconds if isinstance(seconds, float) else index(seconds)
    if virtual_time is None or not 0 <= length < inf:
        WALL["sleep"](seconds)  # which has its own words for what is no length
    else:
        virtual_time.sleep(length)


def _now_for(caller: FrameType, name: str) -> float | None:
    if name == "time":
        return date_for(caller)
    virtual_time = virtual_time_of(caller, LEFT_ALONE)
    return virtual_time.now(name) if virtual_time else None


def _reading(name: str) -> Callable[[], float]:
    seconds, is_ns = name.removesuffix("_ns"), name.endswith("_ns")

    def read() -> float:
        now = _now_for(sys._getframe(1), seconds)  # noqa: SLF001 - the way to know who calls
        if now is None:
            return WALL[name]()  # type: ignore[no-any-return]
        return round(now * 1_000_000_000) if is_ns else now

    return read


#: Function of a date -> how many arguments stand before the date, and what it is given for one in seconds.
_DATED: Final[Mapping[str, tuple[int, Callable[[float], Any]]]] = {
    "gmtime": (0, float),
    "localtime": (0, float),
    "ctime": (0, float),
    "asctime": (0, WALL["localtime"]),
    "strftime": (1, WALL["localtime"]),
}


def _dating(name: str) -> Callable[..., Any]:
    before, given_for = _DATED[name]

    def read(*given: Any) -> Any:
        is_now = given[before:] in ((), (None,))
        date = date_for(sys._getframe(1)) if is_now else None  # noqa: SLF001 - the way to know who calls
        return WALL[name](*given) if date is None else WALL[name](*given[:before], given_for(date))

    return read


_OURS: Final[Mapping[str, Callable[..., Any]]] = {
    "sleep": _sleep,
    **{name: _reading(name) for name in (*CLOCKS, *(f"{name}_ns" for name in CLOCKS))},
    **{name: _dating(name) for name in _DATED},
}

#: The real function -> the one in its place. Static, as the real ones are: in a class they do not become methods.
SHIMS: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    WALL[name]: staticmethod(ours) for name, ours in _OURS.items()
}
