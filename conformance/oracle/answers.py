"""What an exchange told of a task or a balance: its essence, which is all that the oracle sees of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from math import inf
from typing import Any, Final
from urllib.parse import parse_qsl

from safelight.contracts import FINAL, Operation, Phase, operations
from safelight.contracts.dialects import error_of
from safelight.contracts.keywords import is_number
from safelight.contracts.vocabularies import vocabularies
from safelight.contracts.wording import brief, either, shown
from safelight.traffic.exchange import Exchange, object_of

#: Statuses by which a server says that it knows no such task.
_UNKNOWN: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.BAD_REQUEST})

#: Characters of an end that a sentence has.
_MAX_END_CHARACTERS: Final = 120

_CLIENT_ERRORS: Final = range(400, 500)

#: Percent of what is done.
_WHOLE: Final = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """Of what an exchange told: when it was asked and answered. It held at some moment between the two."""

    #: When, in words: `at 12.1 s`.
    at: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Accepted(Answer):
    """A submit that was answered with an id."""

    task_id: str
    price: float


@dataclass(frozen=True, slots=True)
class Lost(Answer):
    """A submit whose answer does not say what became of it: it may have been booked."""

    price: float


@dataclass(frozen=True, slots=True)
class State(Answer):
    """A poll that told a phase."""

    task_id: str
    phase: Phase
    #: Percent of a running task, where it is one.
    progress: int | None = None
    #: The result of a task that is done, or why it failed: the same for ever. As text, cut; and whole, as a digest.
    outcome: str = ""
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Unknown(Answer):
    """A poll that was told that there is no such task."""

    task_id: str


@dataclass(frozen=True, slots=True)
class Nonsense(Answer):
    """An answer about a task that no state of a task explains, and which check says so."""

    task_id: str
    check: str
    clause: str


@dataclass(frozen=True, slots=True)
class Balance(Answer):
    """The credits that an account has left."""

    credits: float
    exchange: Exchange


def operation_of(exchange: Exchange) -> Operation | None:
    """The operation that it asks for, by its path or by what a server made of it."""
    return operations().get(exchange.operation or query_of(exchange).get("endpoint", ""))


def query_of(exchange: Exchange) -> Mapping[str, str]:
    """The parameters in the target."""
    return _parameters(exchange.target)


@lru_cache(1_024)
def _parameters(target: str) -> Mapping[str, str]:
    """Kept, as a client asks the same again and again."""
    return dict(parse_qsl(target.partition("?")[2], keep_blank_values=True))


def answers(exchange: Exchange, began: float, vocabulary: str | None = None) -> list[Answer]:
    """What it told; nothing where it says nothing of a task: it was lost, refused, or is about something else."""
    operation = operation_of(exchange)
    if operation is None or exchange.method != operation.method:
        return []
    when = (f"at {exchange.at - began:.1f} s", exchange.at, exchange.at + (exchange.took or 0))
    data = _data(exchange)
    if operation.is_submit:
        return _of_submit(exchange, data, when, operation.price)
    if operation.name == "user_balance":
        left = data.get("balance")
        return [Balance(*when, left, exchange)] if is_number(left) and abs(left) < inf else []
    return _of_poll(exchange, data, when, vocabulary)


_When = tuple[str, float, float]


def _data(exchange: Exchange) -> Mapping[str, Any]:
    """The data of an answer that came whole and is a success."""
    if exchange.wire or exchange.status != HTTPStatus.OK:
        return {}
    match object_of(exchange.answer):
        case {"success": True, "data": dict(data)}:
            return data
    return {}


def _of_submit(exchange: Exchange, data: Mapping[str, Any], when: _When, price: float) -> list[Answer]:
    task_id = data.get("id")
    if isinstance(task_id, str | int) and not isinstance(task_id, bool):
        return [Accepted(*when, str(task_id), price)]
    is_refused = exchange.status in _CLIENT_ERRORS and not exchange.wire
    return [] if is_refused else [Lost(when[0], exchange.at, inf, price)]


def _of_poll(exchange: Exchange, data: Mapping[str, Any], when: _When, vocabulary: str | None) -> list[Answer]:
    task_id = query_of(exchange).get("task_id", "")
    if not task_id:
        return []
    if exchange.status in _UNKNOWN and not exchange.wire and error_of(object_of(exchange.answer)):
        return [Unknown(*when, task_id)]
    about, word = data.get("id", task_id), data.get("status")
    if isinstance(about, str | int) and not isinstance(about, bool) and str(about) != task_id:
        return [Nonsense(*when, task_id, "S55", f"was answered about another task, {shown(about)}")]
    if not isinstance(word, str):
        return []
    known = [vocabularies()[vocabulary]] if vocabulary else list(vocabularies().values())
    phase = next((found for one in known if (found := one.phase(word))), None)
    if phase is None:
        words = either(dict.fromkeys(spelled for one in known for spelled in one.words.values()))
        return [Nonsense(*when, task_id, "S52", f"said {shown(word)}, which is no status word: one is {words}")]
    return _of_phase(data, when, task_id, phase)


def _of_phase(data: Mapping[str, Any], when: _When, task_id: str, phase: Phase) -> list[Answer]:
    if phase in FINAL:
        outcome = data.get("result" if phase is Phase.DONE else "error")
        text = json.dumps(outcome, sort_keys=True)
        return [State(*when, task_id, phase, None, _shown(outcome), sha256(text.encode()).digest())]
    progress = data.get("progress") if phase is Phase.RUNNING else None
    percent = _percent(progress)
    found: list[Answer] = [State(*when, task_id, phase, percent)]
    if progress is not None and percent is None:
        found.append(Nonsense(*when, task_id, "S57", f"said progress {shown(progress)}: it is an integer of 0 to 100"))
    return found


def _percent(progress: object) -> int | None:
    """A percent as JSON has integers: 45.0 is one, `true` is none."""
    if is_number(progress) and 0 <= progress <= _WHOLE and progress == int(progress):
        return int(progress)
    return None


def _shown(outcome: object) -> str:
    """An end as a sentence has it: the picture's address, or the reason."""
    if isinstance(outcome, dict):
        urls = [url for url in outcome.values() if isinstance(url, str)]
        return brief(urls[0], _MAX_END_CHARACTERS) if urls else shown(outcome)
    return brief(outcome, _MAX_END_CHARACTERS) if isinstance(outcome, str) else shown(outcome)
