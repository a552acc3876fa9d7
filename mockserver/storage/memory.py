"""Where sessions keep what lasts: tasks, counters, ledger and journal, behind a few atomic verbs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from math import inf, isinf
from threading import RLock
from typing import TYPE_CHECKING, Final, Protocol

from safelight.contracts import Axis, Phase, State, Step, Timeline
from safelight.mockserver.model.ledger import Entry, Ledger
from safelight.traffic.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.mockserver.model.clock import Clock
    from safelight.mockserver.model.task import Task
    from safelight.traffic.exchange import Exchange


#: The counter of a task's polls that were answered, on whatever axis it lives.
ANSWERED: Final = "answered"


class NoSession(LookupError):
    """No session is open for this key, or no longer."""


class Store(Protocol):
    """The verbs of a store. Each is atomic; `key` is the API key whose session is meant."""

    #: Its verbs wait for disk or network: the core is then called in a worker thread.
    does_io: bool

    def open(self, key: str, clock: Clock) -> None:
        """Begin a session with nothing in it, or begin it anew."""

    def close(self, key: str) -> None:
        """Forget a session and all in it."""

    def is_idle(self, key: str) -> bool:
        """No task of the session is still to change."""

    def book(self, key: str, task: Task, *, slots: int | None) -> Task:
        """Keep a task and take its price; with slots, its timeline is held until an engine is free."""

    def refund(self, key: str, task_id: str) -> bool:
        """Return a task's price, once. False: it was returned before."""

    def enter(self, key: str, *entries: Entry) -> None:
        """Write lines into the ledger that no task is about."""

    def find(self, key: str, task_id: str) -> Task | None:
        """The task with this id, if it was issued to this key and is still kept."""

    def count(self, key: str, counter: str, task_id: str = "", *, add: int = 1) -> int:
        """Add to a counter, of the session or of one task. Returns what it was before."""

    def record(self, key: str | None, exchange: Exchange) -> Exchange:
        """Keep an exchange with its gap filled in; without a key, among the orphans."""

    def ledger(self, key: str, *, settled: bool = True) -> Ledger:
        """The session's ledger; settled: with the price of each task that has failed by now returned."""

    def clock(self, key: str) -> Clock:
        """The session's clock."""

    def tasks(self, key: str) -> Sequence[Task]:
        """The tasks that are still kept, in the order of their submits."""

    def journal(self, key: str | None) -> Journal:
        """What was recorded with this key, or without a usable one."""

    def fail(self, key: str, task_id: str, reason: str | None) -> bool:
        """From now on the task is failed, if it has not ended yet. False: it has."""


def state_of(store: Store, key: str, task: Task, *, add: int = 0) -> State:
    """A task's state now. A poll adds itself; whoever only looks sees what the last poll was told."""
    return task.timeline.at(_position(store, key, task, add))


def _position(store: Store, key: str, task: Task, add: int) -> float:
    """How far along its axis a task is."""
    if task.axis is Axis.SECONDS:
        return store.clock(key).now() - task.submitted
    if task.axis is Axis.POLLS:
        before = store.count(key, "polls", task.id, add=add)
        return before if add else max(before - 1, 0)
    return store.count(key, "ticks", task.id, add=0)


@dataclass(slots=True)
class World:
    """What one session keeps."""

    clock: Clock
    tasks: dict[str, Task] = field(default_factory=dict)
    #: Task id ("" for the session) -> counter -> count.
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    journal: Journal = field(default_factory=Journal)
    #: When each engine slot is free again: a heap.
    free: list[float] = field(default_factory=list)
    #: Task id -> when it was last answered about.
    answered: dict[str, float] = field(default_factory=dict)
    #: Ids of tasks whose price was returned.
    refunded: set[str] = field(default_factory=set)
    #: With more tasks, or more bytes of them, it is time to look which are finished.
    mark: int = 0
    mark_bytes: int = 0
    bytes: int = 0
    lock: RLock = field(default_factory=RLock)


