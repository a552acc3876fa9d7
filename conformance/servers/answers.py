"""What an answer says, in words and against the contract."""

from __future__ import annotations

from safelight.contracts import Violation, problems
from safelight.contracts.dialects import error_of
from safelight.contracts.rules import Provenance
from safelight.contracts.wording import brief
from safelight.traffic.exchange import Exchange, object_of

#: Characters of an answer that stand in a sentence.
_MAX_CHARACTERS = 120


def came(exchange: Exchange) -> str:
    """The answer in a few words: its status, and what it says."""
    if exchange.wire and not exchange.status:
        return exchange.wire
    document = object_of(exchange.answer)
    said = error_of(document) or brief(exchange.answer.decode("utf-8", "replace"), _MAX_CHARACTERS)
    return f"{exchange.status}{f': {said}' if said else ''}{f' ({exchange.wire})' if exchange.wire else ''}"


def first_problem(schema: str, exchange: Exchange) -> Violation | None:
    """The first rule of a schema that an answer breaks, one that is more than assumed before others, or None."""
    found = problems(schema, exchange.answer)
    return min(found, key=lambda one: one.provenance is Provenance.ASSUMED, default=None)
