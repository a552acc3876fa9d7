"""Waits for another thread: sleeps, where nothing can end them; of the wall, where a thread of the client may."""

import concurrent.futures
import queue
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from select import select as imported_select
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idle_fake import IdleFake
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.real_time import WALL
from safelight.testing.safelight import Safelight
from safelight.testing.virtual_time import virtual_time
from safelight.testing.virtual_time.waits import METHODS


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    """The clock that this test's waits move."""
    clock = VirtualClock()
    with virtual_time(clock, IdleFake()):
        yield clock


def wait_for_a_condition(seconds: float) -> None:
    condition = threading.Condition()
    with condition:
        assert not condition.wait_for(lambda: False, seconds)


def wait_for_a_full_queue(seconds: float) -> None:
    full: queue.Queue[int] = queue.Queue(1)
    full.put(1)
    with pytest.raises(queue.Full):
        full.put(2, timeout=seconds)


def wait_for_an_empty_queue(seconds: float) -> None:
    with pytest.raises(queue.Empty):
        queue.LifoQueue[int]().get(timeout=seconds)


def wait_for_a_result(seconds: float) -> None:
    with pytest.raises(TimeoutError):
        Future[int]().result(timeout=seconds)


def wait_for_the_first_result(seconds: float) -> None:
    with pytest.raises(TimeoutError):
        next(concurrent.futures.as_completed([Future[int]()], timeout=seconds))


#: What a client may wait with -> a wait of so many seconds that nobody ends.
WAITS: Final[dict[str, Callable[[float], Any]]] = {
    "Event.wait": lambda seconds: threading.Event().wait(seconds),
    "Condition.wait_for": wait_for_a_condition,
    "Semaphore.acquire": lambda seconds: threading.Semaphore(0).acquire(timeout=seconds),
    "Queue.put": wait_for_a_full_queue,
    "Queue.get": wait_for_an_empty_queue,
    "Future.result": wait_for_a_result,
    "futures.wait": lambda seconds: concurrent.futures.wait([Future[int]()], timeout=seconds),
    "futures.as_completed": wait_for_the_first_result,
    "select": lambda seconds: select.select([], [], [], seconds),
    "a select of its own name": lambda seconds: imported_select((), (), (), seconds),
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_a_wait_that_nothing_can_end_is_a_sleep(clock: VirtualClock, wait: Callable[[float], Any]) -> None:
    begun = time.monotonic()
    wait(3600)
    wait(60)
    assert [clock.now(), time.monotonic() - begun] == pytest.approx([3660, 3660], abs=1e-5)


@given(st.lists(st.floats(1e-9, 1e6), max_size=20))
def test_waits_of_any_length_end(lengths: list[float]) -> None:
    clock = VirtualClock()
    with virtual_time(clock, IdleFake()):
        for length in lengths:
            wait_for_a_condition(length)
            wait_for_an_empty_queue(length)
    assert clock.now() == pytest.approx(2 * sum(lengths), abs=1e-4)


def test_what_is_there_already_is_not_waited_for(clock: VirtualClock) -> None:
    event, full, done = threading.Event(), queue.Queue[int](), Future[int]()
    event.set()
    full.put(7)
    done.set_result(7)
    assert (event.wait(60), full.get(timeout=60), done.result(timeout=60), clock.now()) == (True, 7, 7, 0)


def test_what_is_no_time_or_no_end_is_left_as_it_is(clock: VirtualClock) -> None:
    assert not threading.Event().wait(0)
    assert not threading.Event().wait(-1)
    assert select.select([], [], [], 0) == ([], [], [])
    with pytest.raises(RuntimeError, match="un-acquired"):
        threading.Condition().wait(5)
    with pytest.raises(OverflowError):
        threading.Event().wait(float("inf"))
    assert clock.now() == 0


@contextmanager
def at_work(work: Callable[[], Any]) -> Iterator[threading.Event]:
    """A thread that works once its event is set, and lives until the block has ended."""
    go, end = threading.Event(), threading.Event()

    def live() -> None:
        go.wait()
        work()
        end.wait()

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield go
    finally:
        end.set()
        go.set()
        thread.join()


def test_what_another_thread_brings_comes_in_no_time_of_the_clock(clock: VirtualClock) -> None:
    brought: queue.Queue[int] = queue.Queue()
    with at_work(partial(brought.put, 7)) as go:
        go.set()
        assert brought.get(timeout=3600) == 7
    with ThreadPoolExecutor() as pool:
        assert pool.submit(lambda: 7).result(timeout=3600) == 7
    assert clock.now() == 0


def test_a_time_out_with_another_thread_at_work_is_of_the_wall_and_passes_on_the_clock(clock: VirtualClock) -> None:
    with at_work(int):
        begun = WALL["monotonic"]()
        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(timeout=0.0625)
        assert WALL["monotonic"]() - begun >= 0.0625
    assert clock.now() == 0.0625


def test_a_wait_becomes_a_sleep_once_nobody_works_any_more(clock: VirtualClock) -> None:
    with ThreadPoolExecutor() as pool:
        pool.submit(int).result()
        assert not threading.Event().wait(3600)  # the thread of the pool is idle
    assert clock.now() == 3600


def test_threads_of_tools_are_waited_for_by_nobody(clock: VirtualClock) -> None:
    def limit() -> None:
        raise NotImplementedError

    limit.__module__ = "pytest_timeout"
    timer = threading.Timer(3600, limit)
    timer.start()
    try:
        assert not threading.Event().wait(3600)
    finally:
        timer.cancel()
        timer.join()
    assert clock.now() == 3600


def test_a_tool_that_waits_has_the_walls_time(clock: VirtualClock) -> None:
    names: dict[str, Any] = {"__name__": "xdist.workermanage", "event": threading.Event(), "select": select}
    exec("event.wait(0.01), select.select([], [], [], 0.01)", names)
    assert clock.now() == 0


def test_files_are_selected_by_the_wall(clock: VirtualClock) -> None:
    one, other = socket.socketpair()
    with one, other:
        assert select.select([one], [], [], 0.01) == ([], [], [])
        other.send(b".")
        assert select.select([one], [], [], 3600) == ([one], [], [])
    assert clock.now() == 0


def test_other_threads_wait_by_the_wall(clock: VirtualClock) -> None:
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(threading.Event().wait(0.01)))
    thread.start()
    thread.join()
    assert (found, clock.now()) == ([False], 0)


def test_pythons_own_are_back_when_the_block_has_ended() -> None:
    before = [real for real, _ in METHODS.values()]
    with virtual_time(VirtualClock(), IdleFake()):
        assert threading.Condition.wait is not before[0]
    assert [threading.Condition.wait, select.select, imported_select] == [*before, imported_select, select.select]


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_a_client_that_waits_so_takes_no_time(wait: Callable[[float], Any]) -> None:
    with Safelight(queued=10, running=50, virtual_time=True) as api:
        with httpx.Client(headers={"x-api-key": api.api_key}) as http:
            answer = http.post(f"{api.url}?endpoint=image_generation", json={"prompt": "a lamp"})
            query = {"endpoint": "task_status", "task_id": answer.json()["data"]["id"]}
            while http.get(api.url, params=query).json()["data"]["status"] != "completed":
                wait(3)
        assert (round(api.clock.now()), api.slowness) == (60, "")
