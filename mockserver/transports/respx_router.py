"""The core behind a respx router: httpx, sync and async, reaches it at its URL with no socket at all."""

import time
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import lru_cache

import httpx
import respx
from respx.models import AllMockedAssertionError

from safelight.mockserver.model.second_origin import at_second_origin
from safelight.mockserver.service.service import Service
from safelight.mockserver.transports.in_process import InProcess, Sleep


@lru_cache(16)
def _origins(url: str) -> Collection[tuple[str, str, int | None]]:
    """Scheme, host and port, as httpx has them, of the first origin and the second. Kept, as each test asks again."""
    return [_origin(httpx.URL(url)), _origin(httpx.URL(at_second_origin(url)))]


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


class Router(respx.MockRouter):
    """A router for routes of one's own; what they do not take is the core's where it is for its origin, or refused."""

    def __init__(self, api: Service, url: str, sleep: Sleep = time.sleep) -> None:
        super().__init__()
        self._core = InProcess(api, httpx, sleep)
        self._origins = _origins(url)

    def handler(self, request: httpx.Request) -> httpx.Response:
        """The response of a route, or of the core."""
        if self.routes or not self._is_ours(request):
            with self._passing(request):
                return super().handler(request)
        return self._recorded(request, self._core.answer(request))

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """As `handler`."""
        if self.routes or not self._is_ours(request):
            with self._passing(request):
                return await super().async_handler(request)
        return self._recorded(request, await self._core.answer_async(request))

    def _passing(self, request: httpx.Request) -> AbstractContextManager[None]:
        """Lets the core answer what no route took, where that is for its origin."""
        return suppress(AllMockedAssertionError) if self._is_ours(request) else nullcontext()

    def _is_ours(self, request: httpx.Request) -> bool:
        return _origin(request.url) in self._origins

    def _recorded(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if isinstance(response.stream, httpx.ByteStream):  # as respx does, for those who look at its calls
            response.read()
        self.record(request, response=response)
        return response
