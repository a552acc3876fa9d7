"""Virtual time: a client's own sleeps move the clock, whatever it sleeps with, and nothing else is disturbed."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic as imported_monotonic
from time import sleep as imported_sleep
from typing import Any, Final

import anyio
import anyio.to_thread
import httpx
import pytest
import trio
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from idle_fake import IdleFake
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.real_time import WALL
from safelight.testing.safelight import Safelight
from safelight.testing.virtual_time import clock_in_use, virtual_time
from safelight.testing.virtual_time.loops import Jumping
from safelight.testing.virtual_time.patches import put_back
from safelight.testing.virtual_time.thread_time import MAX_SLEEPS

#: Seconds of the wall that are too many: whoever takes them has waited.
LONG: Final = 20.0


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """The clock that this test's sleeps move. The wall says how long it took."""
    clock = VirtualClock()
    begun = imported_monotonic()
    with virtual_time(clock, IdleFake()):
        yield clock
    assert imported_monotonic() - begun < LONG


# --- plain sleeps ----------------------------------------------------------------------------------------------------


def test_a_sleep_moves_the_clock_by_whichever_name(clock: VirtualClock) -> None:
    time.sleep(3600)
    assert clock.now() == 3600
    imported_sleep(60)
    assert clock.now() == 3660


def test_the_functions_in_the_place_of_times_are_no_methods_either(clock: VirtualClock) -> None:
    class Timer:
        clock, nap, day = time.monotonic, time.sleep, time.time_ns

    timer: Any = Timer()
    begun, day = timer.clock(), timer.day()
    timer.nap(5)
    assert (timer.clock() - begun, timer.day() - day, clock.now()) == (5, 5_000_000_000, 5)


def test_a_name_that_a_test_had_patched_is_found_later(monkeypatch: pytest.MonkeyPatch) -> None:
    here = sys.modules[__name__]
    with monkeypatch.context() as patched:
        patched.setattr(here, "imported_sleep", lambda _: None)
        with virtual_time(VirtualClock(), IdleFake()):
            pass
    clock = VirtualClock()
    with virtual_time(clock, IdleFake()):
        imported_sleep(7)
    assert clock.now() == 7


def test_every_reading_agrees_with_the_clock(clock: VirtualClock) -> None:
    readings: list[Callable[[], float]] = [time.monotonic, time.time, time.perf_counter, imported_monotonic]
    begun = [read() for read in readings]
    nanoseconds = [time.monotonic_ns(), time.time_ns(), time.perf_counter_ns()]
    time.sleep(60)
    clock.advance(0.5)
    assert [read() - start for read, start in zip(readings, begun, strict=True)] == [60.5] * 4
    now = [time.monotonic_ns(), time.time_ns(), time.perf_counter_ns()]
    assert [after - start for after, start in zip(now, nanoseconds, strict=True)] == [60_500_000_000] * 3


def test_the_time_of_day_begins_with_the_walls() -> None:
    wall = time.time()
    with virtual_time(VirtualClock(), IdleFake()):
        assert 0 <= time.time() - wall < 2


@given(st.lists(st.integers(0, 1_000_000), max_size=50))
def test_sleeps_of_whole_seconds_add_up_exactly(lengths: list[int]) -> None:
    clock = VirtualClock()
    with virtual_time(clock, IdleFake()):
        begun = time.monotonic()
        for length in lengths:
            time.sleep(length)
        assert time.monotonic() - begun == clock.now() == sum(lengths)


@pytest.mark.parametrize("length", [-1, float("nan"), "1", None])
def test_what_is_no_length_is_refused_as_ever(clock: VirtualClock, length: Any) -> None:
    with pytest.raises((ValueError, TypeError)) as moved:
        time.sleep(length)
    with pytest.raises(type(moved.value)):
        WALL["sleep"](length)
    assert clock.now() == 0


def test_nothing_is_left_when_the_block_has_ended() -> None:
    before = (time.sleep, time.monotonic, time.time, asyncio.sleep, imported_sleep, asyncio.BaseEventLoop.run_forever)
    with virtual_time(VirtualClock(), IdleFake()):
        assert time.sleep is not before[0]
        assert imported_sleep is time.sleep
    after = (time.sleep, time.monotonic, time.time, asyncio.sleep, imported_sleep, asyncio.BaseEventLoop.run_forever)
    assert after == before
    assert clock_in_use() is None


