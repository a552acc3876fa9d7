"""The loops of asyncio: their time is that of the clock, and where they would wait for it, it jumps."""

from __future__ import annotations

import _socket  # not `socket`, whose class a suite may have replaced to forbid it
import asyncio
import sys
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any, Final, NoReturn

import anyio.to_thread

from safelight.mockserver.model.real_time import WALL
from safelight.testing.virtual_time.thread_time import MOMENT, VirtualTime, virtual_time_of_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds of the wall that others have, before each jump: servers that are not ours, and threads with work of a loop.
MAX_SERVER_SECONDS: Final = 0.05
MAX_THREAD_SECONDS: Final = 1.0


class Jumping:
    """The selector of a loop: where it would wait for the loop's next deadline, time jumps there."""

    def __init__(self, loop: Any, selector: Any, virtual_time: VirtualTime) -> None:
        self._loop, self._selector, self._virtual_time = loop, selector, virtual_time

    def __getattr__(self, name: str) -> Any:
        return getattr(self._selector, name)

    def select(self, timeout: float | None = None) -> Any:
        """As a selector's, but nobody waits for time to pass."""
        if timeout == 0 or self._virtual_time.is_ending:
            return self._selector.select(timeout)
        events = self._selector.select(0) or self._others()
        planned = inf if timeout is None or self._is_for_ever() else timeout
        late = self._virtual_time.next_end()
        if events:
            return events
        if late < planned:
            self._virtual_time.pass_time(late)
        elif planned < inf:
            self._virtual_time.jump(planned)
        else:
            return self._selector.select(timeout)
        return events

    def _is_for_ever(self) -> bool:
        """The loop's next deadline is none: somebody sleeps until something else happens."""
        planned = self._loop._scheduled  # noqa: SLF001 - there is no public way to it
        return bool(planned) and planned[0].when() == inf

    def _others(self) -> Any:
        """What comes in as long as anything can: from the fake at once, from others in a moment."""
        begun = WALL["perf_counter"]()
        while True:
            wait = self._wait(WALL["perf_counter"]() - begun)
            events = self._selector.select(wait)
            if events or not wait:
                return events

    def _wait(self, waited: float) -> float:
        """Seconds of the wall until another look; 0: nothing is to come."""
        if self._virtual_time.has_exchanges(waited):
            return MOMENT
        if waited < MAX_THREAD_SECONDS and self._virtual_time.handed_over:
            return MOMENT
        return MOMENT if waited < MAX_SERVER_SECONDS and self._has_foreign() else 0

    def _has_foreign(self) -> bool:
        """The loop listens to something that is neither ours nor its own way to wake up."""
        registered = getattr(self._selector, "get_map", None)
        if registered is None:  # Windows' proactor does not say
            return True
        wakes = self._loop._ssock.fileno()  # noqa: SLF001 - as above
        return any(key.fd != wakes and not self._is_ours(key.fd) for key in registered().values())

    def _is_ours(self, fd: int) -> bool:
        with suppress(OSError):
            probe = _socket.socket(fileno=fd)
            try:
                peer: Any = probe.getpeername()
            finally:
                probe.detach()
            return isinstance(peer, tuple) and any(server.is_ours(peer[1]) for server in self._virtual_time.servers)
        return False


def move(loop: Any, virtual_time: VirtualTime) -> None:
    """Let this loop's time be that of the clock, and jump, until it is moved back. One without a selector is not.

    Its time is its own, not that of its class: what others do to classes and to `time.monotonic` does not hold it.
    """
    selector = getattr(loop, "_selector", None)
    if hasattr(selector, "select") and not isinstance(selector, Jumping):
        virtual_time.loops[loop] = selector
        for planned in getattr(loop, "_scheduled", ()):  # perhaps while somebody held its time, far from here
            planned._when += int(virtual_time.now("monotonic") - loop.time())  # noqa: SLF001 - no public way
        loop.time = lambda: virtual_time.now("monotonic")
        loop._selector = Jumping(loop, selector, virtual_time)  # noqa: SLF001 - there is no public way to it


def move_back(loop: Any, virtual_time: VirtualTime) -> None:
    """Let this loop wait again."""
    selector = virtual_time.loops.pop(loop, None)
    if isinstance(getattr(loop, "_selector", None), Jumping):  # a loop that was closed has none
        loop._selector = selector  # noqa: SLF001 - as above
        vars(loop).pop("time", None)


