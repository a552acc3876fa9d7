"""Patience: a client that waits moves a virtual clock instead of waiting, and its own loop runs in no time.

It holds for one thread, that of the test, while a block runs:

- `time.sleep` moves the clock on, and `time.monotonic`, `time.time` and `time.perf_counter` agree with it, also where
  a module took the names from `time` before. Python's own modules and test tools keep the wall's time: what they wait
  for is not of this clock. Other threads keep it too.
- An asyncio loop of this thread reads its time from the clock, so whatever it has planned follows: `asyncio.sleep`,
  `anyio.sleep`, `asyncio.timeout`, `wait_for`, `call_later`. Where the loop would wait for the next of them, the clock
  jumps there: sleeps end in the order in which they would have ended, and parallel ones together.

Time jumps only when nothing else can happen: nothing has come in for the loop, and no exchange of the fake is under
way, be it in the server's thread. That is found out by asking the server to take in what has been sent to it.
Whatever else a loop waits for, another server or a thread that it handed work to, has a moment of the wall's time.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from math import ceil, inf
from operator import index
from threading import Lock, get_ident
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol
from weakref import WeakKeyDictionary

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    from safelight.mockserver.clock import VirtualClock

#: Sleeps that are skipped in one stretch. A client that sleeps more often is not going to end.
MOST_SLEEPS: Final = 10_000

#: Seconds of the wall between two looks whether an exchange has ended.
_MOMENT: Final = 0.001

#: Seconds of the wall that others have, before each jump: servers that are not ours, and threads with work of a loop.
_FOR_SERVERS: Final = 0.05
_FOR_THREADS: Final = 1.0

#: Seconds of the wall after which an exchange that does not end is not waited for.
_FOR_EXCHANGES: Final = 5.0

#: Whoever calls from these packages means the wall's time. Loops are asked for by name: they follow the clock.
_LEFT_ALONE: Final = sys.stdlib_module_names | {
    *("_pytest", "pytest", "pluggy", "hypothesis", "xdist", "execnet", "pytest_asyncio", "pytest_timeout"),
    *("uvicorn", "uvloop", "trio", "safelight"),
}
_LOOPS: Final = "asyncio.base_events"


class World(Protocol):
    """A fake whose exchanges are waited for."""

    def is_quiet(self) -> bool:
        """Nothing that was sent is still to be answered."""
        ...

    def is_ours(self, port: int) -> bool:
        """The fake listens on this port."""
        ...


@dataclass(eq=False)
class _Stretch:
    """The patience of one thread, from the first block to the end of the last."""

    clocks: list[VirtualClock] = field(default_factory=list)
    worlds: list[World] = field(default_factory=list)
    #: Function of `time` -> what it says where the clock says 0. Whole seconds, so that sums of sleeps stay exact.
    origins: dict[str, int] = field(default_factory=dict)
    #: Sleeps skipped so far.
    skipped: int = 0
    #: Pieces of work that a loop gave to threads, and that are not back.
    handed_over: int = 0

    def now(self, name: str) -> float:
        """What the function of `time` says."""
        return self.origins[name] + self.clocks[0].now()

    def sleep(self, seconds: float) -> None:
        """Let time pass, once nothing is under way."""
        deadline = _WALL["monotonic"]() + _FOR_EXCHANGES
        while not self.is_quiet() and _WALL["monotonic"]() < deadline:
            _WALL["sleep"](_MOMENT)
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        """Let time pass at once. Fails the test when that has been done too often."""
        __tracebackhide__ = True
        self.skipped += 1
        if self.skipped > MOST_SLEEPS:
            self._give_up()
        for clock in dict.fromkeys(self.clocks):
            clock.advance(seconds)

    def returned(self) -> None:
        """A thread has done its work."""
        self.handed_over -= 1

    def _give_up(self) -> NoReturn:
        __tracebackhide__ = True
        sentence = (
            f"the client has slept {MOST_SLEEPS:,} times, {self.clocks[0].now():,.0f} s of the clock, and goes on: "
            "give it a deadline, or the task a life that ends"
        )
        raise pytest.fail.Exception(sentence, pytrace=False)

    def is_quiet(self) -> bool:
        """No exchange is under way."""
        return all(world.is_quiet() for world in self.worlds)


#: Thread -> its stretch.
_STRETCHES: Final[dict[int, _Stretch]] = {}

_CHANGING: Final = Lock()


def is_active() -> bool:
    """This thread is patient."""
    return get_ident() in _STRETCHES


def clock_in_use() -> VirtualClock | None:
    """The clock that this thread's sleeps move, if it is patient: another session has to live by the same."""
    stretch = _STRETCHES.get(get_ident())
    return stretch.clocks[0] if stretch else None