class MemoryStore:
    """Everything in this process. Finished tasks are bounded in number and bytes; a living one never goes."""

    does_io = False

    def __init__(self, *, most_finished: int = 10_000, most_bytes: int = 64_000_000) -> None:
        self._worlds: dict[str, World] = {}
        self._most_finished = most_finished
        self._most_bytes = most_bytes
        #: Exchanges of requests without a usable key.
        self.orphans = Journal()

    def open(self, key: str, clock: Clock) -> None:
        """Begin a session with nothing in it, or begin it anew."""
        self._worlds[key] = World(clock, mark=self._most_finished, mark_bytes=self._most_bytes)

    def close(self, key: str) -> None:
        """Forget a session and all in it."""
        self._worlds.pop(key, None)

    def is_idle(self, key: str) -> bool:
        """No task of the session is still to change."""
        return all(state_of(self, key, task).is_final for task in self.world(key).tasks.values())

    def world(self, key: str) -> World:
        """What the session of this key keeps: for reading. Raises `NoSession`."""
        try:
            return self._worlds[key]
        except KeyError:
            raise NoSession from None

    def ledger(self, key: str, *, settled: bool = True) -> Ledger:
        """The session's ledger; settled: with the price of each task that has failed by now returned."""
        world = self.world(key)
        with world.lock:
            for task in world.tasks.values() if settled else ():
                if state_of(self, key, task).phase is Phase.FAILED:
                    self.refund(key, task.id)
        return world.ledger

    def book(self, key: str, task: Task, *, slots: int | None) -> Task:
        """Keep a task and take its price; with slots, its timeline is held until an engine is free."""
        world = self.world(key)
        with world.lock:
            booked = task if slots is None else _held(task, world, slots)
            world.tasks[task.id] = booked
            world.bytes += task.size
            world.ledger.add(Entry(task.submitted, -task.price, task.id, task.operation))
            if len(world.tasks) > world.mark or world.bytes > world.mark_bytes:
                self._forget(key, world)
            return booked

    def refund(self, key: str, task_id: str) -> bool:
        """Return a task's price, once. False: it was returned before."""
        world = self.world(key)
        with world.lock:
            if task_id in world.refunded:
                return False
            world.refunded.add(task_id)
            task = world.tasks[task_id]
            world.ledger.add(Entry(_failed_at(task, world.clock.now()), task.price, task_id, "refund"))
            return True

    def enter(self, key: str, *entries: Entry) -> None:
        """Write lines into the ledger that no task is about."""
        world = self.world(key)
        with world.lock:
            for entry in entries:
                world.ledger.add(entry)

    def find(self, key: str, task_id: str) -> Task | None:
        """The task with this id, if it was issued to this key and is still kept."""
        return self.world(key).tasks.get(task_id)

    def count(self, key: str, counter: str, task_id: str = "", *, add: int = 1) -> int:
        """Add to a counter, of the session or of one task. Returns what it was before."""
        world = self.world(key)
        with world.lock:
            counters = world.counters.setdefault(task_id, {})
            before = counters.get(counter, 0)
            counters[counter] = before + add
            return before

    def record(self, key: str | None, exchange: Exchange) -> Exchange:
        """Keep an exchange with its gap filled in; without a key, among the orphans."""
        world = self._worlds.get(key) if key is not None else None
        if world is None or key is None:
            self.orphans.add(exchange)
            return exchange
        with world.lock:
            if exchange.task_id in world.tasks:
                if exchange.operation == "task_status":
                    self.count(key, ANSWERED, exchange.task_id)
                before = world.answered.get(exchange.task_id)
                world.answered[exchange.task_id] = exchange.at
                exchange = exchange if before is None else exchange.after(before)
            world.journal.add(exchange)
            return exchange

    def clock(self, key: str) -> Clock:
        """The session's clock."""
        return self.world(key).clock

    def tasks(self, key: str) -> Sequence[Task]:
        """The tasks that are still kept, in the order of their submits."""
        world = self.world(key)
        with world.lock:
            return list(world.tasks.values())

    def journal(self, key: str | None) -> Journal:
        """What was recorded with this key, or without a usable one."""
        return self.orphans if key is None else self.world(key).journal

    def fail(self, key: str, task_id: str, reason: str | None) -> bool:
        """From now on the task is failed, if it has not ended yet. False: it has."""
        world = self.world(key)
        with world.lock:
            task = world.tasks[task_id]
            position = _position(self, key, task, 0)
            state = task.timeline.at(position)
            if state.is_final:
                return False
            # It is never asked about earlier positions again, so that one step stands for all that was.
            steps = (Step(state.phase, position), Step(Phase.FAILED, reason=reason))
            world.tasks[task_id] = replace(task, timeline=Timeline(steps))
            return True

    def _forget(self, key: str, world: World) -> None:
        """Let the oldest finished tasks go, a tenth more than needed.

        Each time all tasks are looked at; the next time comes when there are half as many again, so that this costs
        a submit no more however many tasks are alive.
        """
        finished = [task for task in world.tasks.values() if state_of(self, key, task).is_final]
        surplus, room = len(finished) - self._most_finished * 9 // 10, self._most_bytes * 9 // 10
        for task in finished:
            if surplus <= 0 and world.bytes <= room:
                break
            surplus -= 1
            world.bytes -= task.size
            if state_of(self, key, task).phase is Phase.FAILED:
                self.refund(key, task.id)
            del world.tasks[task.id]
            world.counters.pop(task.id, None)
            world.answered.pop(task.id, None)
            world.refunded.discard(task.id)
        world.mark = max(self._most_finished, len(world.tasks) * 3 // 2)
        world.mark_bytes = max(self._most_bytes, world.bytes * 3 // 2)


def _failed_at(task: Task, now: float) -> float:
    """When a failed task failed: on the seconds axis its life says so, elsewhere it is seen now."""
    return task.submitted + task.timeline.length if task.axis is Axis.SECONDS else now


def _held(task: Task, world: World, slots: int) -> Task:
    """The task as it lives when it has to wait for one of the slots, in the order of submits."""
    ready = task.submitted + task.timeline.wait
    if isinf(ready):
        return task
    # A slot is on the heap once a task has had it.
    begins = ready if len(world.free) < slots else max(ready, heappop(world.free))
    endless = task.timeline.steps[-1].phase is Phase.RUNNING
    heappush(world.free, inf if endless else begins + task.timeline.length - task.timeline.wait)
    return replace(task, timeline=task.timeline.held(begins - ready))
