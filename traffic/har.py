"""HTTP archives, HAR 1.2, in both directions: of a journal, for browsers; and of browsers and proxies, as exchanges.

What the format has no place for stands in the member `_safelight` of each entry, so that our own archive is read back
as it was. What nobody measured stands there as the format says unknown: sizes are -1, times 0. A request to which
nothing was sent has the status 0, as browsers have it, and says in `_error` what became of it, as Chrome does.
"""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from safelight.contracts.wording import shown
from safelight.traffic.elements import elements
from safelight.traffic.leaks import keys_in, leaks
from safelight.traffic.ndjson import (
    MAX_SECONDS,
    Unreadable,
    answer_form,
    body_form,
    exchange_form,
    exchange_of,
    text_form,
)
from safelight.traffic.recognition import recognized
from safelight.traffic.redaction import without_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TextIO

    from safelight.traffic.exchange import Exchange

Form = dict[str, Any]

#: Reasons of the status codes, which need no others.
_REASONS: Final[Mapping[int, str]] = {status.value: status.phrase for status in HTTPStatus}

#: The status of a request that was still on its way, as Playwright writes it.
_PENDING: Final = -1

#: The last second that a date can be in.
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()

#: The one page of our archives: browsers look for the page of each entry.
_PAGE: Final = "safelight"

#: Members of an exchange that HAR has no place for, or not as exactly.
_OURS: Final = (
    *("at", "operation", "task_id", "phase", "outcome", "violations", "advice", "fault", "wire"),
    *("took", "gap", "key", "leaks", "answer_headers", "body_base64", "body_bytes", "answer_bytes"),
)

#: The host in a URL: HTTP/2 has no header for it.
_HOST: Final = re.compile(r"[^/?#]*://(?:[^/?#@]*@)?([^/?#@]+)")

#: Kinds of content that are not kept: whoever wants a picture draws it again.
NOT_KEPT: Final = ("image/", "video/", "audio/", "font/")


def har(exchanges: Iterable[Exchange]) -> Form:
    """The archive of a journal."""
    entries = [_entry(exchange) for exchange in exchanges]
    begun = entries[0]["startedDateTime"] if entries else _date(0)
    page: Form = {"startedDateTime": begun, "id": _PAGE, "title": "Safelight", "pageTimings": {}}
    creator = {"name": "Safelight", "version": version("safelight")}
    return {"log": {"version": "1.2", "creator": creator, "pages": [page], "entries": entries}}


def read(archive: TextIO) -> Iterator[Exchange]:
    """The exchanges of an archive, one at a time and without keys. Raises `Unreadable`.

    Those of an archive that is not ours are recognized by request and answer; `at` is when the request was sent.
    """
    answered: dict[str, float] = {}
    for number, entry in enumerate(_entries(archive), 1):
        try:
            exchange = _exchange(entry)
        except ValueError as error:
            raise Unreadable(f"entry {number}", str(error)) from None
        if exchange.task_id is not None and "_safelight" not in entry:
            before = answered.get(exchange.task_id)
            answered[exchange.task_id] = exchange.at
            exchange = exchange if before is None else exchange._replace(gap=exchange.at - before)
        yield exchange


def _entries(archive: TextIO) -> Iterator[Any]:
    try:
        yield from elements(archive, "log", "entries")
    except ValueError as error:
        raise Unreadable("the archive", str(error)) from None


# --- out -------------------------------------------------------------------------------------------------------------


def _entry(exchange: Exchange) -> Form:
    milliseconds = 1_000 * (exchange.took or 0)
    return {
        "pageref": _PAGE,
        "startedDateTime": _date(exchange.at),
        "time": milliseconds,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": ", ".join(filter(None, [exchange.outcome, exchange.fault])),
        "_safelight": _ours(exchange),
    }


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(min(max(seconds, 0), _LAST), UTC).isoformat(timespec="milliseconds")


def _ours(exchange: Exchange) -> Form:
    form = exchange_form(exchange)
    target = {} if _target(_url(exchange)) == exchange.target else {"target": exchange.target}
    return {name: form[name] for name in _OURS if name in form} | target


def _url(exchange: Exchange) -> str:
    return f"http://{exchange.headers.get('host', 'localhost')}{exchange.target}"


def _request(exchange: Exchange) -> Form:
    media_type = exchange.headers.get("content-type", "")
    sent = {"postData": {"mimeType": media_type, "text": text_form(exchange.body)}} if exchange.body else {}
    return {
        "method": exchange.method,
        "url": _url(exchange),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchange.headers.items()),
        "queryString": _pairs(parse_qsl(exchange.target.partition("?")[2], keep_blank_values=True)),
        **sent,
        "headersSize": -1,
        "bodySize": len(exchange.body) if exchange.body_bytes is None else exchange.body_bytes,
    }


def _response(exchange: Exchange) -> Form:
    status, media_type = exchange.status, exchange.media_type
    headers = {**({"content-type": media_type} if media_type else {}), **exchange.answer_headers}
    size = len(exchange.answer) or -1 if exchange.answer_bytes is None else exchange.answer_bytes
    return {
        "status": status,
        "statusText": _REASONS.get(status, "") or exchange.wire,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers.items()),
        "content": {"size": max(0, size), "mimeType": media_type, **_content(exchange.answer)},
        "redirectURL": headers.get("location", ""),
        "headersSize": -1,
        "bodySize": size,
        **({"_error": exchange.wire} if exchange.wire else {}),
    }


