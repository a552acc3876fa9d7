"""The plan of a session while it is carried out: which rule strikes a request, and what came of each."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable  # noqa: TC003 - a NamedTuple's are looked at when it runs
from functools import partial
from itertools import count
from math import inf
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from safelight.contracts.wording import counted
from safelight.mockserver.faults.rules import FaultRule, PlannedRequest, read_rules
from safelight.traffic.expectations import Missed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.mockserver.storage.memory import Store


class _Line(NamedTuple):
    """A rule under the number that its counters have in the store."""

    serial: int
    rule: FaultRule


class Strike(NamedTuple):
    """A rule that strikes a request, and whom to tell of what came of it."""

    rule: FaultRule
    #: Its fault was delivered to the last byte.
    deliver: Callable[[], None]
    #: There was nothing in the answer for it to spoil.
    spare: Callable[[], None]


#: Tasks whose own rules are kept.
_MOST_TASKS: Final = 10_000


class Plan:
    """The plan of one session while it is carried out. Of several rules for a request the first that is due strikes."""

    def __init__(self, store: Store, key: str, rules: Iterable[FaultRule] = (), *, seed: int = 0) -> None:
        self._store, self._key, self._seed = store, key, seed
        self._lines: tuple[_Line, ...] = ()
        #: Task id -> the rules that its prompt brought, those of the latest tasks.
        self._of_tasks: dict[str, tuple[_Line, ...]] = {}
        #: By serial number: requests that a rule was about, that it struck, and whose fault was delivered.
        self._met: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()
        self._delivered: Counter[int] = Counter()
        self._spared: Counter[int] = Counter()
        #: When the latest requests came that a quota is about.
        self._recent: dict[int, deque[float]] = {}
        self._serials = count()
        self._changing = Lock()
        self.add(*rules)

    def __iter__(self) -> Iterator[FaultRule]:
        return iter([line.rule for line in self._all()])

    def __len__(self) -> int:
        return len(self._all())

    def __bool__(self) -> bool:
        """Whether anything is planned: asked with each request."""
        return bool(self._lines or self._of_tasks)

    def __str__(self) -> str:
        return "\n".join(f"{rule}  (struck {counted(self._struck[serial], 'time')})" for serial, rule in self._all())

    def add(self, *rules: str | FaultRule) -> None:
        """Plan more: `add("poll#2: http 502")`. A rule counts the requests that come from now on."""
        __tracebackhide__ = True
        read = read_rules(rules)
        with self._changing:
            self._lines += tuple(_Line(next(self._serials), rule) for rule in read)

    def add_for(self, task_id: str, rules: Iterable[FaultRule]) -> None:
        """Plan more for one task: other requests do not look at it."""
        lines = tuple(_Line(next(self._serials), rule) for rule in rules)
        with self._changing:
            self._of_tasks[task_id] = (*self._of_tasks.get(task_id, ()), *lines)
            while len(self._of_tasks) > _MOST_TASKS:
                del self._of_tasks[next(iter(self._of_tasks))]

    def clear(self) -> None:
        """Plan nothing."""
        with self._changing:
            self._lines = ()
            self._of_tasks.clear()

    def _all(self) -> list[_Line]:
        with self._changing:
            return [*self._lines, *(line for lines in self._of_tasks.values() for line in lines)]

    def counts(self) -> list[tuple[FaultRule, int, int]]:
        """Each rule, how often it struck, and how often its fault was delivered to the last byte."""
        return [(rule, self._struck[serial], self._delivered[serial]) for serial, rule in self._all()]

    def undelivered(self) -> list[Missed]:
        """The rules whose fault was never delivered, and why."""
        missing = [line for line in self._all() if not self._delivered[line.serial]]
        return [
            Missed(str(rule), rule.kind, self._why(serial), self._struck[serial] + self._spared[serial] > 0)
            for serial, rule in missing
        ]

    def _why(self, serial: int) -> str:
        if self._struck[serial]:
            return "it struck, and the client was gone before its fault was delivered"
        if self._spared[serial]:
            return f"it was due {counted(self._spared[serial], 'time')}, and there was nothing for it to spoil"
        met = self._met[serial]
        return f"{counted(met, 'such request')} came, and none that it strikes" if met else "no such request came"

    def due(self, asked: PlannedRequest) -> Strike | None:
        """The rule that strikes this request, which is counted by this."""
        struck = None
        for serial, rule in (*self._lines, *self._of_tasks.get(asked.task_id, ())):
            if rule.is_about(asked):
                number = self._store.count(self._key, f"rule {serial}", asked.task_id) + 1
                self._met[serial] += 1
                if self._is_due(serial, rule, number, asked) and struck is None:
                    struck = Strike(rule, partial(self._deliver, serial), partial(self._spare, serial))
                    with self._changing:
                        self._struck[serial] += 1
        return struck

    def _deliver(self, serial: int) -> None:
        with self._changing:
            self._delivered[serial] += 1

    def _spare(self, serial: int) -> None:
        with self._changing:
            self._struck[serial] -= 1
            self._spared[serial] += 1

    def _is_due(self, serial: int, rule: FaultRule, number: int, asked: PlannedRequest) -> bool:
        """Each condition is asked for each request, so that none depends on another rule."""
        if not rule.first <= number <= rule.last or (number - rule.first) % rule.every:
            return False
        if rule.quota and not self._is_over(serial, rule.quota, asked.now()):
            return False
        if (rule.since, rule.until) != (0, inf) and not rule.since <= asked.now() < rule.until:
            return False
        return rule.percent == 100 or self._chance(serial, asked.task_id, number) < rule.percent  # noqa: PLR2004 - all

    def _is_over(self, serial: int, quota: float, now: float) -> bool:
        """More requests than the quota came within a second, those that were struck left out."""
        recent = self._recent.setdefault(serial, deque())
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= quota:
            return True
        recent.append(now)
        return False

    def _chance(self, serial: int, task_id: str, number: int) -> float:
        """A number from 0 to 100, the same for the same request of a session with the same seed."""
        return Random(f"{self._seed} {self._key} rule {serial} {task_id} {number}").uniform(0, 100)
