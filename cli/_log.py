"""What `serve` says of each exchange: a line for people, a line of JSON for machines, or nothing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

import click

from safelight.cli._terminal import say
from safelight.contracts.dialects import error_of
from safelight.contracts.wording import named, printable
from safelight.traffic.exchange import object_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.service.service import Listener
    from safelight.traffic.exchange import Exchange

_COLOURS: Final = {2: "green", 4: "yellow", 5: "red"}

#: An id of ComfyUI has 36 characters; of longer ones the beginning is shown.
_MAX_ID_CHARACTERS: Final = 36

#: Characters of a text of the client's in a line of JSON. The journal has it whole.
_MAX_TEXT_CHARACTERS: Final = 1_000


def readable(_: str | None, exchange: Exchange) -> None:
    """Time, operation, task, phase, status, outcome; then what was wrong or without effect."""
    happened = exchange.wire or str(exchange.status)
    status = click.style(happened, fg="red" if exchange.wire else _COLOURS.get(exchange.status // 100))
    task = _cut(named([exchange.task_id]), _MAX_ID_CHARACTERS) if exchange.task_id else "-"
    columns = (
        time.strftime("%H:%M:%S"),
        f"{exchange.operation or '-':<16}",
        f"{task:<{_MAX_ID_CHARACTERS}}",
        f"{exchange.phase or '-':<7}",
        status,
        _outcome(exchange),
    )
    say("  ".join(columns))


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


#: `--log` -> the listener of exchanges.
LOGS: Final[Mapping[str, Listener | None]] = {"readable": readable, "json": machine, "none": None}


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
