"""The journal of a session, and of what came without a usable key: as JSON, NDJSON or HAR."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import Refused, Reply
from safelight.traffic.har import har
from safelight.traffic.ndjson import exchange_form, line
from safelight.traffic.redaction import without_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safelight.traffic.exchange import Exchange
    from safelight.traffic.journal import Journal

#: What a query may ask of exchanges, beside a time.
_ASKED: Final = ("operation", "task_id", "outcome")


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


def _given(asked: ControlCall, journal: Journal, began: float) -> Mapping[str, Any] | Reply:
    exchanges = [exchange for exchange in journal if _is_asked_for(exchange, asked.query, began)]
    return _FORMATS[asked.query.get("format", "json")](exchanges, began, journal.dropped, asked.key)


def _is_asked_for(exchange: Exchange, query: Mapping[str, str], began: float) -> bool:
    if exchange.at - began < float(query.get("since", "-inf")):
        return False
    return all(getattr(exchange, name) == query[name] for name in _ASKED if name in query)


def _json(exchanges: Sequence[Exchange], began: float, dropped: int, _: str) -> Mapping[str, Any]:
    return {"exchanges": [exchange_form(exchange, began) for exchange in exchanges], "dropped": dropped}


def _ndjson(exchanges: Sequence[Exchange], began: float, _: int, key: str) -> Reply:
    lines = [line(without_keys(exchange, key), began) for exchange in exchanges]
    return Reply(200, "".join(lines).encode(), "application/x-ndjson")


def _har(exchanges: Sequence[Exchange], _: float, __: int, key: str) -> Reply:
    return Reply(200, json.dumps(har(without_keys(exchange, key) for exchange in exchanges)).encode())


#: Format -> what it makes of exchanges, of when their session began, of how many more there were, and of the key.
_FORMATS: Final[Mapping[str, Callable[[Sequence[Exchange], float, int, str], Mapping[str, Any] | Reply]]] = {
    "json": _json,
    "ndjson": _ndjson,
    "har": _har,
}
