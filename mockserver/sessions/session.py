"""One session, as operations see it: a view on its state within a transaction."""

from __future__ import annotations

from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts import Axis, Phase, State
from safelight.contracts.wording import echoed
from safelight.mockserver.faults.plan import Plan
from safelight.mockserver.faults.rules import reread_rule
from safelight.mockserver.model import booking
from safelight.mockserver.model.chance import Chance
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.model.credits import plus
from safelight.mockserver.model.kept_bytes import kept_bytes
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.ledger import Entry
from safelight.mockserver.model.messages import Refused
from safelight.mockserver.model.recorded_task import recorded_timeline
from safelight.mockserver.model.session_state import ALL_SUBMITS, Bounds, SessionState
from safelight.mockserver.model.settings import SLOTS_NEED_SECONDS, User
from safelight.mockserver.model.task import Task, parameters_as_json
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.storage.store import NoSession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.model.clock import Clock
    from safelight.mockserver.model.credits import Credits
    from safelight.mockserver.model.engines import Engine, NewId
    from safelight.mockserver.model.ledger import Ledger
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.storage.store import Store

#: Tasks to come for which something is settled.
MAX_OVERRIDES: Final = 1_000

#: From one serial number to the next that is tried, where an id is taken: farther than any session counts.
_SERIAL_STEP: Final = 10**12


def new_state(
    key: str, settings: Settings, clock: Clock, seed: int, bounds: Bounds, *, is_guest: bool = False
) -> SessionState:
    """A session with nothing in it, and its plan."""
    state = SessionState(key, settings, seed, clock, bounds, is_guest)
    Plan(state).add(*map(reread_rule, settings.plan))
    return state


class EnteredSession:
    """A session within its transaction, while a block runs. Raises `NoSession` where there is none of this name.

    A class, since a generator costs a request a microsecond.
    """

    __slots__ = ("_transaction",)

    def __init__(self, store: Store, name: str) -> None:
        self._transaction = store.transaction(name)

    def __enter__(self) -> Session:
        state = self._transaction.__enter__().state
        if state is None:
            self._transaction.__exit__(None, None, None)
            raise NoSession
        return Session(state)

    def __exit__(self, *error: object) -> None:
        self._transaction.__exit__(*error)