def test_blocks_within_each_other_move_all_their_clocks_once() -> None:
    outer, inner = VirtualClock(), VirtualClock()
    with virtual_time(outer, IdleFake()):
        time.sleep(1)
        with virtual_time(inner, IdleFake()), virtual_time(outer, IdleFake()):
            time.sleep(2)
        time.sleep(4)
    assert (outer.now(), inner.now()) == (7, 2)


# --- whom it leaves alone --------------------------------------------------------------------------------------------


def test_other_threads_keep_the_walls_time(clock: VirtualClock) -> None:
    def work() -> float:
        begun = time.monotonic()
        time.sleep(0.02)
        return time.monotonic() - begun

    with ThreadPoolExecutor() as pool:
        assert 0.02 <= pool.submit(work).result() < LONG
    assert clock.now() == 0


def test_pythons_own_waits_are_of_the_wall(clock: VirtualClock) -> None:
    assert subprocess.run([sys.executable, "-c", ""], timeout=LONG, check=True).returncode == 0
    assert clock.now() == 0


# --- loops -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sleep", [asyncio.sleep, anyio.sleep])
def test_a_loops_sleeps_end_in_the_order_of_their_ends(clock: VirtualClock, sleep: Any) -> None:
    ended = []

    async def nap(length: float) -> None:
        await sleep(length)
        ended.append((length, clock.now(), time.monotonic()))

    async def run() -> float:
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for length in (5, 1, 3, 3, 2):
                group.create_task(nap(length))
        return begun

    begun = asyncio.run(run())
    assert ended == [(length, length, begun + length) for length in (1, 2, 3, 3, 5)]
    assert clock.now() == 5, "parallel sleeps do not add up"


def test_deadlines_of_a_loop_follow_the_clock(clock: VirtualClock) -> None:
    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.sleep(60)
        assert clock.now() == 30
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 12)
        assert clock.now() == 42
        with anyio.move_on_after(8):
            await anyio.sleep_forever()
        assert clock.now() == 50
        asyncio.get_running_loop().call_later(10, lambda: time.sleep(5))
        await asyncio.sleep(11)
        assert clock.now() == 65

    asyncio.run(run())


def test_virtual_time_may_begin_and_end_within_a_loop() -> None:
    async def run() -> tuple[float, bool]:
        clock = VirtualClock()
        with virtual_time(clock, IdleFake()):
            await asyncio.sleep(600)
        selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]  # noqa: SLF001
        return clock.now(), isinstance(selector, Jumping)

    assert asyncio.run(run()) == (600, False)


def test_what_a_loop_gives_to_threads_is_waited_for(clock: VirtualClock) -> None:
    released = threading.Event()

    async def run() -> str:
        later = asyncio.get_running_loop().call_later(3600, released.set)
        async with asyncio.timeout(60):
            found = await asyncio.to_thread(lambda: "released" if released.wait(0.05) else "in time")
        later.cancel()
        return found

    assert asyncio.run(run()) == "in time"
    assert clock.now() == 0


def test_another_server_has_a_moment_before_each_jump(clock: VirtualClock) -> None:
    ours, theirs = socket.socketpair()

    async def run() -> bytes:
        reader, writer = await asyncio.open_connection(sock=ours)
        threading.Timer(0.01, theirs.sendall, [b"late"]).start()
        async with asyncio.timeout(1):
            found = await reader.read(4)
        writer.close()
        return found

    assert asyncio.run(run()) == b"late"
    assert clock.now() == 0
    theirs.close()


def test_blocks_of_one_loop_may_end_in_any_order() -> None:
    ended = []

    async def one(seconds: float, clock: VirtualClock) -> None:
        with virtual_time(clock, IdleFake()):
            await asyncio.sleep(seconds)
            ended.append(seconds)

    async def both(*lengths: float) -> None:
        clock = VirtualClock()
        await asyncio.gather(*(one(length, clock) for length in lengths))
        assert clock.now() == max(lengths)

    asyncio.run(both(1, 2))
    asyncio.run(both(2, 1))
    assert ended == [1, 2, 1, 2]


