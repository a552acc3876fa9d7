"""The core as a Starlette application. There is nothing to decide here: bytes in, `Service.handle`, bytes out."""

import asyncio
import re
from asyncio import Transport
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import lru_cache
from math import inf
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope
from starlette.types import Send as Sending
from starlette.websockets import WebSocketClose

from safelight.mockserver.control.control import Control
from safelight.mockserver.model.messages import Reply, Request
from safelight.mockserver.model.wire import EXTENSION, ON_SOCKET, AnswerLost, Send, Wait, Wire
from safelight.mockserver.service.service import Service

#: Bytes of a request body that are read unless the caller says otherwise.
BODY_LIMIT: Final = 10_000_000
#: What can stand in a URL as host and port.
_HOST: Final = re.compile(r"(?:[\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)
#: Seconds between two pieces of what is sent slowly, but for the slowest.
_BEAT: Final = 0.05
#: Bytes that the network does not take at once.
_LARGE: Final = 65_536


def create_app(
    api: Service, *, cors: bool = False, body_limit: int = BODY_LIMIT, control: Control | None = None
) -> Starlette:
    """The API as an ASGI application; `cors` lets pages of any origin use it from a browser.

    With a `control`, programs can control it under `/_safelight/`.
    """
    everyone = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    app = Starlette(middleware=[everyone] if cors else [])
    # What no route takes goes to the core; a route that takes everything would have to be matched first.
    app.router.default = bare_app(api, body_limit, control)
    return app


def bare_app(api: Service, body_limit: int = BODY_LIMIT, control: Control | None = None) -> ASGIApp:
    """The bare ASGI application that `create_app` mounts."""

    async def answer(scope: Scope, receive: Receive, send: Sending) -> None:
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        if control and control.takes(scope["path"], scope.get("server")):
            with suppress(ClientDisconnect):
                request = _request(scope, await _body(scope, receive, body_limit))
                await _send(await control.answer(api, request), scope, send, with_body=request.method != "HEAD")
            return
        with api.in_flight:
            try:
                request = _request(scope, await _body(scope, receive, body_limit))
            except ClientDisconnect:  # half a request is none
                return
            reply = await run_in_threadpool(api.handle, request) if api.is_heavy(request) else api.handle(request)
            if not reply.wire:
                await _send(reply, scope, send, with_body=request.method != "HEAD")
                return
            under_way = ExitStack()  # entered before the other is left: it is one exchange
            under_way.enter_context(api.in_flight)
        with under_way:
            await _carry_out(reply, reply.wire, scope, receive, under_way)

    return answer


def _request(scope: Scope, body: bytes | None) -> Request:
    headers = _headers(tuple([(name, value) for name, value in scope["headers"]]))
    return Request(
        method=scope["method"],
        path=(scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace"),
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        origin=_origin(scope["scheme"], headers.get("host", ""), tuple(scope.get("server") or ())),
    )


@lru_cache(256)
def _headers(raw: tuple[tuple[bytes, bytes], ...]) -> Mapping[str, str]:
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


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None once it is larger than the limit. Raises `ClientDisconnect`."""
    if scope["method"] in ("GET", "HEAD"):
        return b""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _transport(scope: Scope) -> Transport | None:
    """The connection of a request, where there is a socket."""
    transport: Transport | None = scope.get("extensions", {}).get(EXTENSION)
    return transport


async def _carry_out(reply: Reply, wire: Wire, scope: Scope, receive: Receive, under_way: ExitStack) -> None:
    """What happens below HTTP. Where there is no socket, this raises `AnswerLost`.

    `under_way` is closed before a silence: an exchange that does not go on is not waited for.
    """
    transport = _transport(scope)
    if transport is None:
        reply.deliver()
        raise AnswerLost(wire)
    gone = asyncio.ensure_future(_disconnect(receive))
    *steps, last = wire.steps or (Send(b""),)
    for step in steps:
        await _take(step, transport, gone, under_way)
    if not transport.is_closing():
        reply.deliver()  # before the last of it, so that who has had that finds it counted
    await _take(last, transport, gone, under_way)
    if not transport.is_closing():
        ON_SOCKET[wire.end](transport)
    await gone  # to return before that is taken for an answer that was forgotten


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _take(step: Send | Wait, transport: Transport, gone: asyncio.Future[None], under_way: ExitStack) -> None:
    """One step, unless the client has left or leaves."""
    if transport.is_closing():
        return
    match step:
        case Wait(seconds):
            under_way.close()
            await asyncio.wait([gone], timeout=None if seconds == inf else seconds)
        case Send(data, rate) if rate == inf:
            transport.write(data)
        case Send(data, rate):
            piece = max(1, int(rate * _BEAT))
            for at in range(0, len(data), piece):
                if transport.is_closing():
                    break
                transport.write(data[at : at + piece])
                await asyncio.wait([gone], timeout=piece / rate)


async def _send(reply: Reply, scope: Scope, send: Sending, *, with_body: bool) -> None:
    named = {**reply.all_headers, "content-length": str(len(reply.body))}
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = reply.body if with_body else b""
    if reply.on_delivery and len(body) > _LARGE:
        await send({"type": "http.response.body", "body": body[:-1], "more_body": True})
        body = body[-1:]
    transport = _transport(scope)
    if reply.on_delivery and not (transport and transport.is_closing()):
        reply.on_delivery()  # before the last of it, so that who has had that finds it counted
    await send({"type": "http.response.body", "body": body})
