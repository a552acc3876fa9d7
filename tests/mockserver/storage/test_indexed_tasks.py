"""Where a database keeps the tasks, what ended first goes first, a few with each submit; a living task never does."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fake import Fake, status_of
from safelight.contracts import Axis
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.task import Task
from safelight.mockserver.storage.indexed_tasks import IndexedTasks


def indexed(**options: Any) -> Fake:
    """A fake in memory, whose tasks are in the order in which a database has them."""
    fake = Fake(**options)
    fake.session.data.order = IndexedTasks.of(fake.session.data)
    return fake


def kept(fake: Fake) -> list[int]:
    return [task.number for task in fake.tasks]


def test_what_ended_first_goes_first() -> None:
    fake = indexed(bounds=Bounds(max_finished_tasks=10))
    ids = [fake.submit() for _ in range(10)]
    assert kept(fake) == list(range(1, 11))
    ids += [fake.submit(), fake.submit()]
    assert kept(fake) == list(range(3, 13))
    assert [fake.send("GET", status_of(task_id)).status for task_id in ids[:4]] == [404, 404, 200, 200]


def test_a_task_that_took_long_is_not_gone_as_soon_as_it_is_done() -> None:
    fake = indexed(bounds=Bounds(max_finished_tasks=3))
    fake.next(running=9)
    slow = fake.submit()
    for _ in range(5):
        fake.submit()
        fake.clock.advance(2)
    fake.submit()
    assert kept(fake) == [1, 6, 7]
    assert fake.word(slow) == "completed"


@pytest.mark.parametrize(
    ("axis", "end"),
    [
        (Axis.POLLS, lambda fake, task_id: (fake.poll(task_id), fake.poll(task_id))),
        (Axis.TICKS, lambda fake, task_id: fake.session.release(task_id)),
        (Axis.TICKS, lambda fake, task_id: fake.session.fail(task_id)),
        (Axis.SECONDS, lambda fake, task_id: fake.session.fail(task_id)),
    ],
)
def test_whatever_ends_a_task_it_goes_when_its_turn_comes(axis: Axis, end: Callable[[Fake, str], object]) -> None:
    fake = indexed(bounds=Bounds(max_finished_tasks=3))
    fake.submit()
    fake.next(axis=axis, running=1)
    ended = fake.submit()
    fake.clock.advance(0.5)
    end(fake, ended)
    fake.clock.advance(0.1)
    fake.submit()
    fake.submit()
    assert kept(fake) == [2, 3, 4]
    fake.submit()
    assert kept(fake) == [3, 4, 5]
    assert fake.session.is_idle()


def test_a_task_that_ended_by_a_clock_that_is_ahead_is_let_go_once() -> None:
    fake = indexed(bounds=Bounds(max_finished_tasks=2), running=5)
    for _ in range(3):
        fake.submit()
    fake.clock.advance(5)
    fake.submit()
    assert kept(fake) == [2, 3, 4]
    ahead, fake.session.data.clock = fake.clock, VirtualClock(fake.clock.now() - 1)
    assert fake.session.fail(fake.tasks[0].id)
    fake.session.data.clock = ahead
    ahead.advance(5)
    for _ in range(3):
        fake.submit()
    assert kept(fake)[-3:] == [5, 6, 7]


def test_where_very_many_end_at_once_each_submit_lets_some_go() -> None:
    fake = indexed(bounds=Bounds(max_finished_tasks=10), running=1)
    for _ in range(200):
        fake.submit()
    fake.clock.advance(1)
    left = []
    for _ in range(7):
        fake.submit()
        left.append(len(fake.tasks))
    assert left[:3] == [179, 148, 117]
    assert left[-1] == 10 + 7, "and those that were submitted now"


def test_bytes_are_bounded_too() -> None:
    fake = indexed(bounds=Bounds(max_task_bytes=10_000))
    for _ in range(11):
        fake.submit(prompt="x" * 980)
    assert kept(fake)[-1] == 11
    assert sum(task.size for task in fake.tasks) <= 10_000
    assert kept(fake)[0] > 1, "of so many bytes, the oldest have gone"


#: A life, and what makes it end.
LIVES: Final[list[tuple[dict[str, Any], Callable[[Fake, str], object]]]] = [
    ({"running": 1}, lambda fake, _: fake.clock.advance(1)),
    ({"queued": 1}, lambda fake, _: fake.clock.advance(1)),
    ({"polls": (0, 1)}, lambda fake, task_id: (fake.poll(task_id), fake.poll(task_id))),
    ({"running": 1, "fail_rate": 1}, lambda fake, _: fake.clock.advance(1)),
]


@pytest.mark.parametrize(("told", "end"), LIVES)
def test_a_living_task_stays_until_it_ends(told: dict[str, Any], end: Callable[[Fake, str], object]) -> None:
    fake = indexed(bounds=Bounds(3, 1), **told)
    task_id = fake.submit()
    for _ in range(20):
        fake.next(queued=0, running=0)
        fake.submit()
    assert kept(fake)[0] == 1
    end(fake, task_id)
    fake.submit()
    assert 1 not in kept(fake)


def test_the_price_of_a_failed_task_is_returned_before_it_is_forgotten() -> None:
    fake = indexed(bounds=Bounds(max_finished_tasks=2), fail_rate=1)
    ids = [fake.submit() for _ in range(20)]
    for task_id in ids[-1:] * 2:
        assert fake.word(task_id) == "failed"
    returned = [entry.task_id for entry in fake.ledger if entry.reason == "refund"]
    assert sorted(returned) == sorted([*ids[: -len(fake.tasks)], ids[-1]])


class Keeping(RuleBasedStateMachine):
    """Submits, time, ticks and polls in any order, against a store with room for five finished tasks."""

    FINISHED: Final = 5
    BYTES: Final = 600

    def __init__(self) -> None:
        super().__init__()
        self.fake = indexed(bounds=Bounds(self.FINISHED, self.BYTES))
        self.gone: set[str] = set()
        #: Task id -> when it ended.
        self.ended: dict[str, float] = {}
        self.submitted: list[str] = []
        self.most_alive = self.most_alive_bytes = 0

    def finished(self) -> list[Task]:
        """Those that have ended, the first one first."""
        living = self.living()
        found = [task for task in self.fake.tasks if task not in living]
        for task in found:
            at = task.submitted + task.timeline.length if task.axis is Axis.SECONDS else self.fake.clock.now()
            self.ended.setdefault(task.id, at)
        return sorted(found, key=lambda task: (self.ended[task.id], task.number))

    def living(self) -> list[Task]:
        return [task for task in self.fake.tasks if not self.fake.session.state(task).is_final]

    @rule(
        queued=st.sampled_from([0, 0, 0, 1, 3]),
        running=st.sampled_from([0, 0, 0, 2, "never"]),
        fail=st.booleans(),
        axis=st.sampled_from(Axis),
        prompt=st.sampled_from(["a", "b" * 100, "c" * 1_000]),
    )
    def submit(self, queued: float, running: float | str, *, fail: bool, axis: Axis, prompt: str) -> None:
        before, finished = self.fake.tasks, self.finished()
        self.fake.next(queued=queued, running=running, fail=fail, axis=axis)
        self.submitted.append(self.fake.submit(prompt=prompt))
        gone = [task for task in before if task not in self.fake.tasks]
        assert {task.id for task in gone} == {task.id for task in finished[: len(gone)]}, "those that ended first"
        self.gone |= {task.id for task in gone}
        if (queued, running) == (0, 0):
            self.gone.add(self.submitted[-1])  # done at once, and perhaps larger than all the room there is
        self.most_alive = max(self.most_alive, len(self.living()))
        self.most_alive_bytes = max(self.most_alive_bytes, sum(task.size for task in self.living()))

    @rule(seconds=st.integers(0, 4))
    def wait(self, seconds: int) -> None:
        self.fake.clock.advance(seconds)

    @precondition(lambda self: self.fake.tasks)
    @rule(data=st.data())
    def poll_and_release(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(self.fake.tasks))
        self.fake.poll(task.id)
        self.fake.session.release(task.id)
        self.finished()

    @invariant()
    def a_living_task_answers(self) -> None:
        assert all(self.fake.session.find(task_id) or task_id in self.gone for task_id in self.submitted)

    @invariant()
    def what_is_kept_is_bounded(self) -> None:
        tasks = self.fake.tasks
        assert len(tasks) <= self.FINISHED + self.most_alive
        assert sum(task.size for task in tasks) <= self.BYTES + self.most_alive_bytes

    @invariant()
    def the_ledger_counts_every_submit(self) -> None:
        entries = list(self.fake.ledger)
        assert self.fake.ledger.total == sum(entry.credits for entry in entries)
        returned = [entry.task_id for entry in entries if entry.reason == "refund"]
        assert len(returned) == len(set(returned))


TestKeeping = Keeping.TestCase
TestKeeping.settings = settings(deadline=None, max_examples=40, stateful_step_count=40)
