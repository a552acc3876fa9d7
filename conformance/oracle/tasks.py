"""What one task can be, given all that was told of it.

An answer says only that its state held at some moment between request and answer. One comes after another where it was
asked when the other had been answered; two that overlap may have held in either order. So of the answers that are over
the furthest counts, as no task ever goes back, and those that a request overlaps count for nothing yet. As the states
of a task stand in an order, nothing more than pairs need be looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from safelight.conformance.oracle.answers import Accepted, State, Unknown
from safelight.contracts import FINAL, Phase
from safelight.contracts.lifecycle import reach

#: Seconds after the answer to a submit in which a poll may not know the task yet.
MAX_LAG_SECONDS: Final = 2.0

#: Answers that overlap, of one task, that are kept.
_MAX_OPEN: Final = 50


class Contradiction(NamedTuple):
    """A check that an answer breaks, and which other answer shows it."""

    check: str
    sentence: str


class _Seen(NamedTuple):
    """A state, and what the poll that told it is called: `poll 4 at 12.1 s`."""

    name: str
    state: State

    @property
    def rank(self) -> tuple[int, int]:
        """How far the task had come."""
        progress = self.state.progress
        return -len(reach(self.state.phase)), -1 if progress is None else progress


@dataclass(slots=True)
class Task:
    """The states that a task can be in."""

    polls: int = 0
    #: The submit that gave its id, and what it is called.
    issued: Accepted | None = None
    issued_by: str = ""
    #: Seconds after the submit's answer in which polls did not know it.
    lag: float = 0
    #: The furthest of the answers that are over.
    _last: _Seen | None = None
    #: Those that later requests may overlap.
    _open: list[_Seen] = field(default_factory=list)
    _end: _Seen | None = None

    @property
    def end(self) -> Phase | None:
        """How it ended, where that was told."""
        return self._end.state.phase if self._end else None

    @property
    def is_known(self) -> bool:
        """Some poll knew it."""
        return bool(self._last or self._open)

    def phases(self, at: float) -> frozenset[Phase]:
        """What it can be when it is asked for at this time."""
        last = self._before(at)
        return reach(last.state.phase) if last else frozenset(Phase)

    def accepted(self, answer: Accepted, name: str) -> Iterator[Contradiction]:
        """A submit was given its id."""
        before = self._before(answer.start)
        if self.issued:
            yield Contradiction(
                "S63", f"{name} was given id {answer.task_id}, which {self.issued_by} had been given too"
            )
        elif before:
            yield Contradiction("S63", f"{name} was given id {answer.task_id}, which {before.name} had known already")
        else:
            self.issued, self.issued_by = answer, name

    def told(self, state: State) -> Iterator[Contradiction]:
        """A poll told its state."""
        seen = _Seen(self.poll_name(state), state)
        before = self._before(state.start)
        if self._end and state.phase in FINAL and _differs(self._end.state, state):
            yield Contradiction("S54", _against(seen, self._end, "final is final"))
        elif before and state.phase not in reach(before.state.phase):
            is_final = before.state.phase in FINAL
            why = "final is final" if is_final else f"no task goes from {before.state.phase} to {state.phase}"
            yield Contradiction("S54" if is_final else "S52", _against(seen, before, why))
        elif before and _falls(before.state, state):
            yield Contradiction("S57", _against(seen, before, "progress never falls"))
        if state.phase in FINAL and not self._end:
            self._end = seen
        self._open = [*self._open[-_MAX_OPEN:], seen]

    def unknown(self, answer: Unknown) -> Iterator[Contradiction]:
        """A poll told that there is no such task."""
        name, before = self.poll_name(answer), self._before(answer.start)
        no_task = f"{name} said that there is no such task"
        if before:
            check = "S54" if before.state.phase in FINAL else "S52"
            yield Contradiction(check, f"{no_task}; {before.name} had said {_words(before.state)}")
        elif self.issued and not self.is_known and self.issued.end <= answer.start:
            self.lag = answer.start - self.issued.end
            if self.lag > MAX_LAG_SECONDS:
                yield Contradiction("S51", f"{no_task}; {self.issued_by} had been given its id {self.lag:.1f} s before")

    def poll_name(self, answer: State | Unknown) -> str:
        """What the next poll is called."""
        self.polls += 1
        return f"poll {self.polls} {answer.at}"

    def _before(self, start: float) -> _Seen | None:
        """The furthest answer that a request at this time comes after."""
        over = [seen for seen in self._open if seen.state.end <= start]
        if over:
            self._open = [seen for seen in self._open if seen.state.end > start]
            self._last = max(filter(None, [self._last, *over]), key=lambda seen: seen.rank)
        return self._last if self._last and self._last.state.end <= start else None


def _differs(one: State, other: State) -> bool:
    return (one.phase, one.digest) != (other.phase, other.digest)


def _falls(before: State, after: State) -> bool:
    return before.progress is not None and after.progress is not None and after.progress < before.progress


def _against(seen: _Seen, earlier: _Seen, why: str) -> str:
    return f"{seen.name} said {_words(seen.state)}; {earlier.name} had said {_words(earlier.state)}: {why}"


def _words(state: State) -> str:
    if state.progress is not None:
        return f"{state.phase}, {state.progress} %"
    return f"{state.phase} ({state.outcome})" if state.phase in FINAL else str(state.phase)