@contextmanager
def patience(clock: VirtualClock, world: World) -> Iterator[None]:
    """While the block runs, the sleeps of this thread move the clock. Blocks may be nested."""
    thread = get_ident()
    with _CHANGING:
        if not _STRETCHES:
            _install()
        stretch = _STRETCHES.setdefault(thread, _Stretch())
    stretch.origins = stretch.origins or {name: ceil(_WALL[name]() - clock.now()) for name in _CLOCKS}
    stretch.clocks.append(clock)
    stretch.worlds.append(world)
    try:
        with _running_loop_moved(stretch):
            yield
    finally:
        stretch.clocks.remove(clock)
        stretch.worlds.remove(world)
        with _CHANGING:
            if not stretch.clocks:
                del _STRETCHES[thread]
            if not _STRETCHES:
                _uninstall()


# --- the functions of `time` -----------------------------------------------------------------------------------------

_CLOCKS: Final = ("monotonic", "time", "perf_counter")

#: The wall's functions, whatever is installed.
_WALL: Final[Mapping[str, Callable[..., Any]]] = {
    name: getattr(time, name) for name in ("sleep", *_CLOCKS, *(f"{name}_ns" for name in _CLOCKS))
}


def _stretch_of(caller: FrameType) -> _Stretch | None:
    """The stretch that a call from this frame belongs to."""
    stretch = _STRETCHES.get(get_ident())
    if stretch is None:
        return None
    module = str(caller.f_globals.get("__name__"))
    return None if module.partition(".")[0] in _LEFT_ALONE and module != _LOOPS else stretch


def _sleep(seconds: Any, /) -> None:
    __tracebackhide__ = True
    stretch = _stretch_of(sys._getframe(1))  # noqa: SLF001 - the way to know who calls
    length = seconds if isinstance(seconds, float) else index(seconds)
    if stretch is None or not 0 <= length < inf:
        _WALL["sleep"](seconds)  # which has its own words for what is no length
    else:
        stretch.sleep(length)


def _reading(name: str) -> Callable[[], float]:
    def read() -> float:
        stretch = _stretch_of(sys._getframe(1))  # noqa: SLF001 - as above
        return _WALL[name]() if stretch is None else stretch.now(name)

    return read


def _reading_ns(name: str) -> Callable[[], int]:
    def read() -> int:
        stretch = _stretch_of(sys._getframe(1))  # noqa: SLF001 - as above
        return _WALL[f"{name}_ns"]() if stretch is None else round(stretch.now(name) * 1_000_000_000)

    return read


# --- loops -----------------------------------------------------------------------------------------------------------


class _Jumping:
    """The selector of a loop: where it would wait for the loop's next deadline, time jumps there."""

    def __init__(self, loop: Any, selector: Any, stretch: _Stretch) -> None:
        self._loop, self._selector, self._stretch = loop, selector, stretch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._selector, name)

    def select(self, timeout: float | None = None) -> Any:
        """As a selector's, but nobody waits for time to pass."""
        if not timeout or self._is_for_ever():
            return self._selector.select(timeout)
        events = self._selector.select(0) or self._others()
        if not events:
            self._stretch.jump(timeout)
        return events

    def _is_for_ever(self) -> bool:
        """The loop's next deadline is none: somebody sleeps until something else happens."""
        planned = self._loop._scheduled  # noqa: SLF001 - there is no public way to it
        return bool(planned) and planned[0].when() == inf

    def _others(self) -> Any:
        """What comes in as long as anything can: from the fake at once, from others in a moment."""
        begun = _WALL["monotonic"]()
        while True:
            wait = self._wait(_WALL["monotonic"]() - begun)
            events = self._selector.select(wait)
            if events or not wait:
                return events

    def _wait(self, waited: float) -> float:
        """Seconds of the wall until another look; 0: nothing is to come."""
        if waited < _FOR_EXCHANGES and not self._stretch.is_quiet():
            return _MOMENT
        if waited < _FOR_THREADS and self._stretch.handed_over:
            return _MOMENT
        return _MOMENT if waited < _FOR_SERVERS and self._has_foreign() else 0

    def _has_foreign(self) -> bool:
        """The loop listens to something that is neither ours nor its own way to wake up."""
        wakes = self._loop._ssock.fileno()  # noqa: SLF001 - as above
        return any(key.fd != wakes and not self._is_ours(key.fd) for key in self._selector.get_map().values())

    def _is_ours(self, fd: int) -> bool:
        with suppress(OSError), socket.socket(fileno=os.dup(fd)) as probe:
            peer: Any = probe.getpeername()
            return any(world.is_ours(peer[1]) for world in self._stretch.worlds if isinstance(peer, tuple))
        return False


@contextmanager
def _moved(loop: Any, stretch: _Stretch) -> Iterator[None]:
    """While the block runs, this loop's time jumps. A loop of another make has no selector, and is refused later."""
    selector = getattr(loop, "_selector", None)
    if not hasattr(selector, "get_map") or isinstance(selector, _Jumping):
        yield
        return
    loop._selector = _Jumping(loop, selector, stretch)  # noqa: SLF001 - there is no public way to it
    try:
        yield
    finally:
        loop._selector = selector  # noqa: SLF001 - as above


