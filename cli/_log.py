"""What `serve` says of each exchange: lines for people, a line of JSON for machines, or nothing."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

import click

from safelight.cli._terminal import say
from safelight.contracts.dialects import error_of
from safelight.contracts.wording import counted, named, printable
from safelight.traffic.exchange import object_of
from safelight.traffic.request_kinds import REQUEST_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.mockserver.service.service import Listener
    from safelight.traffic.exchange import Exchange

_COLOURS: Final = {2: "green", 4: "yellow", 5: "red"}

#: An id of ComfyUI has 36 characters; of longer ones the beginning is shown.
_MAX_ID_CHARACTERS: Final = 36

#: Characters of a text of the client's in a line of JSON. The journal has it whole.
_MAX_TEXT_CHARACTERS: Final = 1_000

#: Seconds from which on an answer is slow, and tasks whose polls are counted at a time.
_SLOW_SECONDS: Final = 1
_MAX_TASKS: Final = 1_000


@dataclass(slots=True)
class _Polls:
    """The last line about a task, and how often it was true again since: that is not said yet."""

    text: str
    subject: str
    #: Seconds of the session's clock of the line, and of the last poll that was counted.
    began: float
    last: float = 0.0
    count: int = 0
    #: The time of day of that poll.
    clock: str = ""

    def add(self, exchange: Exchange) -> None:
        """Count one more."""
        self.count, self.last, self.clock = self.count + 1, exchange.at, _clock()

    def told(self) -> str:
        """What was counted: a poll alone as its line would have been, more of them in one."""
        times = f"… polled {counted(self.count, 'time')} more in {self.last - self.began:.0f} s"
        return f"{self.clock}  {self.text if self.count == 1 else f'{self.subject}  {times}'}"


class ReadableLog:
    """Lines for people. Polls of a task that say what the one before said are counted, and told in one line.

    What is slow, and what a fault has struck, has a line of its own.
    """

    def __init__(self) -> None:
        self._polls: OrderedDict[tuple[str | None, str | None], _Polls] = OrderedDict()
        self._lock = Lock()

    def __call__(self, name: str | None, exchange: Exchange) -> None:
        """Say it, or count it."""
        subject, of_task = _subject(exchange), (name, exchange.task_id)
        text = f"{subject}  {_said(exchange)}"
        with self._lock:
            polls = self._polls.get(of_task)
            if polls and polls.text == text and not exchange.fault and (exchange.took or 0) < _SLOW_SECONDS:
                polls.add(exchange)
                return
            self._tell(of_task)
            say(f"{_clock()}  {text}")
            if REQUEST_KINDS.get(exchange.operation or "") == "poll":
                self._polls[of_task] = _Polls(text, subject, exchange.at)
            if len(self._polls) > _MAX_TASKS:
                self._tell(next(iter(self._polls)))

    def end(self) -> None:
        """Say what was counted and is not said yet."""
        with self._lock:
            for of_task in list(self._polls):
                self._tell(of_task)

    def _tell(self, of_task: tuple[str | None, str | None]) -> None:
        polls = self._polls.pop(of_task, None)
        if polls and polls.count:
            say(polls.told())


def _clock() -> str:
    return time.strftime("%H:%M:%S")


def _subject(exchange: Exchange) -> str:
    """Operation and task."""
    task = _cut(named([exchange.task_id]), _MAX_ID_CHARACTERS) if exchange.task_id else "-"
    return f"{exchange.operation or '-':<16}  {task:<{_MAX_ID_CHARACTERS}}"


def _said(exchange: Exchange) -> str:
    """Phase, status and outcome; then what was wrong or without effect."""
    happened = exchange.wire or str(exchange.status)
    status = click.style(happened, fg="red" if exchange.wire else _COLOURS.get(exchange.status // 100))
    return "  ".join([f"{exchange.phase or '-':<7}", status, _outcome(exchange)])


def machine(name: str | None, exchange: Exchange) -> None:
    """The exchange as one JSON object on a line."""
    facts = {
        "at": exchange.at,
        "key": name,
        "method": exchange.method,
        "target": _cut(exchange.target, _MAX_TEXT_CHARACTERS),
        "status": exchange.status,
        "operation": exchange.operation,
        "task_id": exchange.task_id and _cut(exchange.task_id, _MAX_TEXT_CHARACTERS),
        "phase": exchange.phase,
        "outcome": exchange.outcome,
        "violations": [violation.message for violation in exchange.violations],
        "advice": [advice.message for advice in exchange.advice],
        "fault": exchange.fault or None,
        "wire": exchange.wire or None,
        "gap": exchange.gap,
    }
    say(json.dumps(facts))


#: `--log` -> what makes the listener of exchanges.
LOGS: Final[Mapping[str, Callable[[], Listener | None]]] = {
    "readable": ReadableLog,
    "json": lambda: machine,
    "none": lambda: None,
}


def _cut(text: str, max_characters: int) -> str:
    return text if len(text) <= max_characters else text[: max_characters - 1] + "…"


def _outcome(exchange: Exchange) -> str:
    """`ok`, or the first rule broken and all that is wrong; then the advice."""
    wrong = [violation.message for violation in exchange.violations]
    if exchange.outcome == "refused":
        wrong.append(error_of(object_of(exchange.answer)) or "...")
    outcome = f"{exchange.outcome}: {' | '.join(wrong)}" if wrong else exchange.outcome
    struck = [click.style(f"fault: {printable(exchange.fault)}", fg="magenta")] if exchange.fault else []
    notes = [f"note: {advice.message}" for advice in exchange.advice]
    coloured = [click.style(note, fg="cyan") for note in notes]
    return " | ".join([click.style(outcome, fg="yellow") if wrong else outcome, *struck, *coloured])
