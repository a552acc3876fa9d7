"""What expectations ask of a request: what kind it is, which task it is about, and what its answer told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from safelight.contracts import FINAL, Phase, operations, parse
from safelight.traffic.recognition import phase_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.traffic.exchange import Exchange

_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

#: Faults after which nobody knows whether the client still had the answer, though it was sent.
_SLOW_OR_BROKEN: Final = frozenset({"drip", "hang", "idle", "length", "mixed"})


def is_submit(exchange: Exchange) -> bool:
    """It submits a task."""
    operation = operations().get(exchange.operation or "")
    return operation is not None and operation.is_submit


def is_accepted(exchange: Exchange) -> bool:
    """It is a submit, and its task exists and is paid for, whatever became of the answer."""
    return is_submit(exchange) and bool(exchange.task_id)


def is_poll(exchange: Exchange) -> bool:
    """It is a poll of a task that exists, whatever became of the answer; where a redirect leads, it is another one."""
    was_struck = bool(exchange.fault and exchange.task_id and exchange.status not in _REDIRECTS)
    return exchange.operation == "task_status" and (exchange.status == _OK or was_struck)


def polled_id(exchange: Exchange) -> str:
    """The id that a poll asks for; of another request, nothing."""
    if exchange.operation != "task_status":
        return ""
    query = dict(parse_qsl(exchange.target.partition("?")[2], keep_blank_values=True))
    return exchange.task_id or query.get("task_id", "")


def data_told(exchange: Exchange) -> Mapping[str, Any]:
    """The data of a success, as the client can read them; none where the answer was another, or may not have come."""
    fault = exchange.fault.partition(": ")[2].partition(" ")[0]
    if exchange.wire or fault in _SLOW_OR_BROKEN or exchange.status != _OK:
        return {}
    read = parse(exchange.answer, max_violations=1)
    match read.document:
        case {"success": True, "data": dict(data)} if not read.violations and exchange.media_type == "application/json":
            return data
    return {}


def end_told(exchange: Exchange) -> Phase | None:
    """The end of its task that the answer to a poll told: that it failed, or is done and has a result."""
    if not exchange.fault:
        return exchange.phase if exchange.phase in FINAL and exchange.operation == "task_status" else None
    data = data_told(exchange)
    phase, result = phase_of(data.get("status")), data.get("result")
    is_its_own = exchange.operation == "task_status" and data.get("id", exchange.task_id) == exchange.task_id
    has_result = isinstance(result, dict) and any(isinstance(url, str) and url for url in result.values())
    return phase if is_its_own and (phase is Phase.FAILED or (phase is Phase.DONE and has_result)) else None