def running_loop() -> Any:
    """The loop that runs in this thread, or None: virtual time may begin within one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


_SET_RUNNING_LOOP: Final = asyncio.events._set_running_loop  # noqa: SLF001 - where each loop passes, whoever runs it
_SHUTDOWN_DEFAULT_EXECUTOR: Final = asyncio.BaseEventLoop.shutdown_default_executor
#: Not as `asyncio` has it: a test may have mocked that.
_ASYNCIO_SLEEP: Final = asyncio.tasks.sleep
_WRAP_FUTURE: Final = asyncio.futures.wrap_future
_RUN_SYNC: Final = anyio.to_thread.run_sync


def _set_running_loop(loop: Any, /) -> None:
    if virtual_time := virtual_time_of_thread():
        if loop is None:
            for one in list(virtual_time.loops):
                move_back(one, virtual_time)
        else:
            move(loop, virtual_time)
    _SET_RUNNING_LOOP(loop)


def _wrap_future(future: Any, **options: Any) -> Any:
    """Work that was given to threads, by `run_in_executor` and `asyncio.to_thread` too."""
    wrapped = _WRAP_FUTURE(future, **options)
    if virtual_time := virtual_time_of_thread():
        virtual_time.handed_over += 1
        wrapped.add_done_callback(lambda _: virtual_time.returned())
    return wrapped


async def _run_sync(*args: Any, **kwargs: Any) -> Any:
    """The same by way of anyio."""
    virtual_time = virtual_time_of_thread()
    if virtual_time is None:
        return await _RUN_SYNC(*args, **kwargs)
    virtual_time.handed_over += 1
    try:
        return await _RUN_SYNC(*args, **kwargs)
    finally:
        virtual_time.returned()


async def _shutdown_default_executor(self: asyncio.BaseEventLoop, *args: Any, **kwargs: Any) -> None:
    """A loop that ends waits for its threads, from Python 3.12 on with a deadline: neither is the client's."""
    virtual_time = virtual_time_of_thread()
    if virtual_time:
        virtual_time.is_ending = True
    try:
        await _SHUTDOWN_DEFAULT_EXECUTOR(self, *args, **kwargs)
    finally:
        if virtual_time:
            virtual_time.is_ending = False


async def _asyncio_sleep(delay: float, result: Any = None) -> Any:
    virtual_time = virtual_time_of_thread()
    if virtual_time is None or not delay > 0:
        return await _ASYNCIO_SLEEP(delay, result)
    loop, clock = asyncio.get_running_loop(), virtual_time.clocks[0]
    move(loop, virtual_time)
    if loop not in virtual_time.loops:
        _refuse(_library_of(loop), virtual_time)
    due = clock.now() + delay
    await _ASYNCIO_SLEEP(delay)
    if clock in virtual_time.clocks and clock.now() < due - _EARLY:
        _refuse(_library_of(loop), virtual_time)
    return result


#: Seconds that a loop is early, as it may be by rounding.
_EARLY: Final = 0.001


def _library_of(loop: object) -> str:
    """Who made a loop: the package of the first of its classes that is not Python's."""
    packages = [made_by.__module__.partition(".")[0] for made_by in type(loop).__mro__]
    return next((one for one in packages if one not in sys.stdlib_module_names), "another make")


def refusing(real: Callable[..., Any], library: str) -> Callable[..., Any]:
    """The sleep of a library whose loops are not asyncio's: on a clock that stands still it would never do any good."""

    def sleep(*args: Any, **kwargs: Any) -> Any:
        if virtual_time := virtual_time_of_thread():
            _refuse(library, virtual_time)
        return real(*args, **kwargs)

    return sleep


def _refuse(library: str, virtual_time: VirtualTime) -> NoReturn:
    sentence = f"virtual time cannot move a loop of {library}: let the test run on asyncio's own, or give speed=60"
    virtual_time.fail(sentence)


#: The real function -> the one in its place.
SHIMS: Final[Mapping[Callable[..., Any], Callable[..., Any]]] = {
    _SET_RUNNING_LOOP: _set_running_loop,
    _ASYNCIO_SLEEP: _asyncio_sleep,
    _WRAP_FUTURE: _wrap_future,
    _RUN_SYNC: _run_sync,
}

#: Class and name of a method -> the real one, and the one in its place.
METHODS: Final[Mapping[tuple[type, str], tuple[Any, Any]]] = {
    (asyncio.BaseEventLoop, "shutdown_default_executor"): (_SHUTDOWN_DEFAULT_EXECUTOR, _shutdown_default_executor),
}
