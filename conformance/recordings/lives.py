"""What a fake has to know to repeat a recording: the course of each task, what was refused, and the credits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import pairwise
from math import inf
from typing import Any, Final

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


@dataclass(slots=True)
class Life:
    """What was told of one task: when, in seconds since its submit was answered, and what."""

    operation: str
    parameters: str
    answered: float
    told: list[tuple[float, Step]] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        """Its end was told."""
        return bool(self.told) and self.told[-1][1].phase in FINAL

    def timeline(self) -> Timeline:
        """Each step begins halfway between the poll that told the one before it and the first that told it.

        What the first poll told holds from the submit on; what the last one told holds for ever.
        """
        changes = [self.told[0], *(after for before, after in pairwise(self.told) if after[1] != before[1])]
        before = {at: last for (last, _), (at, _) in pairwise(self.told)}
        begins = [0.0, *((before[at] + at) / 2 for at, _ in changes[1:]), inf]
        steps = [step for _, step in changes]
        dwells = [end - begin for begin, end in pairwise(begins)]
        return Timeline(tuple(replace(step, dwell=dwell) for step, dwell in zip(steps, dwells, strict=True)))


@dataclass(slots=True)
class Lives:
    """Takes each exchange of a recording, and keeps what is to be repeated."""

    #: Key and id -> life, in the order of the submits.
    _of_tasks: dict[tuple[str, str], Life] = field(default_factory=dict)
    _polls: list[tuple[tuple[str, str], float, Exchange]] = field(default_factory=list)
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

    def tasks(self) -> tuple[RecordedTask, ...]:
        """The tasks that somebody polled."""
        lives = [life for life in self.lives() if life.told]
        return tuple(RecordedTask(life.operation, life.parameters, life.timeline()) for life in lives)

    def lives(self) -> list[Life]:
        """What was told of each task."""
        for owner, at, exchange in sorted(self._polls, key=lambda poll: poll[1]):
            life = self._of_tasks.get(owner)
            step = _step(exchange, life.told[-1][1] if life.told else None) if life and not life.has_ended else None
            if life and step:
                life.told.append((max(0.0, at - life.answered), step))
        self._polls = []
        return list(self._of_tasks.values())

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
        if owner in self._of_tasks:
            self._polls.append((owner, exchange.at, exchange._replace(body=b"", headers={}, answer_headers={})))

    def _read(self, exchange: Exchange) -> None:
        if self.balance is None:
            told = next((answer for answer in answers(exchange, 0) if isinstance(answer, Balance)), None)
            self.balance = told.credits + sum(self._paid.values()) if told else None


def _parameters(operation: Operation, exchange: Exchange) -> str:
    """The digest of what was submitted, without what the operation does not know."""
    members = known(operation.request)["properties"]
    return parameters_digest({name: value for name, value in object_of(exchange.body).items() if name in members})


def _step(exchange: Exchange, before: Step | None) -> Step | None:
    """What a poll told, as a step; None: it told nothing."""
    if exchange.status in _UNKNOWN and (before is None or before.unseen):
        return Step(Phase.QUEUED, unseen=True)
    data = _data(exchange)
    word, progress, reason = data.get("status"), data.get("progress"), data.get("error")
    if not isinstance(word, str) or exchange.status != HTTPStatus.OK:
        return None
    phase = phase_of(word) or (before.phase if before else Phase.QUEUED)
    return Step(
        phase,
        reason=reason if isinstance(reason, str) and phase is Phase.FAILED else None,
        word=None if word == vocabularies()["published"].words[phase] else word,
        progress=int(progress) if phase is Phase.RUNNING and is_number(progress) and progress in _PERCENT else None,
    )


def _data(exchange: Exchange) -> Mapping[str, Any]:
    """The data of an answer that is a success."""
    match object_of(exchange.answer):
        case {"success": True, "data": dict(data)} if not exchange.wire:
            return data
    return {}
