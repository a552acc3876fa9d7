"""The core behind a respx router: httpx, sync and async, reaches it at its URL with no socket at all."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import httpx
import respx
from respx.models import AllMockedAssertionError

from safelight.mockserver.model.second_origin import at_second_origin
from safelight.mockserver.transports.in_process import handler

if TYPE_CHECKING:
    from collections.abc import Collection

    from safelight.mockserver.service.service import Service


@lru_cache(16)
def _homes(url: str) -> Collection[tuple[str, str, int | None]]:
    """Scheme, host and port, as httpx has them, of the first origin and the second. Kept, as each test asks again."""
    return [(home.scheme, home.host, home.port) for home in (httpx.URL(url), httpx.URL(at_second_origin(url)))]


class Router(respx.MockRouter):
    """A router for routes of one's own; what they do not take is the core's where it is for its origin, or refused."""

    def __init__(self, api: Service, url: str) -> None:
        super().__init__()
        self._answer = handler(api, httpx)
        self._homes = _homes(url)

    def handler(self, request: httpx.Request) -> httpx.Response:
        """The response of a route, or of the core."""
        if not self.routes and self._is_ours(request):
            return self._answered(request)
        try:
            return super().handler(request)
        except AllMockedAssertionError:
            if not self._is_ours(request):
                raise
        return self._answered(request)

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        """As `handler`."""
        if not self.routes and self._is_ours(request):
            return self._answered(request)
        try:
            return await super().async_handler(request)
        except AllMockedAssertionError:
            if not self._is_ours(request):
                raise
        return self._answered(request)

    def _is_ours(self, request: httpx.Request) -> bool:
        return (request.url.scheme, request.url.host, request.url.port) in self._homes

    def _answered(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._answer(request)
        self.record(request, response=response)
        return response
