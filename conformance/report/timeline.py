"""What happened in one trial, as JSON: each exchange with its times, for tables and drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from safelight.contracts.wording import printable
from safelight.traffic.exchange import Exchange, object_of
from safelight.traffic.request_kinds import REQUEST_KINDS
from safelight.traffic.transcript import task_numbers

#: Exchanges of one trial that a report has; a client that sends more shows it in these.
MAX_EXCHANGES = 200


def timeline(exchanges: Sequence[Exchange]) -> list[Mapping[str, Any]]:
    """The exchanges in their order, the times in seconds since the first."""
    numbers = task_numbers(exchanges)
    began = exchanges[0].at if exchanges else 0
    return [_row(exchange, began, numbers) for exchange in exchanges[:MAX_EXCHANGES]]


def _row(exchange: Exchange, began: float, numbers: Mapping[str, int]) -> Mapping[str, Any]:
    data = object_of(exchange.answer).get("data")
    word = data.get("status") if isinstance(data, dict) else None
    return {
        "at": round(exchange.at - began, 3),
        "took": None if exchange.took is None else round(exchange.took, 3),
        "kind": REQUEST_KINDS.get(exchange.operation or "", ""),
        "request": printable(f"{exchange.method} {exchange.target}")[:200],
        "task": numbers.get(exchange.task_id or ""),
        "answer": exchange.wire or str(exchange.status),
        "word": printable(str(word))[:60] if isinstance(word, str) else "",
        "phase": str(exchange.phase or ""),
        "fault": exchange.fault,
        "outcome": exchange.outcome,
    }
