"""A journal as an HTTP archive, HAR 1.2: for the network panel of a browser, and whatever else reads it.

What the journal does not keep stands there as the format says unknown: sizes are -1, times 0.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from safelight.traffic.ndjson import text_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safelight.traffic.exchange import Exchange

Form = dict[str, Any]

#: Reasons of the status codes, which need no others.
_REASONS: Final[Mapping[int, str]] = {status.value: status.phrase for status in HTTPStatus}

#: The last second that a date can be in.
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def har(exchanges: Iterable[Exchange]) -> Form:
    """The archive."""
    creator = {"name": "Safelight", "version": version("safelight")}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(exchange) for exchange in exchanges]}}


def _entry(exchange: Exchange) -> Form:
    begun = datetime.fromtimestamp(min(max(exchange.at, 0), _LAST), UTC)
    return {
        "startedDateTime": begun.isoformat(timespec="milliseconds"),
        "time": 0,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": 0},
        "comment": ", ".join(filter(None, [exchange.outcome, exchange.fault])),
    }


def _request(exchange: Exchange) -> Form:
    media_type = exchange.headers.get("content-type", "")
    sent = {"postData": {"mimeType": media_type, "text": text_form(exchange.body)}} if exchange.body else {}
    return {
        "method": exchange.method,
        "url": f"http://{exchange.headers.get('host', 'localhost')}{exchange.target}",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(exchange.headers.items()),
        "queryString": _named(parse_qsl(exchange.target.partition("?")[2], keep_blank_values=True)),
        **sent,
        "headersSize": -1,
        "bodySize": len(exchange.body),
    }


def _response(exchange: Exchange) -> Form:
    """Of an answer that did not arrive as it stands in the journal, that alone: the status 0, as browsers have it."""
    answer = b"" if exchange.wire else exchange.answer
    kept = {"text": text_form(answer)} if answer else {}
    status = 0 if exchange.wire else exchange.status
    return {
        "status": status,
        "statusText": exchange.wire or _REASONS.get(status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [] if exchange.wire else _named([("content-type", exchange.media_type)]),
        "content": {"size": len(answer), "mimeType": exchange.media_type, **kept},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(answer) if answer else -1,
    }


def _named(pairs: Iterable[tuple[str, str]]) -> list[Form]:
    return [{"name": name, "value": value} for name, value in pairs]
