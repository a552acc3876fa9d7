"""A session as plain data: all that decides an answer, and that a store has to keep. It can be written as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING, Final, NamedTuple

from safelight.mockserver.model.chance import Chance
from safelight.mockserver.model.index import Index
from safelight.mockserver.model.ledger import Ledger

if TYPE_CHECKING:
    from safelight.mockserver.model.clock import Clock
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.model.task import Task
    from safelight.mockserver.model.task_override import TaskOverride

#: The counter of all submits of a session; the others are those of one workflow.
ALL_SUBMITS: Final = ""


class Bounds(NamedTuple):
    """How much a session keeps of its finished tasks. A living task is never forgotten."""

    max_finished_tasks: int = 10_000
    max_task_bytes: int = 64_000_000


DEFAULT_BOUNDS: Final = Bounds()


class PlannedRule(NamedTuple):
    """A fault rule as it reads, under the serial number that it has in its session."""

    serial: int
    text: str


@dataclass(slots=True)
class RuleCounts:
    """How many requests a fault rule was about, how many it struck, and what became of its fault."""

    met: int = 0
    struck: int = 0
    #: The fault was delivered: it reached its client.
    delivered: int = 0
    #: The fault found nothing to spoil.
    spared: int = 0


@dataclass(slots=True)
class PlanState:
    """The fault rules of a session with their counters."""

    rules: tuple[PlannedRule, ...] = ()
    #: Task id -> the rules that its prompt brought.
    of_tasks: dict[str, tuple[PlannedRule, ...]] = field(default_factory=dict)
    #: The tasks that have some, in the order in which they brought them.
    with_rules: Index = field(default_factory=Index)
    #: Serial number -> counts.
    counts: dict[int, RuleCounts] = field(default_factory=dict)
    #: Task id, or nothing for submits -> serial number -> requests counted.
    numbers: dict[str, dict[int, int]] = field(default_factory=dict)
    #: Serial number -> when the latest requests within a quota came, in seconds of the session.
    recent: dict[int, list[float]] = field(default_factory=dict)
    next_serial: int = 0


@dataclass(slots=True)
class TaskCounts:
    """What was counted of one task."""

    #: Polls, or ticks, that moved it along the axis of its timeline.
    moved: int = 0
    #: Polls that were answered, on whatever axis.
    answered: int = 0
    #: When it was last answered about, in seconds of the session's clock; None: not since its submit.
    answered_at: float | None = None
    #: Its price was returned.
    refunded: bool = False


@dataclass(slots=True)
class SessionState:
    """One session. The functions of `booking` and the class `Session` change it, within a transaction of a store."""

    key: str = field(repr=False)
    settings: Settings
    seed: int
    clock: Clock
    bounds: Bounds = DEFAULT_BOUNDS
    #: It was opened because any key is welcome: it ends where there are too many of these.
    is_guest: bool = False
    #: It tells this session from an earlier one of the same key.
    identity: str = field(default_factory=lambda: token_hex(8))
    #: When the session began, in seconds of its clock.
    began: float = field(init=False)
    #: The key is not accepted any longer; what it had is still there.
    revoked: bool = field(init=False)
    #: Serial numbers of tasks start here.
    first_serial: int = field(init=False)
    #: For the tasks to come, the next one first.
    overrides: list[TaskOverride] = field(default_factory=list)
    plan: PlanState = field(default_factory=PlanState)
    #: `ALL_SUBMITS`, a workflow, or what recorded tasks are alike in -> submits accepted.
    submits: dict[str, int] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    #: Task id -> what was counted of it, once something was.
    counts: dict[str, TaskCounts] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    #: All tasks, where a store does not have them at hand in the order of their submits.
    by_number: Index | None = None
    #: The tasks that were not seen to have ended, by when they do, where that is known.
    ends: Index = field(default_factory=Index)
    #: Those that have, the first one first.
    ended: Index = field(default_factory=Index)
    #: When a task fails: its price is to be returned then.
    refunds_due: Index = field(default_factory=Index)
    #: A heap: when each engine slot is free again, in seconds of the clock.
    slots_free: list[float] = field(default_factory=list)
    #: Bytes of the requests of the tasks that are kept.
    task_bytes: int = 0

    def __post_init__(self) -> None:
        self.began = self.clock.now()
        self.revoked = self.settings.revoked
        self.first_serial = Chance(f"{self.seed} {self.key}").bits(40)
