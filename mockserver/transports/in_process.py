"""The core without a socket, for httpx and its successor: one way in, behind a transport or behind a respx router."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from math import inf
from types import ModuleType
from typing import Any

import anyio
import h11

from safelight.mockserver.model.messages import Reply, Request
from safelight.mockserver.service.service import Service
from safelight.mockserver.transports.playback import ERRORS, Unreadable, played

#: Lets so many seconds pass for the thread that calls it.
Sleep = Callable[[float], object]


class InProcess:
    """From a request of the library, whose body is read, to its response; a lost answer is the library's own error.

    What takes time does, of the thread or of its loop, and a client's time-out ends it as it does on a socket.
    """

    def __init__(self, api: Service, library: ModuleType, sleep: Sleep = time.sleep) -> None:
        self._api, self._library, self._sleep = api, library, sleep

    def answer(self, request: Any) -> Any:
        """The response to a synchronous client."""
        reply = self._api.handle(_request(request))
        if not reply.wire:
            return self._plain(reply, request)
        heard = self._heard(reply, request)
        return self._begun(next(heard), (bytes(event.data) for event in heard if isinstance(event, h11.Data)))

    async def answer_async(self, request: Any) -> Any:
        """The response to an asynchronous client, on asyncio or trio."""
        reply = self._api.handle(_request(request))
        if not reply.wire:
            return self._plain(reply, request)
        heard = self._heard_async(reply, request)
        return self._begun(
            await anext(heard), (bytes(event.data) async for event in heard if isinstance(event, h11.Data))
        )

    def _plain(self, reply: Reply, request: Any) -> Any:
        reply.deliver()
        headers = {**reply.all_headers, "content-length": str(len(reply.body))}
        body = b"" if request.method == "HEAD" else reply.body
        # Not as content, which would count as read: a client may stream it.
        return self._library.Response(reply.status, headers=headers, stream=self._library.ByteStream(body))

    def _begun(self, head: Any, body: Iterator[bytes] | AsyncIterator[bytes]) -> Any:
        """A response whose body is still to come."""
        return self._library.Response(head.status_code, headers=[*head.headers], content=body)

    def _heard(self, reply: Reply, request: Any) -> Iterator[h11.Event]:
        for heard in self._played(reply, request):
            if isinstance(heard, float):
                self._sleep(heard)
            else:
                yield heard

    async def _heard_async(self, reply: Reply, request: Any) -> AsyncIterator[h11.Event]:
        for heard in self._played(reply, request):
            if isinstance(heard, float):
                await anyio.sleep(heard)
            else:
                yield heard

    def _played(self, reply: Reply, request: Any) -> Iterator[float | h11.Event]:
        """What the client hears, with its own time-out and the errors of its library."""
        assert reply.wire
        time_out = request.extensions.get("timeout", {}).get("read")
        try:
            yield from played(reply.wire, reply, request.method, inf if time_out is None else time_out)
        except Unreadable as error:
            raise getattr(self._library, error.error)(str(error), request=request) from None


def transport(api: Service, library: ModuleType, sleep: Sleep = time.sleep) -> Any:
    """The core as a transport of httpx or httpx2, for its clients of both kinds. Raises `ValueError` for others."""
    if not all(hasattr(library, name) for name in ("BaseTransport", "AsyncBaseTransport", "ByteStream", *ERRORS)):
        raise ValueError(f"{library.__name__} has no transports: give httpx or httpx2, and to others the URL")
    core = InProcess(api, library, sleep)

    def handle_request(_: Any, request: Any) -> Any:
        request.read()
        return core.answer(request)

    async def handle_async_request(_: Any, request: Any) -> Any:
        await request.aread()
        return await core.answer_async(request)

    both = {"handle_request": handle_request, "handle_async_request": handle_async_request}
    return type("Transport", (library.BaseTransport, library.AsyncBaseTransport), both)()


def _request(request: Any) -> Request:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = dict(reversed([(name.lower(), value) for name, value in request.headers.multi_items()]))
    scheme, host = request.url.scheme, request.headers.get("host", request.url.netloc.decode("ascii"))
    return Request(request.method, path, query, headers, request.content, f"{scheme}://{host}")
