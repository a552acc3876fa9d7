"""What becomes of the tasks of a session: pure functions on its state."""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush
from math import inf, isinf
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from safelight.contracts import Axis, Phase, State, Step, Timeline
from safelight.contracts.lifecycle import FINAL
from safelight.mockserver.model.index import Place
from safelight.mockserver.model.ledger import Entry
from safelight.mockserver.model.session_state import TaskCounts

if TYPE_CHECKING:
    from safelight.mockserver.model.session_state import SessionState
    from safelight.mockserver.model.task import Task


def state_of(session: SessionState, task: Task, *, add: int = 0) -> State:
    """The state of a task now. `add` 1 counts a poll; 0 gives the state that the last poll was answered with."""
    if not add or task.axis is not Axis.POLLS:
        return task.timeline.at(position_of(session, task, add))
    before, after = position_of(session, task), position_of(session, task, add)
    _note_end(session, task, before, after)
    return task.timeline.at(after)


def phase_of(session: SessionState, task: Task) -> Phase:
    """The phase of that state, as the last poll was answered with."""
    return task.timeline.phase_at(position_of(session, task))


def position_of(session: SessionState, task: Task, add: int = 0) -> float:
    """How far along its axis a task is: seconds since its submit, polls before this one, or ticks."""
    if task.axis is Axis.SECONDS:
        return session.clock.now() - task.submitted
    counts = session.counts.get(task.id)
    if task.axis is Axis.TICKS:
        return counts.moved if counts else 0
    if add:
        counts = counts or counts_of(session, task.id)
        counts.moved += add
        return counts.moved - add
    return max(counts.moved - 1, 0) if counts else 0


def counts_of(session: SessionState, task_id: str) -> TaskCounts:
    """The counts of a task, to be changed."""
    counts = session.counts.get(task_id)
    if counts is None:
        counts = session.counts[task_id] = TaskCounts()
    return counts


def book(session: SessionState, task: Task, *, slots: int | None) -> Task:
    """Keep a task and take its price. With slots its timeline is held until an engine is free. Gives it as kept."""
    booked = task if slots is None else hold(session, task, slots)
    session.tasks[task.id] = booked
    session.task_bytes += task.size
    session.ledger.add(Entry(task.submitted, -task.price, task.id, task.operation))
    expect_refund(session, booked)
    session.order.add(session, booked)
    return booked


def hold(session: SessionState, task: Task, slots: int) -> Task:
    """The task as it runs when it waits for one of the slots, in the order of submits."""
    ready = task.submitted + task.timeline.wait
    if isinf(ready):
        return task
    # A slot is on the heap once a task has had it.
    begins = ready if len(session.slots_free) < slots else max(ready, heappop(session.slots_free))
    is_endless = task.timeline.end.phase is Phase.RUNNING
    heappush(session.slots_free, inf if is_endless else begins + task.timeline.length - task.timeline.wait)
    return replace(task, timeline=task.timeline.held(begins - ready))


def expect_refund(session: SessionState, task: Task) -> None:
    """Note when the price of a task is to be returned, where that is known: `settle` then looks at no other task."""
    begins = task.timeline.fails_after
    if begins is None or _is_refunded(session, task):
        return
    if task.axis is Axis.SECONDS:
        session.refunds_due.add(Place(task.submitted + begins, task.number, task.id))
    elif phase_of(session, task) is Phase.FAILED:
        session.refunds_due.add(Place(-inf, task.number, task.id))


def settle(session: SessionState) -> None:
    """Return the prices of the tasks that have failed by now, in the order of their submits."""
    now, due = session.clock.now(), session.refunds_due
    for place in sorted(due.first(len(due), until=now + _ROUNDING_SECONDS), key=attrgetter("number")):
        task = session.tasks.get(place.task_id)
        has_failed = task is not None and phase_of(session, task) is Phase.FAILED
        if task and has_failed:
            refund(session, task)
        if has_failed or task is None or place.at <= now:
            due.discard(place)


#: Sums of seconds differ from differences by less.
_ROUNDING_SECONDS: Final = 1e-6


def refund(session: SessionState, task: Task) -> bool:
    """Return the price of a task, once. False: it was returned before."""
    if _is_refunded(session, task):
        return False
    counts_of(session, task.id).refunded = True
    # On the axis of seconds the timeline says when the task failed; on others that is seen now.
    at = task.submitted + task.timeline.length if task.axis is Axis.SECONDS else session.clock.now()
    session.ledger.add(Entry(at, task.price, task.id, "refund"))
    return True


def _is_refunded(session: SessionState, task: Task) -> bool:
    counts = session.counts.get(task.id)
    return counts is not None and counts.refunded


def fail(session: SessionState, task: Task, reason: str | None) -> bool:
    """Let a task fail now, if it has not ended. False: it has."""
    position = position_of(session, task)
    state = task.timeline.at(position)
    if state.is_final:
        return False
    # Nobody asks about earlier positions again, so that one step stands for all that was.
    steps = (Step(state.phase, position), Step(Phase.FAILED, reason=reason))
    session.tasks[task.id] = failed = replace(task, timeline=Timeline(steps))
    expect_refund(session, failed)
    session.order.end(session, task)
    return True


def release(session: SessionState, task: Task, ticks: int) -> None:
    """Move a task on the axis of ticks along."""
    before = position_of(session, task)
    counts_of(session, task.id).moved += ticks
    if _note_end(session, task, before, position_of(session, task)):
        expect_refund(session, task)


def has_ended(session: SessionState, task: Task) -> bool:
    """Its last step has begun, and nothing follows that."""
    return task.timeline.end.phase in FINAL and position_of(session, task) >= task.timeline.length


def _note_end(session: SessionState, task: Task, before: float, after: float) -> bool:
    """Note where a task has come to its end from one position to another. False: it has not."""
    if not before < task.timeline.length <= after or task.timeline.end.phase not in FINAL:
        return False
    session.order.end(session, task)
    return True


def drop(session: SessionState, task: Task) -> None:
    """Let a task go that has ended."""
    if phase_of(session, task) is Phase.FAILED:
        refund(session, task)
    session.task_bytes -= task.size
    del session.tasks[task.id]
    session.counts.pop(task.id, None)
    session.plan.numbers.pop(task.id, None)


def answered(session: SessionState, task: Task, at: float, *, is_poll: bool) -> float:
    """Count an answer about a task after that to its submit. Gives the seconds since the one before."""
    counts = counts_of(session, task.id)
    before = task.submitted if counts.answered_at is None else counts.answered_at
    counts.answered_at = at
    counts.answered += is_poll
    return at - before