def test_virtual_time_that_began_outside_a_loop_may_end_within_it() -> None:
    block = virtual_time(VirtualClock(), IdleFake())

    async def end() -> float:
        await asyncio.sleep(600)
        block.__exit__(None, None, None)
        begun = time.monotonic()
        await asyncio.sleep(0.01)
        return time.monotonic() - begun

    block.__enter__()
    assert 0.01 <= asyncio.run(end()) < LONG


@pytest.mark.parametrize("way", ["wrap_future", "anyio"])
def test_work_that_is_given_to_threads_in_other_ways_is_waited_for_too(clock: VirtualClock, way: str) -> None:
    def work() -> bool:
        return threading.Event().wait(0.05)

    async def run() -> bool:
        with ThreadPoolExecutor() as pool, anyio.fail_after(60):
            if way == "anyio":
                return await anyio.to_thread.run_sync(work)
            return await asyncio.wrap_future(pool.submit(work))

    assert asyncio.run(run()) is False, "its deadline was not reached"
    assert clock.now() == 0


def test_what_is_under_way_for_too_long_is_given_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.testing.virtual_time.thread_time.MAX_EXCHANGE_SECONDS", 0.1)
    with Safelight(queued=5, virtual_time=True) as api:
        server = api._backend.in_process("server").server  # noqa: SLF001 - what a sleep asks
        address = httpx.URL(api.url)
        with socket.create_connection((address.host, address.port)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n")
            for _ in range(3):
                time.sleep(1)
            assert api.clock.now() == 3
            assert server.is_quiet()
            with httpx.Client() as http:
                assert http.get(api.url).status_code == 404
            assert server.is_quiet()
        while server.api.in_flight.open:
            server.is_quiet()
        assert server.is_quiet()


class Odd(types.ModuleType):
    """A module that does not want to be looked at."""

    __hash__ = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        raise ImportError(name)


@pytest.mark.parametrize("make", [lambda: None, lambda: 3, object, lambda: Odd("odd")])
def test_odd_modules_do_no_harm(monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]) -> None:
    loaded: dict[Any, Any] = sys.modules  # where some put what is no module, under what is no name
    monkeypatch.setitem(loaded, "odd_module", make())
    monkeypatch.setitem(loaded, 3, make())
    clock = VirtualClock()
    with virtual_time(clock, IdleFake()):
        time.sleep(3)
    assert clock.now() == 3
    assert time.sleep is WALL["sleep"]


def test_what_is_put_back_by_others_is_put_right(monkeypatch: pytest.MonkeyPatch) -> None:
    with virtual_time(VirtualClock(), IdleFake()):
        put_back()
        assert time.sleep is not WALL["sleep"], "somebody has virtual time"
        monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.undo()
    assert time.sleep is not WALL["sleep"]
    put_back()
    assert time.sleep is WALL["sleep"]


@pytest.mark.usefixtures("clock")
def test_a_loop_of_another_make_is_refused_in_a_sentence() -> None:
    async def run() -> None:
        await asyncio.sleep(1)

    with pytest.raises(pytest.fail.Exception) as raised, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
    sentence = "virtual time cannot move a loop of {}: let the test run on asyncio's own, or give speed=60"
    assert str(raised.value) == sentence.format("uvloop")
    with pytest.raises(pytest.fail.Exception) as raised:
        trio.run(anyio.sleep, 1)
    assert str(raised.value) == sentence.format("trio")


def sleep_for_ever() -> None:
    while True:
        with suppress(Exception):  # a client that swallows whatever comes
            time.sleep(3)


async def nap_for_ever() -> None:
    while True:
        with suppress(Exception):
            await asyncio.sleep(3)


@pytest.mark.parametrize("sleeper", [sleep_for_ever, lambda: asyncio.run(nap_for_ever())])
def test_whoever_sleeps_too_often_is_stopped(clock: VirtualClock, sleeper: Callable[[], Any]) -> None:
    with pytest.raises(pytest.fail.Exception) as raised:
        sleeper()
    assert str(raised.value) == (
        "the client has slept 10,001 times, 30,003 s of the clock, and goes on: give it a deadline by time.monotonic, "
        "or the task a timeline that ends"
    )
    assert clock.now() == 3 * (MAX_SLEEPS + 1)