class Session:
    """A view on the state of a session. Whoever holds one has entered a transaction, or reads alone."""

    __slots__ = ("data",)

    def __init__(self, data: SessionState) -> None:
        self.data = data

    @property
    def key(self) -> str:
        """The API key whose session it is."""
        return self.data.key

    @property
    def name(self) -> str:
        """What the session is called in a store, in logs and in URLs: the fingerprint of its key."""
        return fingerprint(self.data.key)

    @property
    def settings(self) -> Settings:
        """What the session is like."""
        return self.data.settings

    @property
    def clock(self) -> Clock:
        """The session's time."""
        return self.data.clock

    @property
    def plan(self) -> Plan:
        """What goes wrong, and when."""
        return Plan(self.data)

    @property
    def has_plan(self) -> bool:
        """Whether anything is planned."""
        return bool(self.data.plan.rules or self.data.plan.of_tasks)

    @property
    def user(self) -> User:
        """Who the key belongs to; where nobody was configured, a user made up from the key."""
        if self.settings.user:
            return self.settings.user
        return User(int(self.name, 16) % 1_000_000, f"user-{self.name[:6]}")

    def now(self) -> float:
        """The time of the session's clock, in seconds."""
        return self.data.clock.now()

    def passed(self) -> float:
        """Seconds since the session began."""
        return self.now() - self.data.began

    @property
    def tasks(self) -> list[Task]:
        """The tasks that are still kept, in the order of their submits."""
        return list(self.data.tasks.values())

    def tasks_after(self, number: int, most: int) -> list[Task]:
        """Those of higher numbers, the first ones, so many at most."""
        return booking.tasks_after(self.data, number, most)

    @property
    def ledger(self) -> Ledger:
        """What was paid and returned, with the price of each task that has failed by now."""
        booking.settle(self.data)
        return self.data.ledger

    @property
    def credits(self) -> Credits:
        """Credits left: the balance at the start, with all that was taken and returned."""
        return plus(self.settings.balance, self.ledger.total)

    def is_idle(self) -> bool:
        """No task of the session is still to change."""
        return booking.is_idle(self.data)

    def find(self, task_id: str) -> Task | None:
        """The task with this id, if it was issued to this key and is still kept."""
        return self.data.tasks.get(task_id)

    def knows(self, task_id: str) -> bool:
        """A task has this id, or is to get it."""
        return self.find(task_id) is not None or self._is_reserved(task_id)

    def state(self, task: Task, *, add: int = 0) -> State:
        """The task's state now; `add` 1 counts this as a poll."""
        return booking.state_of(self.data, task, add=add)

    def phase(self, task: Task) -> Phase:
        """The phase alone of the task's state."""
        return booking.phase_of(self.data, task)

    def answered(self, task_id: str) -> int:
        """How many polls of a task were answered."""
        counts = self.data.counts.get(task_id)
        return counts.answered if counts else 0

    def override(self, override: TaskOverride) -> None:
        """Override the next task that has no override yet. Raises `ValueError` with a sentence."""
        self.check(override)
        if len(self.data.overrides) == MAX_OVERRIDES:
            raise ValueError(f"{MAX_OVERRIDES:,} tasks to come have overrides, and that is the most: submit some first")
        self.data.overrides.append(override)

    def check(self, override: TaskOverride) -> None:
        """Raises `ValueError` with a sentence where no task of this session can be so."""
        if override.id is not None and self.knows(override.id):
            raise ValueError(f"there is a task with the id {echoed(override.id)} already: ids are never given twice")
        if self.settings.slots and override.axis not in (None, Axis.SECONDS):
            raise ValueError(SLOTS_NEED_SECONDS)

    def release(self, task_id: str, ticks: int = 1) -> None:
        """Move a task on the axis of ticks along."""
        task = self.find(task_id)
        if task is None:
            raise ValueError(f"no task {echoed(task_id)}: it was never issued to this key")
        booking.release(self.data, task, ticks)

    def fail(self, task_id: str, reason: str | None = None) -> bool:
        """Let a task fail now, if it has not ended. False: it has."""
        return booking.fail(self.data, self.data.tasks[task_id], reason)

    def refund(self, task: Task) -> None:
        """Return the price of a task, once."""
        booking.refund(self.data, task)

    def adopt(self, before: Settings, after: Settings) -> None:
        """Go on with other settings, unless somebody has given it others than these. All that it has stays."""
        if self.settings != before or before == after:
            return
        self.plan.change(before.plan, after.plan)
        self.data.settings = after
        if before.revoked != after.revoked:
            self.data.revoked = after.revoked

    def rescale(self, before: float, after: float) -> None:
        """Let its clock run at another speed, unless somebody has given it another than this."""
        if before != after and isinstance(self.clock, AdjustableClock) and self.clock.speed == before:
            self.clock.scale(after)

    def revoke(self) -> None:
        """From now on the key is answered with 401. What it had stays."""
        self.data.revoked = True

    def submit(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        workflow: str,
        engine: Engine,
        *,
        body: bytes | None = None,
        override: TaskOverride | None = None,
    ) -> Task:
        """Accept a valid request: draw its task's timeline and id, and book it. Raises `Refused`.

        The parameters are kept as the `body` in which they were sent, where that has no others. An `override` that the
        request itself brings comes before those that were set for the next tasks.
        """
        settings, price = self.settings, self.settings.price_of(operation)
        self._check_balance(price)
        if engine.name in settings.down:
            # An engine is reached once it is paid for: the price and its refund are both booked.
            self.data.ledger.add(Entry(self.now(), -price, "", operation))
            self.data.ledger.add(Entry(self.now(), price, "", "refund"))
            raise Refused(HTTPStatus.BAD_GATEWAY, f"Upstream error: {engine.title} does not answer")
        number, of_workflow = self._counted(ALL_SUBMITS), self._counted(workflow)
        chance = Chance(f"{self.data.seed} {self.key} {number}")
        override = override or self._next_override(operation, parameters)
        profile = settings.profile_of(workflow)
        drawn = profile.draw(of_workflow if workflow in settings.workflows else number, chance)
        given = settings.ids[number - 1] if number <= len(settings.ids) else None
        task_id = override.id or given or self._unused_id(engine.new_id, chance, number)
        task = Task(
            id=task_id,
            number=number,
            operation=operation,
            workflow=workflow,
            body=parameters_as_json(parameters) if body is None else kept_bytes(body),
            timeline=override.applied(drawn, chance),
            axis=Axis(override.axis) if override.axis else profile.axis,
            submitted=self.now(),
            price=price,
        )
        return booking.book(self.data, task, slots=settings.slots_of(workflow))

    def _next_override(self, operation: str, parameters: Mapping[str, Any]) -> TaskOverride:
        """What was set for the next task, or what a recorded task says."""
        if self.data.overrides:
            return self.data.overrides.pop(0)
        recorded = self.settings.recorded
        timeline = recorded_timeline(recorded, operation, parameters, self._counted) if recorded else None
        return TaskOverride(timeline=timeline, axis=Axis.SECONDS) if timeline else _NO_OVERRIDE

    def _counted(self, counter: str) -> int:
        number = self.data.submits[counter] = self.data.submits.get(counter, 0) + 1
        return number

    def _check_balance(self, price: Credits) -> None:
        """Before anything else: a submit that is refused uses nothing up."""
        is_enough = plus(self.settings.balance, self.data.ledger.total) >= price
        # Which tasks failed and are still to be paid back matters only where it is not.
        if not is_enough and self.credits < price:
            raise Refused(HTTPStatus.PAYMENT_REQUIRED, "Insufficient balance")

    def _ids_to_come(self) -> tuple[str, ...]:
        """The ids that the settings give to tasks that are still to come."""
        return self.settings.ids[self.data.submits.get(ALL_SUBMITS, 0) :]

    def _unused_id(self, new_id: NewId, chance: Chance, number: int) -> str:
        """An id that no task has, and that no override gives to one to come."""
        for serial in count(self.data.first_serial + number, _SERIAL_STEP):
            drawn = new_id(chance, serial)
            if not self.knows(drawn):
                break
        return drawn

    def _is_reserved(self, task_id: str) -> bool:
        """An override or the settings give this id to a task to come."""
        if not (self.data.overrides or self.settings.ids):
            return False
        return any(override.id == task_id for override in self.data.overrides) or task_id in self._ids_to_come()


_NO_OVERRIDE: Final = TaskOverride()