def _running_loop_moved(stretch: _Stretch) -> Any:
    """Patience may begin within a loop."""
    try:
        return _moved(asyncio.get_running_loop(), stretch)
    except RuntimeError:
        return ExitStack()


_RUN_FOREVER: Final = asyncio.BaseEventLoop.run_forever
_RUN_IN_EXECUTOR: Final = asyncio.BaseEventLoop.run_in_executor
_SHUTDOWN_DEFAULT_EXECUTOR: Final = asyncio.BaseEventLoop.shutdown_default_executor
_ASYNCIO_SLEEP: Final = asyncio.sleep


def _run_forever(self: asyncio.BaseEventLoop) -> None:
    stretch = _STRETCHES.get(get_ident())
    with _moved(self, stretch) if stretch else ExitStack():
        _RUN_FOREVER(self)


def _run_in_executor(self: asyncio.BaseEventLoop, executor: Any, func: Any, *args: Any) -> Any:
    future = _RUN_IN_EXECUTOR(self, executor, func, *args)
    if stretch := _STRETCHES.get(get_ident()):
        stretch.handed_over += 1
        future.add_done_callback(lambda _: stretch.returned())
    return future


async def _shutdown_default_executor(self: asyncio.BaseEventLoop, *args: Any) -> None:
    """A loop that ends waits for its threads, with a deadline of its own."""
    stretch = _STRETCHES.get(get_ident(), _Stretch())
    stretch.handed_over += 1
    try:
        await _SHUTDOWN_DEFAULT_EXECUTOR(self, *args)
    finally:
        stretch.returned()


async def _asyncio_sleep(delay: float, result: Any = None) -> Any:
    if is_active() and not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
        kind = type(asyncio.get_running_loop()).__module__.partition(".")[0]
        sentence = f"patience cannot move a loop of {kind}: let the test run on asyncio's own, or give speed=60"
        raise pytest.fail.Exception(sentence, pytrace=False)
    return await _ASYNCIO_SLEEP(delay, result)


# --- what is replaced while there is patience ------------------------------------------------------------------------

#: The real function -> the one in its place, wherever a module has it.
_SHIMS: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    _WALL["sleep"]: _sleep,
    _ASYNCIO_SLEEP: _asyncio_sleep,
    **{_WALL[name]: _reading(name) for name in _CLOCKS},
    **{_WALL[f"{name}_ns"]: _reading_ns(name) for name in _CLOCKS},
}

#: Method of asyncio's loops -> the real one, and the one in its place.
_METHODS: Final[Mapping[str, tuple[Any, Any]]] = {
    "run_forever": (_RUN_FOREVER, _run_forever),
    "run_in_executor": (_RUN_IN_EXECUTOR, _run_in_executor),
    "shutdown_default_executor": (_SHUTDOWN_DEFAULT_EXECUTOR, _shutdown_default_executor),
}

_BY_ID: Final = {id(real): (real, shim) for real, shim in _SHIMS.items()}

#: Module -> how many names it had when it was looked through, and which of them are replaced.
_LOOKED_THROUGH: Final[WeakKeyDictionary[ModuleType, tuple[int, list[str]]]] = WeakKeyDictionary()

#: The modules that define them: of Python's own, they alone.
_SOURCES: Final = (time, asyncio, asyncio.tasks)

_REPLACED: Final[list[tuple[dict[str, Any], str]]] = []


def _install() -> None:
    for name, (_, ours) in _METHODS.items():
        setattr(asyncio.BaseEventLoop, name, ours)
    for module in [*_SOURCES, *_foreign_modules()]:
        names = vars(module)
        for name in _names_in(module):
            if found := _BY_ID.get(id(names.get(name))):
                names[name] = found[1]
                _REPLACED.append((names, name))


def _uninstall() -> None:
    for name, (real, _) in _METHODS.items():
        setattr(asyncio.BaseEventLoop, name, real)
    originals = {id(shim): real for real, shim in _SHIMS.items()}
    while _REPLACED:
        names, name = _REPLACED.pop()
        if real := originals.get(id(names.get(name))):
            names[name] = real


def _foreign_modules() -> list[ModuleType]:
    loaded: list[tuple[str, Any]] = list(sys.modules.items())  # whatever else packages put there
    return [
        module
        for name, module in loaded
        if isinstance(module, ModuleType) and name.partition(".")[0] not in _LEFT_ALONE
    ]


def _names_in(module: ModuleType) -> list[str]:
    """The names under which a module has one of the functions. Kept, as there are a thousand modules."""
    names = vars(module)
    size, found = _LOOKED_THROUGH.get(module, (-1, []))
    if size != len(names):
        found = [name for name, value in list(names.items()) if id(value) in _BY_ID]
        _LOOKED_THROUGH[module] = len(names), found
    return found
