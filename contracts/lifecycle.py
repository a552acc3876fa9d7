"""The lifecycle of a task: its phases, the legal moves between them, and timelines.

A task is a value; its state is a function of a position along one axis. The axis is seconds since
submit, polls seen, or ticks released by hand: `Timeline.at` does not know which.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise, takewhile
from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts.wording import echoed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


class Phase(StrEnum):
    """Where a task is in its lifecycle. On the wire a vocabulary spells it."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Axis(StrEnum):
    """What a position along a timeline counts."""

    SECONDS = "seconds"
    POLLS = "polls"
    TICKS = "ticks"


#: Every legal move. A phase without moves is final.
MOVES: Final[Mapping[Phase, frozenset[Phase]]] = {
    Phase.QUEUED: frozenset({Phase.RUNNING, Phase.FAILED}),
    Phase.RUNNING: frozenset({Phase.DONE, Phase.FAILED}),
    Phase.DONE: frozenset(),
    Phase.FAILED: frozenset(),
}

#: The phases that nothing follows.
FINAL: Final = frozenset(phase for phase, moves in MOVES.items() if not moves)


def reach(phase: Phase) -> frozenset[Phase]:
    """The phases that a task can be in from this one on, itself included."""
    return _REACH[phase]


def _reach(phase: Phase) -> frozenset[Phase]:
    return frozenset({phase}).union(*map(_reach, MOVES[phase]))


_REACH: Final[Mapping[Phase, frozenset[Phase]]] = {phase: _reach(phase) for phase in Phase}

#: Units of the axis that a step lasts, unless it never ends: more than the seconds of a million years.
_MAX_DWELL_UNITS: Final = 10**15

#: Percent of a running task: never the 100 of a task that is done.
_MAX_RUNNING_PERCENT: Final = 99


@dataclass(frozen=True, slots=True)
class Step:
    """A phase and how long it lasts, in units of the axis; `inf` is for ever."""

    phase: Phase
    dwell: float = inf
    reason: str | None = None
    #: The status word that stands on the wire in the place of the phase's: one that nobody knows.
    word: str | None = None
    #: The task is not found as long as this lasts.
    unseen: bool = False
    #: The percent that a running step says, whatever has passed of it; None: what has passed.
    progress: int | None = None

    @property
    def name(self) -> str:
        """What it is called in a timeline as people write it."""
        return _UNSEEN if self.unseen else str(self.phase)

    @property
    def state(self) -> State:
        """The state of a task in it, but for the percent that has passed of it."""
        return State(self.phase, self.progress, self.reason, self.word, self.unseen)

    def __post_init__(self) -> None:
        _check_dwell(self.dwell)


def _check_dwell(dwell: float) -> None:
    if not 0 <= dwell <= _MAX_DWELL_UNITS and dwell != inf:
        seen = dwell if abs(dwell) <= _MAX_DWELL_UNITS else "that long"
        raise ValueError(f"a step cannot last {seen}: a dwell is 0 or more")


class State(NamedTuple):
    """A task at one position: its phase, the percent of a running step, the reason of a failed one.

    A tuple, because one is made for every poll.
    """

    phase: Phase
    progress: int | None = None
    reason: str | None = None
    word: str | None = None
    unseen: bool = False

    @property
    def is_final(self) -> bool:
        """Nothing follows this phase."""
        return self.phase in FINAL


_QUEUED: Final = State(Phase.QUEUED)
_DONE: Final = Step(Phase.DONE)

#: Sets a field of what is frozen.
_set: Final = object.__setattr__


