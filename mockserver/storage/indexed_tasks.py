"""The order of tasks where a database keeps each by itself: no others are read than those that are wanted."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, Self

from safelight.contracts import Axis
from safelight.contracts.lifecycle import FINAL
from safelight.mockserver.model import booking
from safelight.mockserver.model.index import Place
from safelight.mockserver.storage import codec
from safelight.mockserver.storage.stored_index import StoredIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.mockserver.model.session_state import SessionState
    from safelight.mockserver.model.task import Task

#: More than any number of a task.
_LAST: Final = 2**62

#: Tasks that a submit notes as ended at most, and lets go, unless it needs the room.
_MAX_AT_ONCE: Final = 32

#: Submits for one that looks, where there is much room: to look at a few takes a store hardly longer than at one.
_SUBMITS_FOR_A_LOOK: Final = 16


@codec.stateful
class IndexedTasks:
    """What `AllTasks` does. What has ended first is let go first, a few tasks with each submit."""

    def __init__(
        self, by_number: StoredIndex | None = None, ends: StoredIndex | None = None, ended: StoredIndex | None = None
    ) -> None:
        #: All tasks, in the order of their submits.
        self.by_number = StoredIndex() if by_number is None else by_number
        #: The tasks that were not seen to have ended, by when they do; `inf`: nobody knows.
        self.ends = StoredIndex() if ends is None else ends
        #: Those that have, the first one first.
        self.ended = StoredIndex() if ended is None else ended

    def kept(self) -> list[StoredIndex]:
        """All there is to it, but for the places."""
        return [self.by_number, self.ends, self.ended]

    @classmethod
    def restored(cls, kept: list[StoredIndex]) -> Self:
        """The order that this was kept of."""
        return cls(*kept)

    @classmethod
    def of(cls, session: SessionState) -> Self:
        """The order of the tasks that there are, of which nothing is written yet."""
        made = cls()
        for task in session.tasks.values():
            made._place(session, task)
        return made

    def add(self, session: SessionState, task: Task) -> None:
        """Note where a task belongs, and let others go where there are too many."""
        self._place(session, task)
        bounds = session.bounds
        between = max(1, min(_SUBMITS_FOR_A_LOOK, bounds.max_finished_tasks // 500))
        has_many = len(session.tasks) > bounds.max_finished_tasks and task.number % between == 0
        if has_many or _is_full(session):
            self._forget(session)

    def end(self, session: SessionState, task: Task) -> None:
        """A task has ended now, unless that was noted already: by this clock, or by one that is ahead of it.

        The clocks of several hosts are not quite the same, and that of one is set back now and then.
        """
        place, now = _place_by_end(task), session.clock.now()
        if place.at > now and place in self.ends:
            self.ends.discard(place)
            self.ended.add(place._replace(at=now))

    def is_idle(self, session: SessionState) -> bool:
        """No task of the session is still to change."""
        return not self.ends.first(1, after=(session.clock.now(), _LAST))

    def after(self, session: SessionState, number: int, most: int) -> Sequence[Task]:
        """The tasks of higher numbers, the first ones, so many at most."""
        places = self.by_number.first(most, after=(0.0, number))
        return [task for place in places if (task := session.tasks.get(place.task_id))]

    def _place(self, session: SessionState, task: Task) -> None:
        self.by_number.add(_place_by_number(task))
        place = _place_by_end(task)
        if booking.has_ended(session, task):
            self.ended.add(place._replace(at=min(place.at, session.clock.now())))
        else:
            self.ends.add(place)

    def _forget(self, session: SessionState) -> None:
        """A submit looks at a few, however many there are: where very many end at once, some stay for longer."""
        while self._let_go(session) and _is_full(session):
            pass

    def _let_go(self, session: SessionState) -> int:
        """Look at a few tasks. Gives how many were let go."""
        for place in self.ends.first(_MAX_AT_ONCE, until=session.clock.now()):
            self.ends.discard(place)
            self.ended.add(place)
        surplus, gone = len(self.ended) - session.bounds.max_finished_tasks, 0
        for place in self.ended.first(_MAX_AT_ONCE if _is_full(session) else min(max(surplus, 0), _MAX_AT_ONCE)):
            if gone >= surplus and not _is_full(session):
                break
            gone += self._drop(session, place)
        return gone

    def _drop(self, session: SessionState, place: Place) -> bool:
        """Let a task go. False: it is to end in the same moment, and numbers were rounded."""
        task = session.tasks[place.task_id]
        if not booking.has_ended(session, task):
            return False
        self.ended.discard(place)
        self.by_number.discard(_place_by_number(task))
        booking.drop(session, task)
        return True


def _place_by_number(task: Task) -> Place:
    return Place(0.0, task.number, task.id)


def _place_by_end(task: Task) -> Place:
    """By seconds of the session's clock. When a task ends that moves otherwise, nobody knows before."""
    is_known = task.axis is Axis.SECONDS and task.timeline.end.phase in FINAL
    return Place(task.submitted + task.timeline.length if is_known else inf, task.number, task.id)


def _is_full(session: SessionState) -> bool:
    return session.task_bytes > session.bounds.max_task_bytes
