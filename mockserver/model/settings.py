"""The settings of a session: task profiles, prices, faults and dialects."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Final

from safelight.contracts import Axis, operations, workflows
from safelight.contracts.dialects import check_dialect
from safelight.contracts.wording import did_you_mean, echoed, listed, shown
from safelight.mockserver.model.credits import times
from safelight.mockserver.model.delays import NO_DELAY
from safelight.mockserver.model.engines import ENGINES
from safelight.mockserver.model.recorded_task import MAX_RECORDED_TASKS, RecordedTask
from safelight.mockserver.model.task_profile import TaskProfile, check_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safelight.mockserver.model.credits import Credits

SLOTS_NEED_SECONDS: Final = (
    "engine slots need timelines in seconds (queued and running): polls and ticks do not say when a slot is free"
)


#: Credits at the start, unless somebody says otherwise.
BALANCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class User:
    """Who a key belongs to, as `user_balance` says."""

    id: int
    name: str


def kinds() -> tuple[str, ...]:
    """The names that can have a task profile of their own: workflows, and submits without workflows."""
    return (*workflows(), *(name for name in submits() if name != "image_generation"))


def submits() -> tuple[str, ...]:
    """The operations that are paid for."""
    return tuple(name for name, operation in operations().items() if operation.is_submit)


def check_names(given: Iterable[str], known: Iterable[str], kind: str) -> None:
    """Raises `ValueError` with a sentence where one of the names is not known."""
    options = list(known)
    for name in given:
        if name not in options:
            near = did_you_mean(name, options) or f": there are {listed(options)}"
            raise ValueError(f"no {kind} is called {echoed(name)}{near}")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a session is like, and what it does to its tasks."""

    profile: TaskProfile = field(default_factory=TaskProfile)
    #: Workflow -> its own task profile.
    workflows: Mapping[str, TaskProfile] = field(default_factory=dict)
    #: How many tasks an engine runs at once; None: as many as come. On the seconds axis only.
    slots: int | None = None
    vocabulary: str = "published"
    #: What goes wrong, and when: fault rules as they read.
    plan: tuple[str, ...] = ()
    #: Ids of the first tasks, in their order.
    ids: tuple[str, ...] = ()
    #: Credits at the start.
    balance: Credits = BALANCE
    #: Operation -> credits for each of its tasks, where they are not as published.
    prices: Mapping[str, Credits] = field(default_factory=dict)
    #: A factor on all prices.
    cost_scale: float = 1
    #: Engines that do not answer.
    down: frozenset[str] = frozenset()
    #: How errors are written, and what becomes of values over their maximum.
    errors: str = "object"
    limits: str = "reject"
    #: How requests are read.
    requests: str = "published"
    #: Who the key belongs to; None: somebody.
    user: User | None = None
    #: The key is not accepted.
    revoked: bool = False
    #: A prompt can say what becomes of its task: `[[safelight running=5]]`.
    directives: bool = True
    #: Tasks whose timelines those to come get, in the place of what the profile says.
    recorded: tuple[RecordedTask, ...] = ()

    def __post_init__(self) -> None:
        check_names(self.workflows, kinds(), "workflow")
        check_names(self.prices, submits(), "submit")
        check_names(self.down, ENGINES, "engine")
        if len(self.recorded) > MAX_RECORDED_TASKS:
            raise ValueError(f"{len(self.recorded):,} recorded tasks are too many: the most is {MAX_RECORDED_TASKS:,}")
        for number, task_id in enumerate(self.ids):
            check_id(task_id)
            if task_id in self.ids[:number]:
                raise ValueError(f"the id {task_id!r} is given twice: each task has its own")
        if self.slots is not None and (type(self.slots) is not int or self.slots < 1):
            raise ValueError(f"{shown(self.slots)} engine slots would run nothing: give a whole number, 1 or more")
        if self.slots and any(profile.axis is not Axis.SECONDS for profile in (self.profile, *self.workflows.values())):
            raise ValueError(SLOTS_NEED_SECONDS)
        for setting in ("vocabulary", "errors", "limits", "requests"):
            check_dialect(setting, getattr(self, setting))

    def profile_of(self, workflow: str) -> TaskProfile:
        """The task profile of a workflow."""
        if self._is_instant(workflow):
            return replace(self.profile, queued=NO_DELAY, running=NO_DELAY)
        return self.workflows.get(workflow, self.profile)

    def slots_of(self, workflow: str) -> int | None:
        """The slots that tasks of this workflow wait for: none where the result is there at once."""
        return None if self._is_instant(workflow) else self.slots

    def price_of(self, operation: str) -> Credits:
        """Credits that one accepted submit of this operation costs."""
        return times(self.prices.get(operation, operations()[operation].price), self.cost_scale)

    def _is_instant(self, workflow: str) -> bool:
        return workflow in _instant() and workflow not in self.workflows


@cache
def _instant() -> frozenset[str]:
    """The workflows whose result is there at once."""
    return frozenset(name for name, workflow in workflows().items() if workflow.instant)
