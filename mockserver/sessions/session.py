"""The key is the world: what the core knows of one API key, and what it does to the tasks of that key."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from random import Random
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts import Axis, State
from safelight.mockserver.faults.plan import Plan
from safelight.mockserver.faults.rules import read_rules
from safelight.mockserver.model.credits import plus
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.ledger import Entry
from safelight.mockserver.model.messages import Refused
from safelight.mockserver.model.settings import SLOTS_NEED_SECONDS, Settings, User
from safelight.mockserver.model.task import Task
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.storage.memory import ANSWERED, Store, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.model.credits import Credits
    from safelight.mockserver.model.engines import Engine, NewId


#: From one serial number to the next that is tried, where an id is taken: farther than any session counts.
_FAR: Final = 10**12


@dataclass(eq=False, slots=True)
class Session:
    """One key: its settings, its seed, and what was said about the tasks to come."""

    key: str
    store: Store
    settings: Settings = field(default_factory=Settings)
    seed: int = 0
    overrides: deque[TaskOverride] = field(default_factory=deque)
    #: Held for a whole request: what a session does, it does in one order.
    lock: RLock = field(default_factory=RLock)
    #: What goes wrong, and when.
    plan: Plan = field(init=False)
    #: Who the key belongs to.
    user: User = field(init=False)
    #: The key is not accepted any longer; what it had is still there.
    revoked: bool = field(init=False)
    #: Closed, or begun anew: what still waits for it is another one's.
    is_over: bool = False
    #: When it began, in seconds of its clock.
    began: float = 0
    #: Serial numbers of tasks start here.
    _first: int = field(init=False)

    def __post_init__(self) -> None:
        self.plan = Plan(self.store, self.key, read_rules(self.settings.plan), seed=self.seed)
        self.user = self.settings.user or _anybody(self.key)
        self.revoked = self.settings.revoked
        self._first = Random(f"{self.seed} {self.key}").getrandbits(40)

    def now(self) -> float:
        """The time of the session's clock, in seconds."""
        return self.store.clock(self.key).now()

    def passed(self) -> float:
        """Seconds since the session began."""
        return self.now() - self.began

    @property
    def credits(self) -> Credits:
        """What is left: the balance at the start, with all that was taken and returned."""
        return plus(self.settings.balance, self.store.ledger(self.key).total)

    def find(self, task_id: str) -> Task | None:
        """The task with this id, if it is this session's."""
        return self.store.find(self.key, task_id)

    def state(self, task: Task, *, add: int = 0) -> State:
        """The task's state now; `add` 1 counts this as a poll."""
        return state_of(self.store, self.key, task, add=add)

    def answered(self, task_id: str) -> int:
        """How many polls of a task were answered."""
        return self.store.count(self.key, ANSWERED, task_id, add=0)

    def settle(self, said: TaskOverride) -> None:
        """Say something about a task to come: the first one about which nothing was said yet."""
        with self.lock:
            self.check(said)
            self.overrides.append(said)

    def check(self, said: TaskOverride) -> None:
        """Raises `ValueError` with a sentence where this cannot become of a task of this session."""
        if said.id is not None and (self.find(said.id) or any(said.id == other.id for other in self.overrides)):
            raise ValueError(f"there is a task with the id {said.id!r} already: ids are never given twice")
        if self.settings.slots and said.axis not in (None, Axis.SECONDS):
            raise ValueError(SLOTS_NEED_SECONDS)

    def release(self, task_id: str, ticks: int = 1) -> None:
        """Move a task on the axis of ticks along."""
        if self.find(task_id) is None:
            raise ValueError(f"no task {task_id!r}: it was never issued to this key")
        self.store.count(self.key, "ticks", task_id, add=ticks)

    def submit(
        self,
        operation: str,
        request: Mapping[str, Any],
        workflow: str,
        engine: Engine,
        *,
        size: int,
        life: TaskOverride | None = None,
    ) -> Task:
        """Accept a valid request: draw its task's life, id and seed, and book it. Raises `Refused`.

        A `life` that the request itself asks for comes before what was said about the next one.
        """
        price = self.settings.price_of(operation)
        self._check_balance(price)
        if engine.name in self.settings.down:
            self._give_back(operation, price)
            raise Refused(HTTPStatus.BAD_GATEWAY, f"Upstream error: {engine.title} does not answer")
        number = self.store.count(self.key, "submits") + 1
        of_workflow = self.store.count(self.key, f"submits {workflow}") + 1
        random = Random(f"{self.seed} {self.key} {number}")
        said = life or (self.overrides.popleft() if self.overrides else TaskOverride())
        lives = self.settings.profile_of(workflow)
        drawn = lives.draw(of_workflow if workflow in self.settings.workflows else number, random)
        task = Task(
            id=said.id or self._unused(engine.new_id, random, number),
            number=number,
            operation=operation,
            workflow=workflow,
            request=request,
            seed=_pixel_seed(request, random),
            timeline=said.applied(drawn, random),
            axis=Axis(said.axis) if said.axis else lives.axis,
            submitted=self.now(),
            price=price,
            size=size,
        )
        return self.store.book(self.key, task, slots=self.settings.slots_of(workflow))

    def _give_back(self, operation: str, price: Credits) -> None:
        """The engine is asked once it is paid for, and what it did not do is not: both are written down."""
        taken, given = Entry(self.now(), -price, "", operation), Entry(self.now(), price, "", "refund")
        self.store.enter(self.key, taken, given)

    def _check_balance(self, cost: Credits) -> None:
        """Before anything else: a submit that is refused uses nothing up."""
        enough = plus(self.settings.balance, self.store.ledger(self.key, settled=False).total) >= cost
        # Who failed and is still to be paid back is looked for only where it matters.
        if not enough and self.credits < cost:
            raise Refused(HTTPStatus.PAYMENT_REQUIRED, "Insufficient balance")

    def _unused(self, new_id: NewId, random: Random, number: int) -> str:
        """An id that no task has, and none that was settled beforehand will have."""
        settled = {said.id for said in self.overrides}
        for serial in count(self._first + number, _FAR):
            drawn = new_id(random, serial)
            if drawn not in settled and not self.find(drawn):
                break
        return drawn


def _anybody(key: str) -> User:
    """A user of no meaning, and the same for a key each time."""
    name = fingerprint(key)
    return User(int(name, 16) % 1_000_000, f"user-{name[:6]}")


def _pixel_seed(request: Mapping[str, Any], random: Random) -> int:
    drawn = random.getrandbits(32)
    asked = int(request.get("seed", -1))
    return drawn if asked < 0 else asked
