"""What is recorded of a session: its journal, as JSON, NDJSON or HAR, and its ledger; and what came without a key."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from safelight.mockserver.control.forms import credits_form
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import Refused, Reply
from safelight.traffic.exchange import Exchange
from safelight.traffic.har import har
from safelight.traffic.journal import Journal
from safelight.traffic.ndjson import exchange_form, line
from safelight.traffic.redaction import without_keys


@route("GET", "/journal", query="journal")
def get_journal(asked: ControlCall) -> Mapping[str, Any] | Reply:
    """Give the exchanges with this key in the order of their answers, all or those that are asked for."""
    session = asked.session
    return _given(asked, asked.service.sessions.store.journal(session.name), session.data.began)


@route("GET", "/orphans", query="journal", is_own=False)
def get_orphans(asked: ControlCall) -> Mapping[str, Any] | Reply:
    """Give the exchanges without a usable key. They are nobody's: only a server with a token gives them."""
    if not asked.has_token:
        raise Refused(HTTPStatus.FORBIDDEN, "The orphans are nobody's: only a server with a control token gives them")
    return _given(asked, asked.service.sessions.store.journal(None), 0)


@route("GET", "/ledger")
def get_ledger(asked: ControlCall) -> Mapping[str, Any]:
    """Give the lines of the ledger, what they come to, and what is left."""
    began, ledger = asked.session.data.began, asked.session.ledger
    return {
        "entries": [
            entry._asdict() | {"at": entry.at - began, "credits": credits_form(entry.credits)} for entry in ledger
        ],
        "total": credits_form(ledger.total),
        "balance": credits_form(asked.session.credits),
    }


def _given(asked: ControlCall, journal: Journal, began: float) -> Mapping[str, Any] | Reply:
    exchanges = [exchange for exchange in journal if _is_asked_for(exchange, asked.query, began)]
    without = (without_keys(exchange, asked.secrets) for exchange in exchanges)
    match asked.query.get("format"):
        case "har":
            return Reply(200, json.dumps(har(without)).encode())
        case "ndjson":
            lines = "".join(line(exchange, began) for exchange in without)
            return Reply(200, lines.encode(), "application/x-ndjson")
    return {"exchanges": [exchange_form(exchange, began) for exchange in exchanges], "dropped": journal.dropped}


def _is_asked_for(exchange: Exchange, query: Mapping[str, str], began: float) -> bool:
    if exchange.at - began < float(query.get("since", "-inf")):
        return False
    return all(getattr(exchange, name) == query[name] for name in ("operation", "task_id", "outcome") if name in query)
