"""What an exchange is: its operation, its task, and how it keeps the contract, read from request and answer alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from safelight.contracts import Advice, Operation, Phase, Violation, advice, operations, parse, vocabularies
from safelight.contracts.dialects import PATHS
from safelight.contracts.validation import violations
from safelight.traffic.exchange import object_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safelight.traffic.exchange import Exchange

#: Violations, and pieces of advice, that are looked for in one request.
MAX_FINDINGS: Final = 20


def recognized(exchange: Exchange) -> Exchange:
    """The exchange with its operation, task, phase, violations and advice; what is none of the API's as it is."""
    path, _, text = exchange.target.partition("?")
    query = dict(parse_qsl(text, keep_blank_values=True))
    operation = operations().get(query.get("endpoint", ""))
    if operation is None or path not in PATHS.values() or exchange.method != operation.method:
        return exchange
    found, remarks = _findings(operation, exchange, query)
    data = _data(exchange)
    task_id = data.get("id") if operation.is_submit else query.get("task_id")
    return exchange._replace(
        operation=operation.name,
        task_id=task_id if isinstance(task_id, str) else None,
        phase=phase_of(data.get("status")),
        violations=found,
        advice=remarks,
    )


def _findings(
    operation: Operation, exchange: Exchange, query: Mapping[str, Any]
) -> tuple[Sequence[Violation], Sequence[Advice]]:
    """What is wrong with a request, and what in it has no effect. A body that was not recorded is not judged."""
    document: Any = query
    if operation.method != "GET":
        parsed = parse(exchange.body, max_violations=MAX_FINDINGS)
        if parsed.violations or not exchange.body:
            return parsed.violations if exchange.body else [], []
        document = parsed.document
    found = violations(operation.request, document, max_violations=MAX_FINDINGS)
    return found, [] if found else advice(document, operation.request, max_advice=MAX_FINDINGS)


def _data(exchange: Exchange) -> Mapping[str, Any]:
    """The data of an answer that is a success."""
    match object_of(exchange.answer):
        case {"success": True, "data": dict(data)} if not exchange.wire:
            return data
    return {}


def phase_of(word: object) -> Phase | None:
    """The phase that a status word means, in whichever vocabulary."""
    return next((phase for known in vocabularies().values() if (phase := known.phase(word))), None)
