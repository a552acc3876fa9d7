"""What is recorded of a session: its journal, as JSON, NDJSON or HAR, and its ledger; and what came without a key."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from operator import itemgetter
from typing import Any, Final

from safelight.contracts import rules
from safelight.contracts.wording import did_you_mean, listed, shown
from safelight.mockserver.control.forms import credits_form
from safelight.mockserver.control.pages import page_of
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import HEADERS, Refused, Reply
from safelight.mockserver.sessions.session import Session
from safelight.traffic.exchange import Exchange
from safelight.traffic.har import har
from safelight.traffic.journal import MAX_NUMBER
from safelight.traffic.ndjson import exchange_form, line
from safelight.traffic.redaction import without_keys
from safelight.traffic.request_kinds import REQUEST_KINDS

#: The header that has the cursor of a page which is in no envelope.
CURSOR: Final = "x-safelight-cursor"


@route("GET", "/journal", query="journal", enters=True)
def get_journal(asked: ControlCall) -> Mapping[str, Any] | Reply:
    """Give the exchanges with this key in the order of their answers, those that are asked for, a page at a time."""
    session, task_id = asked.looked_at, asked.query.get("task_id")
    if task_id is not None and not session.knows(task_id) and not _is_about(asked, session, task_id):
        raise Refused(404, f"No task {shown(task_id)}: it was never issued to this key, and nothing was asked about it")
    return _given(asked, session.name, session.data.began)


@route("GET", "/orphans", query="journal", is_own=False)
def get_orphans(asked: ControlCall) -> Mapping[str, Any] | Reply:
    """Give the exchanges without a usable key. They are nobody's: only a server with a token gives them."""
    if not asked.has_token:
        raise Refused(HTTPStatus.FORBIDDEN, "The orphans are nobody's: only a server with a control token gives them")
    return _given(asked, None, 0)


@route("GET", "/ledger", query="page", enters=True)
def get_ledger(asked: ControlCall) -> Mapping[str, Any]:
    """Give the lines of the ledger, a page at a time, what all of them come to, and what is left."""
    with asked.entering() as session:
        began, ledger, left = session.data.began, session.ledger, session.credits
        lines, total = [(number + 1, entry) for number, entry in ledger.entries.items()], ledger.total
    page, cursor = page_of(lines, itemgetter(0), asked.query)
    entries = [
        {"number": number, **entry._asdict(), "at": entry.at - began, "credits": credits_form(entry.credits)}
        for number, entry in page
    ]
    return {"entries": entries, "cursor": cursor, "total": credits_form(total), "balance": credits_form(left)}


def _is_about(asked: ControlCall, session: Session, task_id: str) -> bool:
    """Some exchange of the session names this task."""
    return any(exchange.task_id == task_id for exchange in asked.service.sessions.store.journal(session.name))


def _given(asked: ControlCall, name: str | None, began: float) -> Mapping[str, Any] | Reply:
    _check(asked.query)
    journal = asked.service.sessions.store.part(name, min(int(asked.query.get("cursor", 0)), MAX_NUMBER))
    found = [one for one in journal.numbered if _is_asked_for(one[1], asked.query, began)]
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


def _check(query: Mapping[str, str]) -> None:
    """Raises `Refused` where a query asks for what no exchange can have."""
    for name, (known, others) in _values().items():
        if query.get(name, known[0]) not in known:
            near = did_you_mean(query[name], known) or f"; there are {others}"
            raise Refused(400, f"Invalid request: no {name} is called {shown(query[name])}{near}")


@cache
def _values() -> Mapping[str, tuple[Sequence[str], str]]:
    """Parameter of the query -> the values that exchanges have there, and what to say of them all."""
    outcomes = ["ok", "refused", *(rule.id for rule in rules())]
    return {
        "outcome": (outcomes, "ok, refused, and each rule that `safelight schema rules` lists"),
        "operation": (list(REQUEST_KINDS), listed(REQUEST_KINDS)),
    }


def _is_asked_for(exchange: Exchange, query: Mapping[str, str], began: float) -> bool:
    if exchange.at - began < float(query.get("since", "-inf")):
        return False
    return all(getattr(exchange, name) == query[name] for name in ("operation", "task_id", "outcome") if name in query)
