"""A proxy in front of one upstream: it passes each request on, hands the exchange to whoever records and judges it.

It connects to that upstream and to nobody else: a redirect is passed on, and not followed. Bodies are passed on as they
are, so that a picture is fetched from wherever its URL says. It sends nothing twice.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_plus

import httpx
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from safelight.conformance.servers.budget import Budget, NoBudget
from safelight.conformance.servers.entry import Entry
from safelight.conformance.servers.gate import MAX_ANSWER_BYTES, MAX_PICTURE_BYTES
from safelight.conformance.servers.probe import Pocket, Probe
from safelight.conformance.servers.sending import ServerGone, client_of, request_of, sent
from safelight.conformance.servers.taken import is_taken
from safelight.contracts.dialects import PATHS
from safelight.contracts.operations import operations
from safelight.contracts.secrets import NO_KEYS, with_keys
from safelight.mockserver.model.keys import WAYS, fingerprint, sent_key
from safelight.mockserver.model.messages import Reply, Request, failure
from safelight.mockserver.model.wire import EXTENSION
from safelight.mockserver.sessions.registry import MIN_SECRET_CHARACTERS
from safelight.mockserver.transports.asgi import disconnected
from safelight.traffic.exchange import Exchange, object_of
from safelight.traffic.har import NOT_KEPT
from safelight.traffic.leaks import keys_in, leaks
from safelight.traffic.recognition import recognized
from safelight.traffic.redaction import without_keys

#: Seconds that an exchange may take, whole.
MAX_SECONDS: Final = 120.0

#: Bytes of a body beyond the limit that are read and thrown away, so that the refusal is not lost on its way.
_MAX_DISCARDED_BYTES: Final = 1_000_000_000

#: Keys that are looked for in what others are answered.
_MAX_KEYS: Final = 1_000

#: Methods that only read, unless what they ask for is a submit.
_READING: Final = ("GET", "HEAD")

#: Headers that are about one connection; and those that are put anew: an answer that is compressed could not be read.
_HOP_BY_HOP: Final = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
_ANEW: Final = frozenset({b"host", b"content-length", b"accept-encoding", b"expect", b"x-safelight-token"})

#: Statuses that can be handed on.
_STATUSES: Final = range(100, 600)

#: Encodings that are undone where an upstream compresses all the same.
_UNDONE: Final = (b"gzip", b"deflate")

#: Under which paths the fake is controlled. There is no such thing in front of an upstream.
_CONTROL: Final = "/_safelight"

_Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Proxy:
    """The way from clients to an upstream, as an ASGI application."""

    upstream: Entry
    budget: Budget
    body_limit: int
    #: Takes each exchange with the upstream, without keys, when it is over; and each request that was not sent.
    listener: Callable[[Exchange], None]
    not_sent: Callable[[Exchange], None]
    seconds: float = MAX_SECONDS
    _keys: set[str] = field(default_factory=set)
    _client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        # No connection is kept: one that its server has just closed would leave open whether a submit was booked.
        self._client = client_of(self.upstream, httpx.Limits(max_keepalive_connections=0))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            return
        try:
            body = await _body(receive, self.body_limit)
        except ClientDisconnect:  # half a request is none
            return
        request = _request(scope, body or b"")
        self._keys |= set(list(_keys_of(request))[: _MAX_KEYS - len(self._keys)])
        answer = _Answer(scope, receive, send)
        try:
            await self._pass_on(request, scope["headers"], answer, is_whole=body is not None)
        except _NotSent as refused:
            self.not_sent(self._kept(request, _said(self._asked(request), refused.reply)))
            await answer.reply(refused.reply)

    async def _pass_on(self, request: Request, headers: _Headers, answer: _Answer, *, is_whole: bool) -> None:
        """Send it, or raise `_NotSent`; whatever comes of it is handed on, and told."""
        if not is_whole:
            raise _NotSent(failure(413, f"Body too large: the limit is {self.body_limit:,} bytes"))
        if request.path == _CONTROL or request.path.startswith(f"{_CONTROL}/"):
            raise _NotSent(failure(404, "Safelight passes this API on, and has no control routes in front of it"))
        probe = Probe("", request.method, request.query, body=request.body or b"", is_meant=True)
        pocket = Pocket.NONE if _only_reads(request) else probe.pocket
        exchange, body = await self._sent(request, headers, answer, pocket)
        whole = exchange._replace(answer=body)
        if _is_refused(probe, whole):
            self.budget.give_back(pocket)
        self.listener(self._kept(request, whole))
        await answer.end(whole)

    async def _sent(
        self, request: Request, headers: _Headers, answer: _Answer, pocket: Pocket
    ) -> tuple[Exchange, bytes]:
        asked = self._asked(request)
        path = self.upstream.path if request.path in PATHS.values() else request.path
        target = asked._replace(target=f"{path}?{request.query}" if request.query else path)
        try:
            going = request_of(self.upstream, target, _onward(headers))
            self.budget.take(pocket)
        except (httpx.InvalidURL, UnicodeError) as error:
            raise _NotSent(failure(400, f"Safelight cannot send this request on: {error}")) from None
        except NoBudget as error:
            raise _NotSent(failure(402, f"Safelight did not send this request, which may cost: {error}")) from None
        limits = {"max_bytes": MAX_PICTURE_BYTES, "max_kept": MAX_ANSWER_BYTES}
        try:
            return await sent(self._client, going, asked, **limits, seconds=self.seconds, receiver=answer)
        except ServerGone as gone:
            self.budget.give_back(pocket)
            raise _NotSent(failure(503, f"Safelight did not send this request: {gone}")) from None
        except asyncio.CancelledError:
            self.listener(self._kept(request, asked._replace(wire="Safelight was stopped before its end")))
            raise

    def _asked(self, request: Request) -> Exchange:
        """The request, as an exchange to which nothing was answered."""
        host = {"host": self.upstream.origin.partition("://")[2]}
        target = f"{request.path}?{request.query}" if request.query else request.path
        body = request.body or b""
        headers = {**request.headers, **host}
        return Exchange(time.time(), request.method, target, headers, body, 0, "", b"", body_bytes=len(body))

    def _kept(self, request: Request, exchange: Exchange) -> Exchange:
        """The exchange as it is recorded: recognized, without keys, and without what is drawn again."""
        is_kept = exchange.answer_bytes == len(exchange.answer) and not exchange.media_type.startswith(NOT_KEPT)
        seen = recognized(exchange._replace(answer=exchange.answer if is_kept else b""))
        own = [*_keys_of(request)]
        key = sent_key(request)[0]
        return without_keys(seen, with_keys(NO_KEYS, *self._keys, *own))._replace(
            key=fingerprint(key) if key and exchange.status != HTTPStatus.UNAUTHORIZED else "",
            leaks=leaks(exchange.target, exchange.headers, exchange.body, own),
        )


@dataclass(eq=False)
class _NotSent(Exception):
    """A request is not passed on, and answered here."""

    reply: Reply


@dataclass(slots=True)
class _Answer:
    """The way back to the client: what comes is handed on, but for the last of it, which waits for the end.

    So whoever has had the whole answer finds its exchange written down, and paid for.
    """

    scope: Scope
    receive: Receive
    send: Send
    _has_begun: bool = False
    _last: bytes = b""

    async def begin(self, head: httpx.Response) -> None:
        """Hand status and headers on. Raises `ValueError` where the status is none."""
        if head.status_code not in _STATUSES:
            raise ValueError(f"its status is {head.status_code}, which HTTP does not have")
        dropped = _dropped(head.headers.raw)
        if "transfer-encoding" in head.headers:  # what it says of the length is not heeded beside it
            dropped |= {b"content-length"}
        if head.headers.get("content-encoding", "").strip().lower().encode() in _UNDONE:
            dropped |= {b"content-encoding", b"content-length"}
        headers = [(name.lower(), value) for name, value in head.headers.raw if name.lower() not in dropped]
        self._has_begun = True
        await self.send({"type": "http.response.start", "status": head.status_code, "headers": headers})

    async def take(self, chunk: bytes) -> None:
        """Hand some more of the body on."""
        if self._last:
            await self.send({"type": "http.response.body", "body": self._last, "more_body": True})
        self._last = chunk

    async def end(self, exchange: Exchange) -> None:
        """End the answer as it ended: one that was cut is cut here too, and one that never came is said to be lost."""
        if not exchange.wire:
            await self.send({"type": "http.response.body", "body": self._last})
        elif self._has_begun:
            await self.take(b"")
            self.scope["extensions"][EXTENSION].transport.abort()
            await disconnected(self.receive)
        else:
            sentence = f"Safelight sent this request, and its answer was lost: {exchange.wire}"
            await self.reply(failure(502, sentence))

    async def reply(self, reply: Reply) -> None:
        """Answer with a reply of our own."""
        named = {**reply.all_headers, "content-length": str(len(reply.body))}
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
        body = reply.body if self.scope["method"] != "HEAD" else b""
        await self.send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def _is_refused(probe: Probe, exchange: Exchange) -> bool:
    """The answer says so: whatever leaves that open counts as paid."""
    says_no = object_of(exchange.answer).get("success") is False or exchange.status not in range(200, 300)
    return not exchange.wire and is_taken(probe, exchange) is False and says_no


def _only_reads(request: Request) -> bool:
    """No task can come of it: it reads, names no submit, and has no body that a server might heed."""
    is_preflight = request.method == "OPTIONS" and "access-control-request-method" in request.headers
    is_question = request.method in _READING and not _SUBMITS.intersection(_words(request))
    return (is_question or is_preflight) and not request.body


def _words(request: Request) -> list[str]:
    """What a server might take for the name of an operation, however lax it is about case and encoding."""
    return re.split(r"[/?&;=]", unquote_plus(f"{request.path}?{request.query}").lower())


#: The names of the submits.
_SUBMITS: Final = frozenset(name for name, operation in operations().items() if operation.is_submit)


async def _body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None where it is larger than the limit. Raises `ClientDisconnect`."""
    body, size, more = bytearray(), 0, True
    while more and size < _MAX_DISCARDED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        size += len(chunk := message.get("body", b""))
        body += chunk if size <= limit else b""
        more = message.get("more_body", False)
    return bytes(body) if size <= limit else None


