"""One request over HTTP, sent once: what came, whole or not."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import httpx

from safelight.conformance.servers.entry import Entry
from safelight.traffic.exchange import Exchange

#: How often a connection is tried, over which nothing was sent yet, and the seconds between.
_CONNECTIONS: Final = 3
_PAUSE: Final = 0.3


@dataclass(eq=False)
class ServerGone(Exception):
    """The server cannot be reached, or not any more. What was to be sent was not."""

    why: str

    def __str__(self) -> str:
        return f"the server cannot be reached: {self.why}"


class Receiver(Protocol):
    """Whoever an answer is handed on to as it comes."""

    async def begin(self, head: httpx.Response) -> None:
        """Take status and headers."""

    async def take(self, chunk: bytes) -> None:
        """Take some more of the body."""


def client_of(entry: Entry, limits: httpx.Limits) -> httpx.AsyncClient:
    """What sends to a server: it trusts the certificates that are usual, and asks no proxy for this machine."""
    verify = httpx.create_ssl_context()  # heeds SSL_CERT_FILE, on loopback too
    return httpx.AsyncClient(verify=verify, trust_env=not entry.is_loopback, limits=limits)


def request_of(entry: Entry, asked: Exchange, headers: Iterable[tuple[bytes, bytes]]) -> httpx.Request:
    """The request to a server, to the letter. Raises `httpx.InvalidURL`, such as of an id of a megabyte."""
    url = httpx.URL(entry.origin).copy_with(raw_path=asked.target.encode())
    return httpx.Request(asked.method, url, headers=[*headers], content=asked.body or None)


async def sent(
    client: httpx.AsyncClient,
    request: httpx.Request,
    asked: Exchange,
    *,
    max_bytes: int,
    seconds: float,
    max_kept: int | None = None,
    receiver: Receiver | None = None,
) -> tuple[Exchange, bytes]:
    """What came. A failure below HTTP is said in `wire`; raises `ServerGone` where nobody takes a connection.

    Of a body no more is kept than `max_kept` bytes, however much is handed on to a `receiver`.
    """
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    body, size, wire, head = bytearray(), 0, "", None
    began = time.monotonic()
    try:
        async with asyncio.timeout(seconds), _answer(client, request) as head:
            if receiver:
                await receiver.begin(head)
            async for chunk in head.aiter_bytes():
                size += len(chunk)
                body += chunk[: max(0, (max_bytes if max_kept is None else max_kept) - len(body))]
                if size > max_bytes:
                    wire = f"the answer is longer than {max_bytes:,} bytes"
                    break
                if receiver:
                    await receiver.take(chunk)
    except (TimeoutError, httpx.TimeoutException):
        wire = f"no {'end' if head else 'answer'} within {seconds:g} s"
    except httpx.ConnectError as error:
        raise ServerGone(_reason(error)) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError, OSError, ValueError) as error:
        wire = _reason(error)
    found = asked._replace(took=time.monotonic() - began, wire=wire, answer_bytes=size)
    if head is None:
        return found, b""
    kind = head.headers.get("content-type", "").partition(";")[0].strip()
    found = found._replace(status=head.status_code, media_type=kind, answer_headers=_plain(head.headers))
    return found, bytes(body)


@asynccontextmanager
async def _answer(client: httpx.AsyncClient, request: httpx.Request) -> AsyncIterator[httpx.Response]:
    response = await _connected(client, request)
    try:
        yield response
    finally:
        await response.aclose()


async def _connected(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """The head of the answer. A connection that nobody took has carried nothing, and may be tried again."""
    for _ in range(_CONNECTIONS - 1):
        try:
            return await client.send(request, stream=True)
        except httpx.ConnectError as error:
            if _is_of_tls(error):
                raise
            await asyncio.sleep(_PAUSE)
    return await client.send(request, stream=True)


def _is_of_tls(error: BaseException) -> bool:
    return any(isinstance(one, ssl.SSLError) for one in _causes(error))


def _causes(error: BaseException | None) -> list[BaseException]:
    """An error, what it came from, and so on."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _plain(headers: httpx.Headers) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _reason(error: Exception) -> str:
    """A failure below HTTP, in a few words."""
    cause = _causes(error)[-1]
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}; SSL_CERT_FILE names a file of those that are"
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return said or type(error).__name__
