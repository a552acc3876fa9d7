"""The core as a Starlette application. There is nothing to decide here: bytes in, `Service.handle`, bytes out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from math import inf
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import h11
from anyio import move_on_after, sleep
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope
from starlette.types import Send as Sending
from starlette.websockets import WebSocketClose

from safelight.mockserver.model.messages import Reply, Request, Stream
from safelight.mockserver.model.wire import EXTENSION, ON_SOCKET, AnswerLost, Connection, Wire
from safelight.mockserver.service.effort import Effort
from safelight.mockserver.service.in_flight import InFlight
from safelight.mockserver.service.service import Service
from safelight.mockserver.service.workers import in_worker
from safelight.mockserver.transports.at_once import Head, KnownHeaders
from safelight.mockserver.transports.cors import EnvelopeCORS, send_varying
from safelight.mockserver.transports.playback import played

#: Bytes of a request body that are read unless the caller says otherwise.
BODY_LIMIT: Final = 10_000_000
#: What can stand in a URL as host and port.
_HOST: Final = re.compile(r"(?:[\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)
#: Bytes of a body that are read and thrown away when its request is answered already, and seconds that
#: this may take: closed with bytes unread, the connection would be reset, and the answer lost on its way.
_MAX_DISCARDED_BYTES: Final = 1_000_000_000
_MAX_DISCARDING_SECONDS: Final = 10.0
#: Seconds for which an answer of control is made for a client that may have left.
_MOMENT_SECONDS: Final = 1.0


class Beside(Protocol):
    """What answers beside the API: `Control`, or what takes its place."""

    @property
    def token(self) -> str | None:
        """What a request has to bring."""
        ...

    def takes(
        self, method: str, path: str, query: bytes, headers: Mapping[str, str], server: tuple[str, int | None] | None, /
    ) -> bool:
        """A request for this target, which came in at this host and port, is for it."""
        ...

    async def answer(self, service: Service, request: Request, /) -> Reply | Stream:
        """The reply to one request. It is cancelled when its client has left."""
        ...


def create_app(
    api: Service, *, cors: bool = False, body_limit: int = BODY_LIMIT, control: Beside | None = None
) -> Starlette:
    """The API as an ASGI application; `cors` lets pages of any origin use it from a browser.

    With a `control`, programs can control it under `/_safelight/`.
    """
    everyone = Middleware(EnvelopeCORS, errors=lambda: api.sessions.only_settings().errors)
    app = Starlette(middleware=[everyone] if cors else [])
    # What no route takes goes to the core; a route that takes everything would have to be matched first.
    app.router.default = replace(bare_app(api, body_limit, control), cors=cors)
    return app


def bare_app(api: Service, body_limit: int = BODY_LIMIT, control: Beside | None = None) -> Core:
    """The bare ASGI application that `create_app` mounts."""
    if control and control.token:
        api.sessions.hide(control.token)
    return Core(api, body_limit, control)


def core_of(app: ASGIApp) -> Core | None:
    """What answers in an application, where nothing stands before it that all requests have to pass."""
    if isinstance(app, Starlette) and not app.routes and {one.cls for one in app.user_middleware} <= {EnvelopeCORS}:
        app = app.router.default
    return app if isinstance(app, Core) else None


@dataclass(frozen=True, slots=True)
class Core:
    """The core as a bare ASGI application, and as what a server can ask without one."""

    api: Service
    body_limit: int
    control: Beside | None
    #: What a page of another origin sends passes `EnvelopeCORS`; of everything else it says no more than `vary`.
    cors: bool = False
    #: What its clients send with each request.
    known: KnownHeaders = field(default_factory=KnownHeaders)

    async def __call__(self, scope: Scope, receive: Receive, send: Sending) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        api, control = self.api, self.control
        headers = headers_as_text(tuple([(name, value) for name, value in scope["headers"]]))
        incoming = _Incoming(receive)
        with suppress(ClientDisconnect):  # half a request is none
            if control and control.takes(
                scope["method"], scope["path"], scope["query_string"], headers, scope.get("server")
            ):
                request = self._request(scope, headers, await _body(scope, headers, incoming, self.body_limit))
                answer = await _while_there(control.answer(api, request), request, scope, receive)
                if isinstance(answer, Stream):
                    await _send_stream(answer, request, scope, receive, send)
                else:
                    await _send(answer, request, scope, send)
            else:
                with api.in_flight:
                    request = self._request(scope, headers, await _body(scope, headers, incoming, self.body_limit))
                    reply = await in_worker(api.effort_of(request), partial(api.handle, request))
                    await self._deliver(reply, request, scope, receive, send)
            if request.body is None:
                await _discard(scope, incoming, send)

    def at_once(self, head: Head, body: bytes) -> Request | None:
        """The request, where its answer needs no worker thread and is not that of a control route."""
        path, _, query = head.target.partition(b"?")
        if not head.target.startswith(b"/") or b"%" in path or b"#" in head.target or len(body) > self.body_limit:
            return None  # what is to be decoded, and told apart, the server does
        text, headers = path.decode("ascii", "replace"), head.headers
        if self.cors and "origin" in headers:
            return None
        if self.control and self.control.takes(head.method, text, query, headers, head.server):
            return None
        origin = self.api.public_url or _origin(head.scheme, headers.get("host", ""), head.server or ())
        taken = b"" if head.method == "GET" else body
        request = Request(head.method, text, query.decode("latin-1"), headers, taken, origin)
        return request if self.api.effort_of(request) is Effort.MOMENT else None

    def _request(self, scope: Scope, headers: Mapping[str, str], body: bytes | None) -> Request:
        called = _origin(scope["scheme"], headers.get("host", ""), tuple(scope.get("server") or ()))
        return Request(
            method=scope["method"],
            path=(scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace"),
            query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            origin=self.api.public_url or called,
        )

    async def go_on(self, reply: Reply, request: Request, scope: Scope, receive: Receive, send: Sending) -> None:
        """Deliver a reply whose exchange is under way already, and end that."""
        sending = partial(send_varying, send) if self.cors else send
        try:
            await self._deliver(reply, request, scope, receive, sending)
        finally:
            self.api.in_flight.__exit__()

    async def _deliver(self, reply: Reply, request: Request, scope: Scope, receive: Receive, send: Sending) -> None:
        """Answer a request of the API, or do what a fault does instead."""
        if reply.on_delivery and self.api.sessions.store.does_io:
            reply = await _noted(reply, scope)
        if not reply.wire:
            await _send(reply, request, scope, send)
        elif connection := _connection(scope):
            await _carry_out(reply, reply.wire, connection, receive, self.api.in_flight)
        else:
            await _play(reply, reply.wire, request, send, self.api.in_flight)


async def _while_there(
    answer: Coroutine[Any, Any, Reply | Stream], request: Request, scope: Scope, receive: Receive
) -> Reply | Stream:
    """The answer of control, which ends with its client, as a barrier may wait for long. Raises `ClientDisconnect`.

    A client that has ended its side is answered within a moment; who waits for longer has to leave it open.
    """
    if request.body is None:  # it is refused at once, and what still comes of it is not for here
        return await answer
    answering, gone = asyncio.ensure_future(answer), asyncio.ensure_future(disconnected(receive))
    connection = _connection(scope)
    try:
        for seconds in (_MOMENT_SECONDS, None):
            ended, _ = await asyncio.wait([answering, gone], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if answering in ended:
                return answering.result()
            if gone in ended:
                break
            if connection:
                connection.await_silence(inf)
        raise ClientDisconnect
    finally:
        answering.cancel()
        gone.cancel()
        if connection:
            connection.await_silence(0)


async def _noted(reply: Reply, scope: Scope) -> Reply:
    """The reply, whose store is told before it goes out that it is delivered, and in a worker how much was sent."""
    connection = _connection(scope)
    if not (connection and connection.transport.is_closing()):
        await in_worker(Effort.STORE, reply.deliver)
    loop, on_end = asyncio.get_running_loop(), reply.on_end
    end = on_end and (lambda sent: loop.run_in_executor(None, on_end, sent))
    return reply._replace(on_delivery=None, on_end=end)


@lru_cache(256)
def headers_as_text(raw: tuple[tuple[bytes, bytes], ...]) -> Mapping[str, str]:
    """The headers as text. Kept, as a client sends the same again and again; of several of a name the first counts."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(raw)}


