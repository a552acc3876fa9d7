"""The oracle: it sees each exchange, keeps what the tasks and accounts can be, and says what was impossible.

It judges a live server, the fake in this project's tests, and recorded traffic. It is told nothing but exchanges, in
the order of their requests or of their answers, with the times of both; what has no `took` was answered at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from safelight.conformance.checks import CHECKS
from safelight.conformance.oracle.answers import Accepted, Answer, Balance, Lost, Nonsense, State, Unknown, answers
from safelight.conformance.oracle.balances import Account
from safelight.conformance.oracle.tasks import Contradiction, Task
from safelight.conformance.verdicts import Severity
from safelight.contracts import Phase, operations
from safelight.traffic.exchange import Exchange

#: Tasks that are remembered; what is forgotten is counted, and judged anew when it is seen again.
MAX_TASKS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Impossible:
    """An answer that no server which keeps the contract gives, after what was seen before it."""

    check: str
    severity: Severity
    #: What was seen, and what of before makes it impossible; without its full stop.
    sentence: str
    exchange: Exchange
    task_id: str = ""


@dataclass(slots=True)
class Oracle:
    """What tasks and accounts can be, given all that was seen. Call `see` with each exchange, and `finish` once."""

    #: Whose words are known; None: those of each.
    vocabulary: str | None = None
    max_tasks: int = MAX_TASKS
    #: Tasks that are not remembered any more, as there were too many.
    forgotten: int = 0
    #: Submits that were accepted, and those that may have been, though their answers were lost.
    accepted: int = 0
    lost: int = 0
    _submits: int = 0
    _began: float | None = None
    #: Key and id -> task, the one that was seen longest ago first.
    _tasks: OrderedDict[tuple[str, str], Task] = field(default_factory=OrderedDict)
    _accounts: dict[str, Account] = field(default_factory=dict)

    def see(self, exchange: Exchange) -> Sequence[Impossible]:
        """Take an exchange in, and say what was impossible: of it, or of a balance that was told before."""
        self._began = exchange.at if self._began is None else self._began
        found = self._balances(exchange.at)
        for answer in answers(exchange, self._began, self.vocabulary):
            found += [
                Impossible(check, CHECKS[check].severity, sentence, exchange, getattr(answer, "task_id", ""))
                for check, sentence in self._judge(answer, exchange.key)
            ]
        return found

    def finish(self) -> Sequence[Impossible]:
        """Say what else was impossible, now that nothing more comes."""
        return self._balances(inf)

    def all(self, exchanges: Iterable[Exchange]) -> list[Impossible]:
        """What was impossible of several exchanges, after which nothing comes."""
        return [*(found for exchange in exchanges for found in self.see(exchange)), *self.finish()]

    def task(self, task_id: str, key: str = "") -> Task | None:
        """What is known of a task, or None."""
        return self._tasks.get((key, task_id))

    def phases(self, task_id: str, at: float, key: str = "") -> frozenset[Phase]:
        """What a task can be when it is asked for at this time."""
        task = self.task(task_id, key)
        return task.phases(at) if task else frozenset(Phase)

    def tasks(self) -> Iterable[tuple[str, Task]]:
        """The tasks that are remembered, each with its id."""
        return [(task_id, task) for (_, task_id), task in self._tasks.items()]

    def _balances(self, at: float) -> list[Impossible]:
        return [
            Impossible("S60", CHECKS["S60"].severity, wrong.sentence, wrong.balance.exchange)
            for account in self._accounts.values()
            for wrong in account.judged(at)
        ]

    def _judge(self, answer: Answer, key: str) -> Iterator[Contradiction]:
        account = self._accounts.setdefault(key, Account())
        match answer:
            case Accepted():
                self._submits, self.accepted = self._submits + 1, self.accepted + 1
                account.accepted(answer)
                yield from self._known(key, answer.task_id).accepted(answer, f"submit {self._submits} {answer.at}")
            case Lost():
                self._submits, self.lost = self._submits + 1, self.lost + 1
                account.lost(answer)
            case State():
                yield from self._told(answer, key, account)
            case Unknown():
                if task := self.task(answer.task_id, key):
                    yield from task.unknown(answer)
            case Nonsense():
                yield Contradiction(answer.check, f"the poll of task {answer.task_id} {answer.at} {answer.clause}")
            case Balance():
                account.read(answer)

    def _told(self, state: State, key: str, account: Account) -> Iterator[Contradiction]:
        task = self._known(key, state.task_id)
        if not (task.issued or task.is_known):
            account.stranger([operation.price for operation in operations().values() if operation.is_submit])
        had_ended = task.end is not None
        yield from task.told(state)
        if task.issued and task.end and not had_ended:
            if task.end is Phase.DONE:
                account.done(task.issued)
            else:
                account.failed(task.issued, state.end)

    def _known(self, key: str, task_id: str) -> Task:
        """What is known of a task; of one that is seen for the first time, nothing."""
        task = self._tasks.setdefault((key, task_id), Task())
        self._tasks.move_to_end((key, task_id))
        if len(self._tasks) > self.max_tasks:
            self._tasks.popitem(last=False)
            self.forgotten += 1
        return task
