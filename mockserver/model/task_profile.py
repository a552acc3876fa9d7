"""The task profile: how long tasks wait and run, and which of them fail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from safelight.contracts import Axis, Timeline
from safelight.contracts.wording import echoed, shown
from safelight.mockserver.model.delays import NO_DELAY, Delay, Fixed

if TYPE_CHECKING:
    from safelight.mockserver.model.chance import Chance


@dataclass(frozen=True, slots=True)
class TaskProfile:
    """How long tasks wait and run, and which of them fail."""

    queued: Delay = NO_DELAY
    running: Delay = NO_DELAY
    axis: Axis = Axis.SECONDS
    #: The share of tasks that fail, 0 to 1.
    fail_rate: float = 0.0
    #: What failed tasks say; None is the service's own sentence.
    fail_reason: str | None = None
    #: Tasks that fail whatever the rate, counted from 1.
    fail_nth: frozenset[int] = frozenset()
    #: The timeline of all tasks, whatever the other fields say.
    timeline: Timeline | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.fail_rate <= 1:
            raise ValueError(f"a fail rate of {shown(self.fail_rate)} is no share: give 0 to 1")
        check_text(self.fail_reason, "reason")

    def draw(self, number: int, chance: Chance) -> Timeline:
        """The timeline of the `number`-th task."""
        queued, running = self.queued.draw(chance), self.running.draw(chance)
        # Drawn always, so that a change of the rate changes no other number.
        unlucky = chance.share() < self.fail_rate
        fail = (self.fail_reason or True) if unlucky or number in self.fail_nth else False
        if self.timeline:
            return self.timeline
        is_fixed = isinstance(self.queued, Fixed) and isinstance(self.running, Fixed)
        return _shared(queued, running, fail) if is_fixed else Timeline.of(queued=queued, running=running, fail=fail)


@lru_cache(1_024, typed=True)
def _shared(queued: float, running: float, fail: str | bool) -> Timeline:  # noqa: FBT001 - the key of a cache
    """One for all tasks that have the same."""
    return Timeline.of(queued=queued, running=running, fail=fail)


def check_text(text: object, name: str) -> None:
    """What is answered has to be UTF-8."""
    if isinstance(text, str) and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{echoed(text)} is no {name}: half a surrogate pair is no character")


def check_id(task_id: object) -> None:
    """Raises `ValueError` with a sentence where this is no id of a task."""
    if not isinstance(task_id, str):
        raise ValueError(f"{echoed(task_id)} is no id: ids are texts, those of digits too")  # noqa: TRY004 - as all here
    if task_id == "":
        raise ValueError("a task needs an id of at least one character")
    check_text(task_id, "id")
