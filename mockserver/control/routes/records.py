"""What is recorded of a session: its journal, as JSON, NDJSON or HAR, and its ledger; and what came without a key."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from operator import itemgetter
from typing import Any, Final

from safelight.mockserver.control.forms import credits_form
from safelight.mockserver.control.pages import page_of
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import HEADERS, Refused, Reply
from safelight.traffic.exchange import Exchange
from safelight.traffic.har import har
from safelight.traffic.journal import Journal
from safelight.traffic.ndjson import exchange_form, line
from safelight.traffic.redaction import without_keys

#: The header that has the cursor of a page which is in no envelope.
CURSOR: Final = "x-safelight-cursor"


@route("GET", "/journal", query="journal", enters=True)
def get_journal(asked: ControlCall) -> Mapping[str, Any] | Reply:
    """Give the exchanges with this key in the order of their answers, those that are asked for, a page at a time."""
    session = asked.looked_at
    return _given(asked, asked.service.sessions.store.journal(session.name), session.data.began)


@route("GET", "/orphans", query="journal", is_own=False)
def get_orphans(asked: ControlCall) -> Mapping[str, Any] | Reply:
    """Give the exchanges without a usable key. They are nobody's: only a server with a token gives them."""
    if not asked.has_token:
        raise Refused(HTTPStatus.FORBIDDEN, "The orphans are nobody's: only a server with a control token gives them")
    return _given(asked, asked.service.sessions.store.journal(None), 0)


@route("GET", "/ledger", query="page", enters=True)
def get_ledger(asked: ControlCall) -> Mapping[str, Any]:
    """Give the lines of the ledger, a page at a time, what all of them come to, and what is left."""
    with asked.entering() as session:
        began, ledger, left = session.data.began, session.ledger, session.credits
        lines, total = [(number + 1, entry) for number, entry in ledger.entries.items()], ledger.total
    page, cursor = page_of(lines, itemgetter(0), asked.query)
    entries = [entry._asdict() | {"at": entry.at - began, "credits": credits_form(entry.credits)} for _, entry in page]
    return {"entries": entries, "cursor": cursor, "total": credits_form(total), "balance": credits_form(left)}


def _given(asked: ControlCall, journal: Journal, began: float) -> Mapping[str, Any] | Reply:
    numbered = enumerate(journal, journal.dropped + 1)
    found = [(number, exchange) for number, exchange in numbered if _is_asked_for(exchange, asked.query, began)]
    page, cursor = page_of(found, itemgetter(0), asked.query)
    exchanges = [exchange for _, exchange in page]
    without = (without_keys(exchange, asked.secrets) for exchange in exchanges)
    headers = HEADERS if cursor is None else {**HEADERS, CURSOR: str(cursor)}
    match asked.query.get("format"):
        case "har":
            return Reply(200, json.dumps(har(without)).encode(), headers=headers)
        case "ndjson":
            lines = "".join(line(exchange, began) for exchange in without)
            return Reply(200, lines.encode(), "application/x-ndjson", headers)
    forms = [exchange_form(exchange, began) for exchange in exchanges]
    return {"exchanges": forms, "cursor": cursor, "dropped": journal.dropped}


def _is_asked_for(exchange: Exchange, query: Mapping[str, str], began: float) -> bool:
    if exchange.at - began < float(query.get("since", "-inf")):
        return False
    return all(getattr(exchange, name) == query[name] for name in ("operation", "task_id", "outcome") if name in query)
