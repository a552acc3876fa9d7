"""Exchanges as JSON objects, one a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from safelight.traffic.exchange import Exchange

Form = dict[str, Any]


def exchange_form(exchange: Exchange, began: float) -> Form:
    """One exchange of a journal; `at` is in seconds since `began`. A JSON answer is one here too."""
    return {
        "at": exchange.at - began,
        "operation": exchange.operation,
        "task_id": exchange.task_id,
        "phase": exchange.phase and str(exchange.phase),
        "outcome": exchange.outcome,
        "method": exchange.method,
        "target": exchange.target,
        "headers": dict(exchange.headers),
        "body": text_form(exchange.body),
        "status": exchange.status,
        "media_type": exchange.media_type,
        "answer": _decoded(exchange.answer),
        "violations": [{"rule": one.rule, "message": one.message} for one in exchange.violations],
        "advice": [one.message for one in exchange.advice],
        "fault": exchange.fault,
        "wire": exchange.wire,
        "gap": exchange.gap,
    }


def text_form(text: bytes) -> str:
    """Bytes as text; what is no UTF-8 is replaced."""
    return text.decode("utf-8", "replace")


def _decoded(answer: bytes) -> Any:
    """JSON as it is, anything else as text; nothing where nothing was kept."""
    try:
        return json.loads(answer, parse_constant=str) if answer else None
    except (ValueError, RecursionError):
        return text_form(answer)