def _content(answer: bytes) -> Form:
    form = answer_form(answer)
    if "answer_base64" in form:
        return {"text": form["answer_base64"], "encoding": "base64"}
    return {"text": text_form(answer)} if answer else {}


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[Form]:
    return [{"name": name, "value": value} for name, value in pairs]


# --- in --------------------------------------------------------------------------------------------------------------


def _exchange(entry: Any) -> Exchange:
    """The exchange of an entry, whoever wrote it. Raises `ValueError` with a sentence."""
    if not isinstance(entry, dict):
        raise ValueError(f"it is {shown(entry)}; an entry is an object")  # noqa: TRY004 - as all
    request, response = _member(entry, "request"), _member(entry, "response")
    content = _member(response, "content")
    ours, took = _member(entry, "_safelight"), entry.get("time")
    url = str(request.get("url", ""))
    target, headers, body = _target(url), _headers(request), _body(request)
    keys = [*keys_in(headers)]
    status = response.get("status") or 0
    status = 0 if status == _PENDING else status
    is_kept = ours or not str(content.get("mimeType", "")).startswith(NOT_KEPT)
    form = {
        "at": _seconds(entry.get("startedDateTime")),
        "method": request.get("method"),
        "target": target,
        "headers": headers,
        **body_form(body),
        "leaks": [*leaks(target, headers, body, keys)],
        "status": status,
        "media_type": str(content.get("mimeType", "")),
        **answer_form(_decoded(content) if is_kept and isinstance(content.get("text"), str) else b""),
        "answer_headers": _headers(response),
        "wire": "" if status else _lost(response),
        "took": took / 1_000 if isinstance(took, int | float) and 0 < took < MAX_SECONDS else None,
        "body_bytes": _size(request, "bodySize"),
        "answer_bytes": _size(content, "size") if status else 0,
    }
    if ours:
        return exchange_of({**form, "took": None, **ours})
    if keys and form["status"] != HTTPStatus.UNAUTHORIZED:
        form["key"] = sha256(keys[0].encode("utf-8", "surrogatepass")).hexdigest()[:16]
    host = _HOST.match(url)
    form["headers"] = {**({"host": host[1]} if host else {}), **headers}
    return recognized(without_keys(exchange_of(form), frozenset(keys)))


def _member(value: Any, name: str) -> Form:
    """A member that is an object; one that is left out, or null, is an empty one."""
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(found, dict | None):
        raise ValueError(f"{name} is {shown(found)}; it must be an object")  # noqa: TRY004 - as all
    return found or {}


def _list(value: Form, name: str) -> list[Any]:
    """A member that is an array; one that is left out, or null, is an empty one."""
    found = value.get(name)
    if not isinstance(found, list | None):
        raise ValueError(f"{name} is {shown(found)}; it must be an array")  # noqa: TRY004 - as all
    return found or []


def _size(value: Form, name: str) -> int | None:
    """A number of bytes that is known: -1 says that it is not."""
    found = value.get(name)
    return found if type(found) is int and 0 <= found < MAX_SECONDS else None


def _target(url: str) -> str:
    """Path and query of a URL, as they stand in it; one that was sent to a proxy is whole."""
    _, is_whole, rest = url.partition("://")
    if not is_whole:
        return url
    ends = [place for place in map(rest.find, "/?#") if place >= 0]
    return rest[min(ends) :] if ends else ""


def _seconds(date: Any) -> float:
    """Seconds since the epoch. A date that names no zone is of UTC."""
    try:
        found = datetime.fromisoformat(date)
    except (TypeError, ValueError):
        raise ValueError(f"startedDateTime is {shown(date)}; it must be a date, as 2026-07-01T12:00:00.000Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _headers(message: Form) -> Mapping[str, str]:
    """Names in lower case; of a name that comes twice the values are joined. HTTP/2 says its own with a colon."""
    found: dict[str, str] = {}
    for pair in _list(message, "headers"):
        match pair:
            case {"name": str(name), "value": str(value)} if not name.startswith(":"):
                lower = name.lower()
                found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


def _body(request: Form) -> bytes:
    sent = _member(request, "postData")
    if isinstance(sent.get("text"), str):
        return _decoded(sent)
    fields = [field for field in _list(sent, "params") if isinstance(field, dict)]
    return urlencode([(str(field.get("name", "")), str(field.get("value", ""))) for field in fields]).encode()


def _decoded(content: Form) -> bytes:
    """Text, or what is in Base64 and says so."""
    if content.get("encoding") != "base64":
        return str(content["text"]).encode("utf-8", "surrogatepass")
    try:
        return b64decode(content["text"])
    except ValueError:
        raise ValueError(f"the text {shown(content['text'])} is no Base64") from None


def _lost(response: Form) -> str:
    """What a browser says of a request without an answer."""
    sentence = response.get("_error") or response.get("_failureText") or response.get("statusText")
    return sentence if isinstance(sentence, str) and sentence else "no answer"
