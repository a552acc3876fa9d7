"""What a fake has to know to repeat a recording: the course of each task, what was refused, and the credits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import pairwise
from math import inf
from operator import itemgetter
from typing import Any, Final, NamedTuple

from safelight.conformance.oracle.answers import Balance, answers, operation_of, query_of
from safelight.contracts import FINAL, Operation, Phase, Step, Timeline
from safelight.contracts.dialects import error_of
from safelight.contracts.keywords import is_number
from safelight.contracts.schemas import known
from safelight.contracts.vocabularies import vocabularies
from safelight.mockserver.faults.catalogue.answers import Refuse, Throttle
from safelight.mockserver.faults.plan import MAX_RULES
from safelight.mockserver.faults.rules import FaultRule, read_rules
from safelight.mockserver.model.recorded_task import MAX_RECORDED_TASKS, RecordedTask, parameters_digest
from safelight.traffic.exchange import Exchange, object_of
from safelight.traffic.ndjson import Unreadable
from safelight.traffic.recognition import phase_of, recognized

#: Statuses of a poll by which a server says that it knows no such task.
_UNKNOWN: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})

#: Statuses by which a submit is refused.
_REFUSALS: Final = range(400, 600)

#: Percent that a running task can say.
_PERCENT: Final = range(100)


class Told(NamedTuple):
    """What a poll told of a task."""

    #: The status word; None: there is no such task.
    word: str | None
    progress: int | None = None
    reason: str | None = None


@dataclass(slots=True)
class Life:
    """What was told of one task: when, in seconds since its submit was answered, and what."""

    operation: str
    parameters: str
    answered: float
    told: list[tuple[float, Told]] = field(default_factory=list)

    def add(self, at: float, told: Told) -> None:
        """One more poll. Of several that told the same, one after the other, the first and the last are kept."""
        moment = max(0.0, at - self.answered)
        last = self.told[-2:]
        if len(last) > 1 and all(one == told and before <= moment for before, one in last):
            self.told.pop()
        self.told.append((moment, told))

    @property
    def has_ended(self) -> bool:
        """Its end was told."""
        return any(step.phase in FINAL for _, step in self._steps())

    def timeline(self) -> Timeline:
        """Each step begins halfway between the poll that told the one before it and the first that told it.

        What the first poll told holds from the submit on; what the last one told holds for ever.
        """
        steps = list(self._steps())
        begins = [0.0, *((before + after) / 2 for (before, _), (after, _) in pairwise(steps))]
        changes = [0, *(number for number, ((_, one), (_, other)) in enumerate(pairwise(steps), 1) if one != other)]
        ends = [*(begins[number] for number in changes[1:]), inf]
        return Timeline(
            tuple(
                replace(steps[number][1], dwell=end - begins[number]) for number, end in zip(changes, ends, strict=True)
            )
        )

    def _steps(self) -> Iterator[tuple[float, Step]]:
        """What was told as steps, in the order of the polls, up to the end."""
        before: Step | None = None
        for at, told in sorted(self.told, key=itemgetter(0)):
            step = _step(told, before)
            if step:
                yield at, step
                before = step
            if step and step.phase in FINAL:
                return


@dataclass(slots=True)
class Lives:
    """Takes each exchange of a recording, and keeps what is to be repeated."""

    #: Key and id -> life, in the order of the submits.
    _of_tasks: dict[tuple[str, str], Life] = field(default_factory=dict)
    _faults: list[FaultRule] = field(default_factory=list)
    _submits: int = 0
    #: What was paid for each task that is not known to have failed.
    _paid: dict[tuple[str, str], float] = field(default_factory=dict)
    #: Credits that the account had before the first submit; None: nobody asked.
    balance: float | None = None
    #: Tasks beyond those that a session can have.
    left_out: int = 0
    #: Why the recording cannot be read any further.
    broken: str = ""

    def all(self, exchanges: Iterable[Exchange]) -> None:
        """Take them in, as far as they can be read. Raises `Unreadable` where that is nothing."""
        is_read = False
        try:
            for exchange in exchanges:
                is_read = True
                self.see(exchange)
        except Unreadable as error:
            if not is_read:
                raise
            self.broken = str(error)

    def see(self, exchange: Exchange) -> None:
        """Take one in."""
        operation = operation_of(exchange)
        if operation is None or operation.method != exchange.method:
            return
        if operation.is_submit:
            self._submit(operation, recognized(exchange))
        elif operation.name == "task_status" and not exchange.wire:
            self._poll(exchange)
        else:
            self._read(exchange)

    def lives(self) -> list[Life]:
        """The tasks that somebody polled."""
        return [life for life in self._of_tasks.values() if life.told]

    @property
    def is_unpolled(self) -> bool:
        """Tasks were submitted, and none was polled."""
        return bool(self._of_tasks) and not self.lives()

    def tasks(self) -> tuple[RecordedTask, ...]:
        """The same, for a fake."""
        return tuple(RecordedTask(life.operation, life.parameters, life.timeline()) for life in self.lives())

    def faults(self) -> tuple[str, ...]:
        """The refusals of submits that broke no rule, as fault rules."""
        return tuple(str(rule) for rule in self._faults[:MAX_RULES])

    def _submit(self, operation: Operation, exchange: Exchange) -> None:
        if exchange.status == HTTPStatus.UNAUTHORIZED:
            return
        self._submits += 1
        task_id = _data(exchange).get("id")
        if isinstance(task_id, str | int):
            self._paid[exchange.key, str(task_id)] = operation.price
            self._accept(operation, exchange, str(task_id))
        elif exchange.status in _REFUSALS and not (exchange.wire or exchange.violations):
            self._refuse(exchange)

    def _accept(self, operation: Operation, exchange: Exchange, task_id: str) -> None:
        if len(self._of_tasks) >= MAX_RECORDED_TASKS:
            self.left_out += 1
            return
        answered = exchange.at + (exchange.took or 0)
        self._of_tasks[exchange.key, task_id] = Life(operation.name, _parameters(operation, exchange), answered)

    def _refuse(self, exchange: Exchange) -> None:
        status, number = exchange.status, self._submits
        try:
            fault: Refuse | Throttle = Refuse(status, error_of(object_of(exchange.answer)) or "Refused")
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                fault = Throttle(exchange.answer_headers.get("retry-after", "none"))
            self._faults += read_rules([FaultRule("submit", fault, after=False, first=number, last=number)])
        except ValueError:  # such as a sentence that no rule can hold: the status is what matters
            self._faults += read_rules([f"submit#{number}: http {status}"])

    def _poll(self, exchange: Exchange) -> None:
        owner = exchange.key, query_of(exchange).get("task_id", "")
        if phase_of(_data(exchange).get("status")) is Phase.FAILED:
            self._paid.pop(owner, None)
        life, told = self._of_tasks.get(owner), _told(exchange)
        if life and told:
            life.add(exchange.at, told)

    def _read(self, exchange: Exchange) -> None:
        if self.balance is None:
            told = next((answer for answer in answers(exchange, 0) if isinstance(answer, Balance)), None)
            self.balance = told.credits + sum(self._paid.values()) if told else None


def _parameters(operation: Operation, exchange: Exchange) -> str:
    """The digest of what was submitted, without what the operation does not know."""
    members = known(operation.request)["properties"]
    return parameters_digest({name: value for name, value in object_of(exchange.body).items() if name in members})


def _told(exchange: Exchange) -> Told | None:
    """What a poll told, or None."""
    if exchange.status in _UNKNOWN:
        return Told(None)
    data = _data(exchange)
    word, progress, reason = data.get("status"), data.get("progress"), data.get("error")
    if not isinstance(word, str):
        return None
    percent = int(progress) if is_number(progress) and progress in _PERCENT else None
    return Told(word, percent, reason if isinstance(reason, str) else None)


def _step(told: Told, before: Step | None) -> Step | None:
    """The step that a poll told, after the one before; None: that a task is not known is told of new ones alone."""
    if told.word is None:
        return Step(Phase.QUEUED, unseen=True) if before is None or before.unseen else None
    phase = phase_of(told.word) or (before.phase if before else Phase.QUEUED)
    is_usual = told.word == vocabularies()["published"].words[phase]
    return Step(
        phase,
        reason=told.reason if phase is Phase.FAILED else None,
        word=None if is_usual else told.word,
        progress=told.progress if phase is Phase.RUNNING else None,
    )


def _data(exchange: Exchange) -> Mapping[str, Any]:
    """The data of an answer that is a success."""
    match object_of(exchange.answer):
        case {"success": True, "data": dict(data)} if not exchange.wire:
            return data
    return {}