@lru_cache(256)
def _origin(scheme: str, host: str, server: tuple[str, int | None] | tuple[()]) -> str:
    """What absolute URLs start with: the host the client asked for, or our own address where that is no host."""
    with suppress(ValueError):  # of a port or an address that cannot be
        if _HOST.fullmatch(host) and urlsplit(f"//{host}").port != 0:
            return f"{scheme}://{host}"
    name, port = server or ("localhost", None)
    name = f"[{name}]" if ":" in name else name
    return f"{scheme}://{name}:{port}" if port else f"{scheme}://{name}"


async def _body(scope: Scope, headers: Mapping[str, str], receive: _Incoming, limit: int) -> bytes | None:
    """The whole body, or None once it is larger than the limit. Raises `ClientDisconnect`."""
    is_get, length = scope["method"] in ("GET", "HEAD"), headers.get("content-length", "")
    if is_get and length in ("", "0") and "transfer-encoding" not in headers:
        return b""
    with suppress(ValueError):  # of what is no length; the server lets none in
        if int(length or 0) > limit:
            return None
    chunks, size = [], 0
    while receive.has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
    return b"" if is_get else b"".join(chunks)


class _Incoming:
    """The messages that a server has of one request, of which only so many can be asked for."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        #: The body has not ended.
        self.has_more = True

    async def __call__(self) -> Message:
        """The next one."""
        message = await self._receive()
        self.has_more = message.get("more_body", False)
        return message


async def _discard(scope: Scope, receive: _Incoming, send: Sending) -> None:
    """Read what still comes of a body whose request is answered, not for long, and end the answer then."""
    size = 0
    with move_on_after(_MAX_DISCARDING_SECONDS):
        while receive.has_more and size < _MAX_DISCARDED_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message.get("body", b""))
    if receive.has_more and (connection := _connection(scope)):
        connection.transport.close()
        await disconnected(receive)
    await send({"type": "http.response.body"})


def _connection(scope: Scope) -> Connection | None:
    """The connection of a request, where there is a socket."""
    connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
    return connection


async def _carry_out(reply: Reply, wire: Wire, connection: Connection, receive: Receive, in_flight: InFlight) -> None:
    """What happens below HTTP, as long as the client is there."""
    transport = connection.transport
    gone = asyncio.ensure_future(disconnected(receive))
    if transport.is_closing():
        reply.end(0)
    else:
        with closing(wire.pieces(reply.deliver, reply.end)) as pieces:
            for data, seconds in pieces:
                if data:
                    transport.write(data)
                if seconds:
                    connection.await_silence(seconds)
                    await _silence(seconds, gone, in_flight)
                if transport.is_closing():
                    break
    if not transport.is_closing():
        ON_SOCKET[wire.end](transport)
    await gone  # to return before that is taken for an answer that was forgotten


async def disconnected(receive: Receive) -> None:
    """Return when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _silence(seconds: float, gone: asyncio.Future[None], in_flight: InFlight) -> None:
    """Let time pass, the wall's or a client's virtual one, unless the client leaves."""
    loop = asyncio.get_running_loop()
    passed: asyncio.Future[None] = loop.create_future()
    with in_flight.silence(seconds, partial(loop.call_soon_threadsafe, passed.cancel)):
        timeout = None if seconds == inf else seconds
        await asyncio.wait([gone, passed], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


async def _play(reply: Reply, wire: Wire, request: Request, send: Sending, in_flight: InFlight) -> None:
    """The same where there is no socket: what is late or slow is so. Raises `AnswerLost` where an answer is lost."""
    if not wire.whole:
        reply.deliver()
        reply.end(wire.size)
        raise AnswerLost(wire)
    for heard in played(wire, reply, request.method):
        match heard:
            case float(seconds):
                with in_flight.silence():  # the client's own loop knows when that ends
                    await sleep(seconds)
            case h11.Response():
                await send({"type": "http.response.start", "status": heard.status_code, "headers": [*heard.headers]})
            case h11.Data():
                await send({"type": "http.response.body", "body": bytes(heard.data), "more_body": True})
            case h11.EndOfMessage() if request.body is not None:
                await send({"type": "http.response.body"})


async def _send(reply: Reply, request: Request, scope: Scope, send: Sending) -> None:
    """Send an answer; `_discard` ends it where the body of the request is still to be read."""
    named = {**reply.all_headers, "content-length": str(len(reply.body))}
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
    if request.body is None and "expect" in request.headers:  # the body may come, or not
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    connection = _connection(scope) if reply.on_delivery else None
    if not (connection and connection.transport.is_closing()):
        reply.deliver()  # before the last of it, so that who has had that finds it counted
    body = reply.body if request.method != "HEAD" else b""
    await send({"type": "http.response.body", "body": body, "more_body": request.body is None})


async def _send_stream(stream: Stream, request: Request, scope: Scope, receive: Receive, send: Sending) -> None:
    """Send the pieces as they come, until there are no more or the client has left."""
    named = stream.head.all_headers
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": stream.head.status, "headers": headers})
    if connection := _connection(scope):
        connection.await_silence(inf)  # who has ended its side has left: nobody waits for the end of a stream
    gone = asyncio.ensure_future(disconnected(receive))
    sending = asyncio.ensure_future(_send_pieces(stream if request.method != "HEAD" else None, send))
    try:
        await asyncio.wait([gone, sending], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in (gone, sending):
            one.cancel()
        await asyncio.wait([gone, sending])
        await stream.pieces.aclose()
        if connection:
            connection.await_silence(0)


async def _send_pieces(stream: Stream | None, send: Sending) -> None:
    if stream:
        async for piece in stream.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})