def _request(scope: Scope, body: bytes) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
    path = (scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace")
    return Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers, body)


def _keys_of(request: Request) -> list[str]:
    """All keys that a request brings, in whichever way; a short one stands in other texts by chance."""
    found = [*keys_in(request.headers), *(read(request) for read in WAYS.values())]
    return [key for key in found if len(key) >= MIN_SECRET_CHARACTERS]


def _onward(headers: _Headers) -> _Headers:
    """The headers of a request for the upstream."""
    dropped = _dropped(headers) | _ANEW
    return [
        *((name, value) for name, value in headers if name.lower() not in dropped),
        (b"accept-encoding", b"identity"),
    ]


def _dropped(headers: _Headers) -> frozenset[bytes]:
    """The names of headers that end here: those of one connection, and those that `Connection` names."""
    named = b",".join(value for name, value in headers if name.lower() == b"connection")
    return _HOP_BY_HOP | {name.strip().lower() for name in named.split(b",")}


def _said(exchange: Exchange, reply: Reply) -> Exchange:
    """The exchange that an answer of our own makes."""
    headers: Mapping[str, str] = reply.headers
    return exchange._replace(
        status=reply.status,
        media_type=reply.media_type,
        answer=reply.body,
        answer_headers=headers,
        answer_bytes=len(reply.body),
    )
