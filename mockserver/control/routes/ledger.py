"""The ledger of a session: what it paid and got back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safelight.mockserver.control.forms import credits_form
from safelight.mockserver.control.routes import ControlCall, route

if TYPE_CHECKING:
    from collections.abc import Mapping


@route("GET", "/ledger")
def get_ledger(asked: ControlCall) -> Mapping[str, Any]:
    """Give the lines of the ledger, what they come to, and what is left."""
    session = asked.session
    ledger = session.ledger
    entries = [entry._asdict() | {"at": entry.at - session.data.began} for entry in ledger]
    for entry in entries:
        entry["credits"] = credits_form(entry["credits"])
    return {
        "entries": entries,
        "total": credits_form(ledger.total),
        "balance": credits_form(session.credits),
    }
