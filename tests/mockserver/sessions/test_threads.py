"""One core serves several threads: what is counted is right, and nothing is lost or given twice."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from typing import Final, TypeVar

import pytest

from fake import RICH, SUBMIT, Fake
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import task_profile

THREADS: Final = 6

T = TypeVar("T")


@pytest.fixture(autouse=True)
def _threads_change_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(work: Callable[[int], T]) -> list[T]:
    """What the work gives in each of the threads, which begin at the same time."""
    barrier = Barrier(THREADS)

    def run(number: int) -> T:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return [future.result(30) for future in [threads.submit(run, number) for number in range(THREADS)]]


def test_submits_from_several_threads_are_all_booked_once() -> None:
    fake = Fake()
    ids = [one for some in together(lambda _: [fake.submit() for _ in range(40)]) for one in some]
    assert len(set(ids)) == len(ids) == THREADS * 40
    assert {task.id for task in fake.tasks} == set(ids)
    assert sorted(task.number for task in fake.tasks) == list(range(1, len(ids) + 1))
    assert (fake.ledger.total, len(fake.ledger), len(fake.journal)) == (-10 * len(ids), len(ids), len(ids))


def test_threads_never_overdraw() -> None:
    fake = Fake(Settings(task_profile(), balance=105))
    statuses = together(lambda _: [fake.send("POST", SUBMIT, b'{"prompt": "a"}').status for _ in range(5)])
    assert [status for found in statuses for status in found].count(200) == 10
    assert fake.ledger.total == -100


class Meeting(VirtualClock):
    """Whoever asks for the time waits a moment for a second one to ask too: without a lock both get there."""

    def __init__(self) -> None:
        super().__init__()
        self._barrier = Barrier(2)

    def now(self) -> float:
        """As a virtual clock's."""
        try:
            self._barrier.wait(0.05)
        except BrokenBarrierError:
            self._barrier.reset()
        return super().now()


def test_of_two_submits_at_once_one_gets_the_last_credits() -> None:
    fake = Fake(Settings(task_profile(), balance=10))
    fake.session.data.clock = Meeting()
    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(lambda _: fake.send("POST", SUBMIT, b'{"prompt": "a"}').status, range(2)))
    assert sorted(replies) == [200, 402]
    assert fake.ledger.total == -10


def test_threads_draw_what_one_alone_would_have_drawn() -> None:
    alone, shared = Fake(running="1..9"), Fake(running="1..9")
    for _ in range(THREADS * 20):
        alone.submit()
    together(lambda _: [shared.submit() for _ in range(20)])
    assert shared.tasks == alone.tasks


def test_polls_from_several_threads_are_each_counted_once() -> None:
    polls = THREADS * 40
    fake = Fake(polls=(polls // 2, polls // 2))
    task_id = fake.submit()
    words = [word for some in together(lambda _: [fake.word(task_id) for _ in range(40)]) for word in some]
    assert (words.count("pending"), words.count("processing")) == (polls // 2, polls // 2)
    assert fake.word(task_id) == "completed"


def test_a_refund_is_paid_once_however_many_ask() -> None:
    fake = Fake(fail_rate=1)
    ids = [fake.submit() for _ in range(30)]
    together(lambda _: [fake.poll(task_id) for task_id in ids])
    assert (fake.ledger.total, len(fake.ledger)) == (0, 60)


def test_what_was_said_is_about_one_task_each() -> None:
    fake = Fake(checked=False)
    names = [f"task {number}" for number in range(THREADS * 10)]
    for name in names:
        fake.next(id=name)
    assert sorted(one for some in together(lambda _: [fake.submit() for _ in range(10)]) for one in some) == sorted(
        names
    )


def test_slots_are_handed_out_one_by_one() -> None:
    fake = Fake(Settings(task_profile(running=1), slots=2, balance=RICH))
    together(lambda _: [fake.submit() for _ in range(20)])
    assert [task.timeline.wait for task in fake.tasks] == [number // 2 for number in range(THREADS * 20)]


def test_a_key_that_several_bring_at_once_opens_one_session() -> None:
    fake = Fake(any_key=True)
    keys = [f"sk-{number}" for number in range(100)]
    together(lambda _: [fake.submit(key=key) for key in keys])
    assert [len(fake.session_of(key).tasks) for key in keys] == [THREADS] * 100
