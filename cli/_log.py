"""What `serve` says of each exchange: a line for people, a line of JSON for machines, or nothing."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.api import Listener
    from safelight.mockserver.journal import Exchange
    from safelight.mockserver.session import Session

_COLOURS: Final = {2: "green", 4: "yellow", 5: "red"}


def readable(_: Session | None, exchange: Exchange) -> None:
    """Time, operation, task, phase, status, verdict; then what was wrong or without effect."""
    from safelight.contracts.wording import named  # noqa: PLC0415 - `--help` does without

    status = click.style(str(exchange.status), fg=_COLOURS.get(exchange.status // 100))
    task = named([exchange.task_id]) if exchange.task_id else "-"
    columns = (
        time.strftime("%H:%M:%S"),
        f"{exchange.operation or '-':<16}",
        f"{task:<36}",
        f"{exchange.phase or '-':<7}",
    )
    _say("  ".join([*columns, status, exchange.verdict, *_remarks(exchange)]))


def machine(session: Session | None, exchange: Exchange) -> None:
    """The exchange as one JSON object on a line."""
    from safelight.mockserver.session import fingerprint  # noqa: PLC0415 - as above

    facts = {
        "at": exchange.at,
        "key": fingerprint(session.key) if session else None,
        "method": exchange.method,
        "target": exchange.target,
        "status": exchange.status,
        "operation": exchange.operation,
        "task_id": exchange.task_id,
        "phase": exchange.phase,
        "verdict": exchange.verdict,
        "violations": [violation.message for violation in exchange.violations],
        "notices": [notice.message for notice in exchange.notices],
        "gap": exchange.gap,
    }
    _say(json.dumps(facts))


#: `--log` -> who is told of each exchange.
LOGS: Final[Mapping[str, Listener | None]] = {"readable": readable, "json": machine, "none": None}


def _remarks(exchange: Exchange) -> list[str]:
    violations = [click.style(violation.message, fg="yellow") for violation in exchange.violations]
    refusal = [_message(exchange)] if exchange.verdict == "refused" else []
    return [*violations, *refusal, *(click.style(notice.message, fg="cyan") for notice in exchange.notices)]


def _message(exchange: Exchange) -> str:
    """What an error answer says. It is worded by the fake, with values escaped."""
    message: str = json.loads(exchange.answer)["error"]["message"]
    return message


def _say(line: str) -> None:
    """Print, unless nobody reads any more: the fake goes on without its log."""
    with contextlib.suppress(OSError):
        click.echo(line)
