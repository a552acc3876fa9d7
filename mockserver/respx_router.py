"""The core behind a respx router: httpx, sync and async, reaches it at its URL with no socket at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import respx

from safelight.mockserver.in_process import handler, origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.mockserver.api import Api


@contextmanager
def router(api: Api, url: str) -> Iterator[respx.MockRouter]:
    """While the block runs, the core answers at the origin of `url`.

    What is given is a router for routes of one's own, which come first. A request that neither takes is refused.
    """
    fake = respx.MockRouter(assert_all_called=False)
    fake.route(url__startswith=f"{origin(url)}/").mock(side_effect=handler(api, httpx))
    with respx.MockRouter() as own, fake:
        yield own