@lru_cache(64)
def _failed(fail: str | bool) -> Step:  # noqa: FBT001 - as `Timeline.of` takes it
    """The end of a task that has failed, for this reason. Kept, as many tasks have the same."""
    return Step(Phase.FAILED, reason=fail if isinstance(fail, str) else None)


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """All that becomes of a task, as steps, the last of which never ends."""

    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("a timeline needs at least one step")

    def __eq__(self, other: object) -> bool:
        return self.steps == other.steps if isinstance(other, Timeline) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.steps)

    @staticmethod
    def of(*, queued: float = 0, running: float = 0, fail: str | bool = False) -> Timeline:
        """The usual timeline: `queued` and `running` units, then done, or failed for the reason `fail`."""
        return UsualTimeline(queued, running, _DONE if fail is False else _failed(fail))

    @classmethod
    def read(cls, steps: Iterable[Step | Sequence[Any] | str]) -> Timeline:
        """A timeline as people write it: `[("queued", 2), ("running", 5), "done"]`, or `ValueError` with a sentence.

        A step is a phase or `unseen`, where the task is not found; how long it lasts, perhaps `never` to end; and
        perhaps another status word.
        """
        read = tuple(_step(step) for step in steps)
        for step, after in pairwise(read):
            if step.dwell == inf:
                raise ValueError(
                    f"{after.name} comes after {step.name}, which never ends: leave it out, or say how long"
                )
        return cls(read)

    def at(self, position: float) -> State:
        """The state after `position` units. Several steps that are due are all taken.

        A task that runs in several, one after the other, has come so far of them all.
        """
        number = self._number(position)
        state = self.steps[number].state
        if state.phase is Phase.RUNNING and state.progress is None:
            return state._replace(progress=self._progress(number, position))
        return state

    def phase_at(self, position: float) -> Phase:
        """The phase of that state."""
        return self.steps[self._number(position)].phase

    def _number(self, position: float) -> int:
        """Which step it is after `position` units."""
        # Ends are summed up as `length` is: to subtract instead rounds differently, and a task would end late.
        end, last = 0.0, len(self.steps) - 1
        for number, step in enumerate(self.steps):
            end += step.dwell
            if position < end or end == inf or number == last:
                break
        return number

    def _progress(self, number: int, position: float) -> int:
        """Loops, not sums: this is asked with each poll. A step without length parts nothing, as nobody sees it."""
        if self.steps[number].dwell == inf:
            return 0
        first, begun, dwell = number, 0.0, 0.0
        while first and (self.steps[first - 1].phase is Phase.RUNNING or not self.steps[first - 1].dwell):
            first -= 1
        for before in self.steps[:first]:
            begun += before.dwell
        for each in self.steps[first:]:
            if each.phase is not Phase.RUNNING and each.dwell:
                break
            dwell += each.dwell
        done = (position - begun) / dwell if 0 < dwell < inf else 0
        return int(min(_MAX_RUNNING_PERCENT, max(0, 100 * done)))

    @property
    def end(self) -> Step:
        """The last step."""
        return self.steps[-1]

    @property
    def wait(self) -> float:
        """Units before the first step that is not queued."""
        return sum(step.dwell for step in takewhile(lambda step: step.phase is Phase.QUEUED, self.steps[:-1]))

    @property
    def length(self) -> float:
        """Units until the last step begins."""
        return sum(step.dwell for step in self.steps[:-1])

    @property
    def fails_after(self) -> float | None:
        """Units until the first step that has failed, or None where there is none."""
        units = 0.0
        for step in self.steps:
            if step.phase is Phase.FAILED:
                return units
            units += step.dwell
        return None

    def held(self, units: float) -> Timeline:
        """The same timeline, queued so much longer: what waiting for an engine slot does."""
        first, *rest = self.steps
        if first.phase is not Phase.QUEUED:
            return Timeline((Step(Phase.QUEUED, units), *self.steps))
        return Timeline((replace(first, dwell=first.dwell + units), *rest))

    def illegal_moves(self) -> Iterator[str]:
        """The moves that no task of the published service makes, in words; tests may still ask for them."""
        phases = [step.phase for step in self.steps]
        for before, after in pairwise(phases):
            if before is not after and after not in MOVES[before]:
                yield f"{before} became {after}"


class UsualTimeline(Timeline):
    """A task that is queued, runs, and ends. Most do, and where delays are random each has its own: so it is small.

    It inherits as everybody else is to take it for any other timeline. It is 200 bytes less than its three steps.
    """

    __slots__ = ("end", "queued", "running")

    queued: float
    running: float
    end: Step

    def __init__(self, queued: float, running: float, end: Step) -> None:
        _check_dwell(queued)
        _check_dwell(running)
        _set(self, "queued", queued)
        _set(self, "running", running)
        _set(self, "end", end)

    def __repr__(self) -> str:
        return repr(Timeline(self.steps))

    def __reduce__(self) -> tuple[Any, ...]:
        return UsualTimeline, (self.queued, self.running, self.end)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps."""
        return Step(Phase.QUEUED, self.queued), Step(Phase.RUNNING, self.running), self.end

    @property
    def wait(self) -> float:
        """Units before it runs."""
        return self.queued

    @property
    def length(self) -> float:
        """Units until it ends."""
        return self.queued + self.running

    def at(self, position: float) -> State:
        """The state after `position` units."""
        phase = self.phase_at(position)
        if phase is Phase.QUEUED:
            return _QUEUED
        if phase is Phase.RUNNING:
            passed = (position - self.queued) / self.running if 0 < self.running < inf else 0
            return State(phase, int(min(_MAX_RUNNING_PERCENT, max(0, 100 * passed))))
        return self.end.state

    def phase_at(self, position: float) -> Phase:
        """The phase of that state."""
        if position < self.queued or self.queued == inf:
            return Phase.QUEUED
        if position < self.length or self.length == inf:
            return Phase.RUNNING
        return self.end.phase

    @property
    def fails_after(self) -> float | None:
        """Units until it fails, or None where it does not."""
        return self.length if self.end.phase is Phase.FAILED else None

    def held(self, units: float) -> UsualTimeline:
        """The same, queued so much longer."""
        return UsualTimeline(self.queued + units, self.running, self.end)


def _step(written: object) -> Step:
    match written:
        case Step():
            return written
        case str(name) if name in _STEPS:
            return _STEPS[name]
        case [str(name), dwell] if name in _STEPS and (units := _units(dwell)) is not None:
            return replace(_STEPS[name], dwell=units)
        case [str(name), dwell, str(word)] if name in _STEPS and (units := _units(dwell)) is not None:
            return replace(_STEPS[name], dwell=units, word=word)
    raise ValueError(
        f"{echoed(written)} is no step of a timeline: write ('running', 5), or a phase alone: {', '.join(_STEPS)}"
    )


def _units(dwell: object) -> float | None:
    """A dwell as people write it, or None. A number that is too large for Python arrives as `inf`, and is none."""
    if dwell == inf:
        raise ValueError(f"a step cannot last {dwell}: write how long it lasts, or 'never' where it does not end")
    if dwell == NEVER:
        return inf
    return dwell if isinstance(dwell, int | float) and not isinstance(dwell, bool) else None


#: How long a step lasts, as people write it, that never ends.
NEVER: Final = "never"

_UNSEEN: Final = "unseen"

#: What a step is called -> the step, which lasts for ever.
_STEPS: Final[Mapping[str, Step]] = {
    **{str(phase): Step(phase) for phase in Phase},
    _UNSEEN: Step(Phase.QUEUED, unseen=True),
}

#: What steps are called.
STEPS: Final = tuple(_STEPS)
