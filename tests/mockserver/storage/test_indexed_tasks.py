"""Where a database keeps the tasks, what ended first goes first, a few with each submit; a living task never does."""

from collections.abc import Callable

import pytest
from hypothesis import settings

from fake import Fake, status_of
from keeping import Keeping, indexed, kept
from safelight.contracts import Axis
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.task import Task


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


class KeepingByEnds(Keeping):
    """The same, where what ended first goes first."""

    def __init__(self) -> None:
        super().__init__()
        #: Task id -> when it ended.
        self.ended: dict[str, float] = {}

    def made(self, bounds: Bounds) -> Fake:
        return indexed(bounds=bounds)

    def finished(self) -> list[Task]:
        found = super().finished()
        for task in found:
            at = task.submitted + task.timeline.length if task.axis is Axis.SECONDS else self.fake.clock.now()
            self.ended.setdefault(task.id, at)
        return sorted(found, key=lambda task: (self.ended[task.id], task.number))

    def most(self, alive: int, bound: int) -> float:
        return bound + alive


TestKeepingByEnds = KeepingByEnds.TestCase
TestKeepingByEnds.settings = settings(deadline=None, max_examples=40, stateful_step_count=40)
