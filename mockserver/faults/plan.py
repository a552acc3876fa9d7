"""The plan of a session: which fault rule strikes a request, and what came of each."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from safelight.contracts.wording import counted
from safelight.mockserver.faults.rules import FaultRule, PlannedRequest, read_rules, reread_rule
from safelight.mockserver.model.chance import Chance
from safelight.mockserver.model.index import Place
from safelight.mockserver.model.session_state import PlannedRule, RuleCounts
from safelight.traffic.expectations import Missed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from safelight.mockserver.model.session_state import SessionState

#: Fault rules of a plan, without those of tasks.
MAX_RULES: Final = 1_000

#: Tasks whose own fault rules are kept.
MAX_TASKS_WITH_RULES: Final = 10_000

#: A fault rule from its text. Kept, as each request asks for those of its plan.
_read: Final = lru_cache(4_096)(reread_rule)


class Strike(NamedTuple):
    """A fault rule that strikes a request, under its serial number."""

    serial: int
    rule: FaultRule


class Plan:
    """The plan of one session, on its state. Of several rules for a request the first that is due strikes."""

    __slots__ = ("_plan", "_session")

    def __init__(self, session: SessionState) -> None:
        self._session, self._plan = session, session.plan

    def __iter__(self) -> Iterator[FaultRule]:
        return iter([_read(rule.text) for rule in self._all()])

    def __len__(self) -> int:
        return len(self._all())

    def __str__(self) -> str:
        return "\n".join(f"{rule}  (struck {counted(struck, 'time')})" for rule, struck, _ in self.counts())

    def add(self, *rules: str | FaultRule) -> None:
        """Plan more: `add("poll#2: http 502")`. A rule counts the requests that come from now on."""
        __tracebackhide__ = True
        read = read_rules(rules)
        if len(self._plan.rules) + len(read) > MAX_RULES:
            raise ValueError(
                f"a plan has {MAX_RULES:,} rules at most, as each request is held against all of them:"
                f" {len(self._plan.rules):,} are there, and {len(read):,} come"
            )
        self._plan.rules += self._numbered(read)

    def add_for(self, task_id: str, rules: Iterable[FaultRule]) -> None:
        """Plan more for one task: other requests do not look at it."""
        of_tasks, with_rules = self._plan.of_tasks, self._plan.with_rules
        if not (numbered := self._numbered(rules)):
            return
        if task_id not in of_tasks:
            with_rules.add(Place(0.0, numbered[0].serial, task_id))
        of_tasks[task_id] = (*of_tasks.get(task_id, ()), *numbered)
        for place in with_rules.first(max(0, len(of_tasks) - MAX_TASKS_WITH_RULES)):
            with_rules.discard(place)
            for rule in of_tasks.pop(place.task_id):
                self._plan.counts.pop(rule.serial, None)

    def change(self, before: Iterable[str], after: Iterable[str]) -> None:
        """Plan the rules of one list in the place of those of another. What is in both counts on; others stay."""
        gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
        kept: list[PlannedRule] = []
        for rule in self._plan.rules:
            if gone[rule.text] > 0:
                gone[rule.text] -= 1
                self._plan.counts.pop(rule.serial, None)
            else:
                kept.append(rule)
        self._plan.rules = tuple(kept)
        self.add(*come.elements())

    def clear(self) -> None:
        """Plan nothing."""
        plan = self._plan
        plan.rules = ()
        for kept in (plan.of_tasks, plan.with_rules, plan.counts, plan.numbers, plan.recent):
            kept.clear()

    def counts(self) -> list[tuple[FaultRule, int, int]]:
        """Each rule, how often it struck, and how often its fault was delivered: reached its client."""
        found = [(_read(rule.text), self._counts(rule.serial)) for rule in self._all()]
        return [(rule, counts.struck, counts.delivered) for rule, counts in found]

    def undelivered(self) -> list[Missed]:
        """The rules whose fault was never delivered, and why."""
        return [
            Missed(rule.text, _read(rule.text).kind, _why(counts), counts.struck + counts.spared > 0)
            for rule in self._all()
            if not (counts := self._counts(rule.serial)).delivered
        ]

    def due(self, request: PlannedRequest) -> Strike | None:
        """The rule that strikes this request. Each rule that is about the request counts it."""
        strike, numbers = None, self._plan.numbers.setdefault(request.task_id, {})
        for serial, text in (*self._plan.rules, *self._plan.of_tasks.get(request.task_id, ())):
            rule = _read(text)
            if rule.is_about(request):
                number = numbers[serial] = numbers.get(serial, 0) + 1
                self._counted(serial).met += 1
                if self._is_due(serial, rule, number, request) and strike is None:
                    strike = Strike(serial, rule)
                    self._counted(serial).struck += 1
        return strike

    def deliver(self, serial: int) -> None:
        """Count that the fault of a rule reached its client."""
        self._counted(serial).delivered += 1

    def spare(self, serial: int) -> None:
        """Count that the fault of a rule found nothing to spoil: it did not strike."""
        counts = self._counted(serial)
        counts.struck -= 1
        counts.spared += 1

    def _all(self) -> list[PlannedRule]:
        return [*self._plan.rules, *(rule for rules in self._plan.of_tasks.values() for rule in rules)]

    def _numbered(self, rules: Iterable[FaultRule]) -> tuple[PlannedRule, ...]:
        first = self._plan.next_serial
        numbered = tuple(PlannedRule(serial, str(rule)) for serial, rule in enumerate(rules, first))
        self._plan.next_serial += len(numbered)
        return numbered

    def _counts(self, serial: int) -> RuleCounts:
        return self._plan.counts.get(serial) or RuleCounts()

    def _counted(self, serial: int) -> RuleCounts:
        return self._plan.counts.setdefault(serial, RuleCounts())

    def _is_due(self, serial: int, rule: FaultRule, number: int, request: PlannedRequest) -> bool:
        """Each condition is evaluated for each request, so that none depends on another rule."""
        if not rule.first <= number <= rule.last or (number - rule.first) % rule.every:
            return False
        if rule.quota and not self._is_over(serial, rule.quota, request.now()):
            return False
        if (rule.since, rule.until) != (0, inf) and not rule.since <= request.now() < rule.until:
            return False
        if rule.percent == 100:  # noqa: PLR2004 - all
            return True
        # The same for the same request of a session with the same seed.
        chance = Chance(f"{self._session.seed} {self._session.key} rule {serial} {request.task_id} {number}")
        return 100 * chance.share() < rule.percent

    def _is_over(self, serial: int, quota: float, now: float) -> bool:
        """More requests than the quota came within a second, those that were struck left out."""
        recent = [at for at in self._plan.recent.get(serial, ()) if at > now - 1]
        is_over = len(recent) >= quota
        self._plan.recent[serial] = recent if is_over else [*recent, now]
        return is_over


def _why(counts: RuleCounts) -> str:
    """Why the fault of a rule was never delivered."""
    if counts.struck:
        return "it struck, and the client was gone before its fault was delivered"
    if counts.spared:
        return f"it was due {counted(counts.spared, 'time')}, and there was nothing for it to spoil"
    if counts.met:
        return f"{counted(counts.met, 'such request')} came, and none that it strikes"
    return "no such request came"
