"""In which order the tasks of a session are listed, and let go once they have ended."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

from safelight.contracts import Axis
from safelight.mockserver.model import booking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safelight.mockserver.model.session_state import SessionState
    from safelight.mockserver.model.task import Task


class TaskOrder(Protocol):
    """The orders of the tasks of a session. It lets those go that have ended, where more are kept than are wanted."""

    def add(self, session: SessionState, task: Task) -> None:
        """A task was booked."""

    def end(self, session: SessionState, task: Task) -> None:
        """A task, as it was before, has ended now; where its timeline says when it ends, nobody has to say so."""

    def is_idle(self, session: SessionState) -> bool:
        """No task of the session is still to change."""
        ...

    def after(self, session: SessionState, number: int, most: int) -> Sequence[Task]:
        """The tasks of higher numbers, the first ones, so many at most."""
        ...


@dataclass(slots=True)
class AllTasks:
    """Where all tasks are in memory: they are looked through when it is time, and nothing is kept of their order."""

    #: With more tasks, or more bytes of them, it is time to look which have ended.
    look_at_tasks: int
    look_at_bytes: int

    def add(self, session: SessionState, task: Task) -> None:  # noqa: ARG002 - the protocol's signature
        """Let tasks go where there are too many."""
        if len(session.tasks) > self.look_at_tasks or session.task_bytes > self.look_at_bytes:
            self._forget(session)

    def end(self, session: SessionState, task: Task) -> None:
        """That is seen when all are looked through."""

    def is_idle(self, session: SessionState) -> bool:
        """No task of the session is still to change."""
        return all(booking.has_ended(session, task) for task in session.tasks.values())

    def after(self, session: SessionState, number: int, most: int) -> Sequence[Task]:
        """The tasks of higher numbers, the first ones, so many at most."""
        tasks = list(session.tasks.values())
        start = bisect_right(tasks, number, key=attrgetter("number"))
        return tasks[start : start + most]

    def _forget(self, session: SessionState) -> None:
        """Let the oldest tasks go that have ended, a tenth more than needed.

        Each time all tasks are looked at; the next time comes when there are half as many again. So this costs a submit
        the same however many tasks are alive.
        """
        ended = [task for task in _perhaps_ended(session) if booking.has_ended(session, task)]
        surplus = len(ended) - session.bounds.max_finished_tasks * 9 // 10
        max_bytes = session.bounds.max_task_bytes * 9 // 10
        for task in ended:
            if surplus <= 0 and session.task_bytes <= max_bytes:
                break
            surplus -= 1
            booking.drop(session, task)
        self.look_at_tasks = max(session.bounds.max_finished_tasks, len(session.tasks) * 3 // 2)
        self.look_at_bytes = max(session.bounds.max_task_bytes, session.task_bytes * 3 // 2)


def _perhaps_ended(session: SessionState) -> Iterator[Task]:
    """The tasks without those whose last step has not begun: that is known sooner than their state."""
    now = session.clock.now()
    for task in session.tasks.values():
        if task.axis is not Axis.SECONDS or now - task.submitted >= task.timeline.length:
            yield task
