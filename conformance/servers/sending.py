"""One request over HTTP, sent once: what came, whole or not."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

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


async def sent(
    client: httpx.AsyncClient, request: httpx.Request, asked: Exchange, *, max_bytes: int, seconds: float
) -> tuple[Exchange, bytes]:
    """What came. A failure below HTTP is said in `wire`; raises `ServerGone` where nobody takes a connection."""
    request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    body, wire, head = bytearray(), "", None
    began = time.monotonic()
    try:
        async with asyncio.timeout(seconds), _answer(client, request) as head:
            async for chunk in head.aiter_bytes():
                body += chunk
                if len(body) > max_bytes:
                    wire = f"the answer is longer than {max_bytes:,} bytes"
                    break
    except (TimeoutError, httpx.TimeoutException):
        wire = f"no {'end' if head else 'answer'} within {seconds:g} s"
    except httpx.ConnectError as error:
        raise ServerGone(_reason(error)) from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ssl.SSLError, OSError, ValueError) as error:
        wire = _reason(error)
    found = asked._replace(took=time.monotonic() - began, wire=wire, answer_bytes=len(body))
    if head is None:
        return found, b""
    kind = head.headers.get("content-type", "").partition(";")[0].strip()
    found = found._replace(status=head.status_code, media_type=kind, answer_headers=_plain(head.headers))
    return found, bytes(body[:max_bytes])


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
