"""A task override: options of one task to come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safelight.contracts import Axis, Phase, Step, Timeline
from safelight.contracts.wording import echoed
from safelight.mockserver.model.delays import delay
from safelight.mockserver.model.task_profile import check_id, check_text

if TYPE_CHECKING:
    from safelight.mockserver.model.chance import Chance


@dataclass(frozen=True, slots=True)
class TaskOverride:
    """Options of one task to come. What they leave out is drawn as for any other task."""

    timeline: Timeline | None = None
    #: Delays as people write them: `2`, `1..3`, `never`.
    queued: str | float | None = None
    running: str | float | None = None
    fail: str | bool | None = None
    id: str | None = None
    axis: Axis | str | None = None

    def __post_init__(self) -> None:
        parts = (self.queued, self.running, self.fail)
        if self.timeline and any(part is not None for part in parts):
            raise ValueError("a timeline says all of a task: leave out queued, running and fail")
        for units in (self.queued, self.running):
            if units is not None:
                delay(units)  # or it says why that is none
        check_text(self.fail, "reason")
        if not isinstance(self.fail, str | bool | None):
            raise ValueError(f"fail is {echoed(self.fail)}: give True, False, or the reason as a text")  # noqa: TRY004 - as all
        if self.axis is not None and self.axis not in list(Axis):
            raise ValueError(f"{echoed(self.axis)} is no axis: there are {', '.join(Axis)}")
        if self.id is not None:
            check_id(self.id)

    def applied(self, drawn: Timeline, chance: Chance) -> Timeline:
        """The drawn timeline with these options in place of what was drawn."""
        if self.timeline or (self.queued, self.running, self.fail) == (None, None, None):
            return self.timeline or drawn
        # `queued`, `running` and `fail` are about these three steps.
        is_usual = [step.phase for step in drawn.steps[:-1]] == [Phase.QUEUED, Phase.RUNNING]
        queued, running, end = drawn.steps if is_usual else Timeline.of().steps
        if self.fail is not None:
            end = Timeline.of(fail=self.fail).steps[-1]
        return Timeline((_lasting(queued, self.queued, chance), _lasting(running, self.running, chance), end))


def _lasting(step: Step, units: str | float | None, chance: Chance) -> Step:
    return step if units is None else replace(step, dwell=delay(units).draw(chance))
