"""What `serve` says of each exchange: a line for people, a line of JSON for machines, or nothing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

import click

from safelight.cli._terminal import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.api import Listener
    from safelight.mockserver.journal import Exchange
    from safelight.mockserver.session import Session

_COLOURS: Final = {2: "green", 4: "yellow", 5: "red"}

#: An id of ComfyUI has 36 characters; of longer ones the beginning is shown.
_ID_WIDTH: Final = 36

#: Characters of a text of the client's in a line of JSON. The journal has it whole.
_LONGEST: Final = 1_000


def readable(_: Session | None, exchange: Exchange) -> None:
    """Time, operation, task, phase, status, verdict; then what was wrong or without effect."""
    happened = exchange.wire or str(exchange.status)
    status = click.style(happened, fg="red" if exchange.wire else _COLOURS.get(exchange.status // 100))
    columns = (
        time.strftime("%H:%M:%S"),
        f"{exchange.operation or '-':<16}",
        f"{_task(exchange):<{_ID_WIDTH}}",
        f"{exchange.phase or '-':<7}",
        status,
        _verdict(exchange),
    )
    say("  ".join(columns))


def machine(session: Session | None, exchange: Exchange) -> None:
    """The exchange as one JSON object on a line."""
    from safelight.mockserver.session import fingerprint  # noqa: PLC0415 - `--help` does without

    facts = {
        "at": exchange.at,
        "key": fingerprint(session.key) if session else None,
        "method": exchange.method,
        "target": _cut(exchange.target, _LONGEST),
        "status": exchange.status,
        "operation": exchange.operation,
        "task_id": exchange.task_id and _cut(exchange.task_id, _LONGEST),
        "phase": exchange.phase,
        "verdict": exchange.verdict,
        "violations": [violation.message for violation in exchange.violations],
        "notices": [notice.message for notice in exchange.notices],
        "fault": exchange.fault or None,
        "wire": exchange.wire or None,
        "gap": exchange.gap,
    }
    say(json.dumps(facts))


#: `--log` -> who is told of each exchange.
LOGS: Final[Mapping[str, Listener | None]] = {"readable": readable, "json": machine, "none": None}


def _task(exchange: Exchange) -> str:
    from safelight.contracts.wording import named  # noqa: PLC0415 - as above

    if not exchange.task_id:
        return "-"
    return _cut(named([exchange.task_id]), _ID_WIDTH)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _verdict(exchange: Exchange) -> str:
    """`ok`, or the first rule broken and all that is wrong; then the notices."""
    wrong = [violation.message for violation in exchange.violations]
    if exchange.verdict == "refused":
        wrong.append(_message(exchange))
    verdict = f"{exchange.verdict}: {' | '.join(wrong)}" if wrong else exchange.verdict
    struck = [click.style(f"fault: {exchange.fault}", fg="magenta")] if exchange.fault else []
    notes = [f"note: {notice.message}" for notice in exchange.notices]
    coloured = [click.style(note, fg="cyan") for note in notes]
    return " | ".join([click.style(verdict, fg="yellow") if wrong else verdict, *struck, *coloured])


def _message(exchange: Exchange) -> str:
    """What an error answer says. It is worded by the fake, with values escaped."""
    from safelight.mockserver.messages import error_of  # noqa: PLC0415 - as above

    try:
        return error_of(json.loads(exchange.answer)) or "..."
    except ValueError:  # a key of a letter or two is taken out of the envelope's own words
        return "..."
