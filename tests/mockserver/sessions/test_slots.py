"""Engine slots: tasks wait for a free one in the order of their submits, and nothing runs in the background."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import Fake
from safelight.contracts import Phase, Step, Timeline
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_profile import TaskProfile
from safelight.mockserver.sessions.opening import task_profile

Q, R, D, F = Phase


def slotted(slots: int | None, lives_: TaskProfile | None = None) -> Fake:
    return Fake(Settings(lives_ or task_profile(running=2), slots=slots))


#: Slots, and what five tasks of two seconds do each second after they came at once: queued, running, done.
BURSTS: Final = [
    (1, ["RQQQQ", "RQQQQ", "DRQQQ", "DRQQQ", "DDRQQ"]),
    (2, ["RRQQQ", "RRQQQ", "DDRRQ", "DDRRQ", "DDDDR"]),
    (4, ["RRRRQ", "RRRRQ", "DDDDR", "DDDDR", "DDDDD"]),
    (9, ["RRRRR", "RRRRR", "DDDDD", "DDDDD", "DDDDD"]),
    (None, ["RRRRR", "RRRRR", "DDDDD", "DDDDD", "DDDDD"]),
]


def row(fake: Fake, ids: Sequence[str]) -> str:
    letters = {"pending": "Q", "processing": "R", "completed": "D", "failed": "F"}
    return "".join(letters[fake.word(task_id)] for task_id in ids)


@pytest.mark.parametrize(("slots", "rows"), BURSTS)
def test_a_burst_shows_a_growing_queue(slots: int | None, rows: list[str]) -> None:
    fake = slotted(slots)
    ids = [fake.submit() for _ in range(5)]
    for expected in rows:
        assert row(fake, ids) == expected
        fake.clock.advance(1)


def test_a_task_runs_as_long_as_ever_once_it_runs() -> None:
    fake = slotted(1, task_profile(queued=1, running=4))
    fake.submit()
    waiting = fake.submit()
    fake.clock.advance(5)
    assert fake.poll(waiting)["progress"] == 0
    fake.clock.advance(3)
    assert fake.poll(waiting)["progress"] == 75


def test_a_late_task_finds_its_slot_free() -> None:
    fake = slotted(1)
    fake.submit()
    fake.clock.advance(100)
    assert fake.word(fake.submit()) == "processing"


def test_a_failing_task_frees_its_slot_too() -> None:
    fake = slotted(1)
    fake.next(fail=True)
    ids = [fake.submit() for _ in range(2)]
    fake.clock.advance(2)
    assert row(fake, ids) == "FR"


#: A life that never ends, what it does at once, and whether the next task ever runs on the one slot.
ENDLESS: Final = [
    (Timeline.of(running=inf), "R", False),
    (Timeline((Step(R),)), "R", False),
    (Timeline((Step(Q, 0), Step(R))), "R", False),
    (Timeline.of(queued=inf), "Q", True),
    (Timeline((Step(Q),)), "Q", True),
]


@pytest.mark.parametrize(("life", "does", "frees"), ENDLESS)
def test_a_task_that_never_ends_keeps_the_slot_it_runs_on(life: Timeline, does: str, *, frees: bool) -> None:
    fake = slotted(1)
    fake.next(timeline=life)
    ids = [fake.submit() for _ in range(2)]
    assert row(fake, ids) == does + ("R" if frees else "Q")
    fake.clock.advance(1e9)
    assert row(fake, ids) == does + ("D" if frees else "Q")


def test_a_life_that_starts_running_waits_for_its_slot_all_the_same() -> None:
    fake = slotted(1)
    ids = [fake.submit()]
    fake.next(timeline=Timeline((Step(R, 2), Step(D))))
    ids.append(fake.submit())
    seen = []
    for _ in range(5):
        seen.append(row(fake, ids))
        fake.clock.advance(1)
    assert seen == ["RQ", "RQ", "DR", "DR", "DD"]


@dataclass(frozen=True)
class Submit:
    """A task to come: seconds since the one before, and how long it queues and runs. All are whole numbers."""

    after: int
    queued: int
    running: int


def submits(queued: st.SearchStrategy[int]) -> st.SearchStrategy[list[Submit]]:
    one = st.builds(Submit, st.sampled_from([0, 0, 0, 1, 2, 5]), queued, st.integers(0, 6))
    return st.lists(one, min_size=1, max_size=12)


def history(slots: int, tasks: Sequence[Submit]) -> list[list[Phase | None]]:
    """The phase of each task at each second: None before it was submitted, and none after all are done."""
    fake, seen = slotted(slots), []
    for task in tasks:
        for _ in range(task.after):
            seen.append([fake.session.state(known).phase for known in fake.tasks])
            fake.clock.advance(1)
        fake.next(queued=task.queued, running=task.running)
        fake.submit()
    while not seen or not all(phase is D for phase in seen[-1]) or len(seen[-1]) < len(tasks):
        seen.append([fake.session.state(known).phase for known in fake.tasks])
        fake.clock.advance(1)
    return [[*phases, *[None] * (len(tasks) - len(phases))] for phases in seen]


def starts(seen: Sequence[Sequence[Phase | None]]) -> list[int]:
    """The second at which each task is first no longer queued."""
    return [
        next(second for second, phases in enumerate(seen) if phases[task] in (R, D)) for task in range(len(seen[0]))
    ]


@given(st.integers(1, 4), submits(st.integers(0, 4)))
def test_never_more_run_than_there_are_slots(slots: int, tasks: list[Submit]) -> None:
    assert all(phases.count(R) <= slots for phases in history(slots, tasks))


@given(st.integers(1, 4), st.integers(0, 3).flatmap(lambda queued: submits(st.just(queued))))
def test_tasks_that_are_ready_start_in_the_order_of_their_submits(slots: int, tasks: list[Submit]) -> None:
    started = starts(history(slots, tasks))
    assert started == sorted(started)


@given(submits(st.integers(0, 4)))
def test_one_slot_is_strictly_one_after_the_other(tasks: list[Submit]) -> None:
    started = starts(history(1, tasks))
    assert all(
        later >= earlier + task.running for (earlier, later), task in zip(pairwise(started), tasks, strict=False)
    )


@given(st.integers(1, 4), submits(st.just(0)))
def test_no_task_waits_while_a_slot_is_free(slots: int, tasks: list[Submit]) -> None:
    assert all(phases.count(R) == slots for phases in history(slots, tasks) if Q in phases)


@given(submits(st.integers(0, 4)))
def test_as_many_slots_as_tasks_hold_nobody(tasks: list[Submit]) -> None:
    now, expected = 0, []
    for task in tasks:
        now += task.after
        expected.append(now + task.queued)
    assert starts(history(len(tasks), tasks)) == expected


def test_what_is_there_at_once_waits_for_no_slot() -> None:
    fake = Fake(Settings(task_profile(running=60), slots=1))
    fake.submit()
    assert fake.word(fake.submit(workflow="grok")) == "completed"


def test_slots_cost_nothing_until_they_are_used() -> None:
    fake = Fake(Settings(task_profile(running=1), slots=10**15))
    assert [fake.word(fake.submit()) for _ in range(3)] == ["processing"] * 3
