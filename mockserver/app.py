"""The core as a Starlette application. There is nothing to decide here: bytes in, `Api.handle`, bytes out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketClose

from safelight.mockserver.messages import Reply, Request
from safelight.mockserver.wire import EXTENSION, ON_SOCKET, AnswerLost, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from safelight.mockserver.api import Api

#: Bytes of a request body that are read unless the caller says otherwise.
BODY_LIMIT: Final = 10_000_000


def create_app(api: Api, *, cors: bool = False, body_limit: int = BODY_LIMIT) -> Starlette:
    """The API as an ASGI application; `cors` lets pages of any origin use it from a browser."""
    everyone = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    app = Starlette(middleware=[everyone] if cors else [])
    # What no route takes goes to the core; a route that takes everything would have to be matched first.
    app.router.default = door(api, body_limit)
    return app


def door(api: Api, body_limit: int = BODY_LIMIT) -> ASGIApp:
    """The bare ASGI application that `create_app` mounts."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        with api.traffic:
            try:
                request = _request(scope, await _body(scope, receive, body_limit))
            except ClientDisconnect:  # half a request is none
                return
            reply = await run_in_threadpool(api.handle, request) if api.is_heavy(request) else api.handle(request)
            if reply.wire:
                await _carry_out(reply.wire, scope, receive)
            else:
                await _send(reply, send, with_body=request.method != "HEAD")

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
    if _HOST.fullmatch(host):
        return f"{scheme}://{host}"
    name, port = server or ("localhost", None)
    name = f"[{name}]" if ":" in name else name
    return f"{scheme}://{name}:{port}" if port else f"{scheme}://{name}"


_HOST: Final = re.compile(r"(?:[\w.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII)


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


async def _carry_out(wire: Wire, scope: Scope, receive: Receive) -> None:
    """What happens below HTTP. Where there is no socket, whoever calls the application is told by `AnswerLost`."""
    transport = scope.get("extensions", {}).get(EXTENSION)
    if transport is None:
        raise AnswerLost(wire)
    ON_SOCKET[wire](transport)
    while (await receive())["type"] != "http.disconnect":
        pass  # to return before that is taken for an answer that was forgotten


async def _send(reply: Reply, send: Send, *, with_body: bool) -> None:
    headers = [*_raw(reply.media_type, tuple(reply.headers.items())), (b"content-length", b"%d" % len(reply.body))]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body if with_body else b""})


@lru_cache(256)
def _raw(media_type: str, headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    """The headers of a reply as ASGI wants them: there are few different ones."""
    named = {"cache-control": "no-store", **dict(headers), "content-type": media_type}
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
