"""What is expected of each request, and of the faults that were planned for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from safelight.contracts.wording import counted, listed
from safelight.traffic.exchange import is_abridged
from safelight.traffic.expectations.unmet import Missed, Undelivered, UnmetExpectation, judged
from safelight.traffic.recognition import recognized
from safelight.traffic.request_kinds import REQUEST_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from safelight.traffic.exchange import Exchange


@judged("contract")
def contract_kept(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """Each request was one of the API's, and fitted its schema."""
    read = [_validated(exchange) for exchange in seen]
    broken = [exchange for exchange in read if exchange.violations or exchange.operation is None]
    if not broken:
        return None
    first = broken[0]
    what = f"{first.method} {first.operation or first.target}"
    how = f"breaks {first.outcome}" if first.violations else "is no request of the API"
    others = f" (the first of {len(broken)})" if len(broken) > 1 else ""
    return UnmetExpectation(f"the client broke the contract: {what} {how}{others}", broken)


def _validated(exchange: Exchange) -> Exchange:
    """The exchange with its violations, also where its key was refused before anybody looked at the request."""
    is_read = exchange.status != HTTPStatus.UNAUTHORIZED or exchange.violations
    if is_read or exchange.operation is None or is_abridged(exchange):
        return exchange
    return exchange._replace(violations=recognized(exchange).violations)


def plan_delivered(seen: Iterable[Exchange], undelivered: Sequence[Missed]) -> UnmetExpectation | None:
    """Each fault of the plan was delivered: one that never came has tested nothing."""
    if not undelivered:
        return None
    first, *others = undelivered
    came = sum(first.kind in {exchange.operation, REQUEST_KINDS.get(exchange.operation or "")} for exchange in seen)
    never = f"it never struck: the client sent {counted(came, first.kind)}"
    why = first.reason if first.was_due else never
    more = f"; nor did {listed(missed.rule for missed in others)} strike" if others else ""
    return Undelivered(f"planned was {first.rule}, and {why}{more}")
