"""An ASGI application called as a server calls it, with nothing in between."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from starlette.types import ASGIApp


@dataclass
class Answered:
    """What an application sent: nothing at all where `status` is 0."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media_type(self) -> str:
        return self.headers["content-type"]


def scope_of(method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> dict[str, Any]:
    """The scope of an HTTP request as uvicorn makes it."""
    path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8_000),
    }


def body_in(*chunks: bytes) -> list[dict[str, Any]]:
    """The messages that bring a body in these chunks."""
    last = len(chunks) - 1
    return [{"type": "http.request", "body": chunk, "more_body": at < last} for at, chunk in enumerate(chunks)]


GONE: Final[dict[str, Any]] = {"type": "http.disconnect"}


def call(app: ASGIApp, scope: dict[str, Any], messages: Iterable[Mapping[str, Any]] = ()) -> Answered:
    """What the application answers. After the messages the client is gone: of a whole request, once it is answered."""
    answered, incoming = Answered(), iter(messages or body_in(b""))
    is_whole, over = False, asyncio.Event()

    async def receive() -> Any:
        nonlocal is_whole
        message = next(incoming, None)
        if message is None and is_whole:
            await over.wait()
        is_whole = message is not None and not message.get("more_body")
        return message or GONE

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            answered.body += message.get("body", b"")
            if not message.get("more_body"):
                over.set()

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
    return answered
