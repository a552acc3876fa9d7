"""Connections of blocking clients in virtual time, which lead to the fake without a socket."""

from __future__ import annotations

import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from safelight.testing.virtual_time.thread_time import virtual_time_of_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.testing.backends.shared_server import SharedServer

#: Modules with a function of this name that opens a connection, where they are loaded: http.client and httpx use the
#: first, requests the second.
_MODULES: Final = ("socket", "urllib3.util.connection")
_NAME: Final = "create_connection"


@contextmanager
def connected_in_memory(server: SharedServer) -> Iterator[None]:
    """While the block runs, a thread in virtual time that opens a connection to this server gets one in memory."""
    from safelight.mockserver.transports.in_memory import MemoryConnection  # noqa: PLC0415 - not before it is needed

    port = urlsplit(server.url).port
    #: The connections over a socket: of threads that a client starts.
    others: list[object] = []

    def opening(real: Any) -> Any:
        def create_connection(address: tuple[str, int], timeout: Any = None, *more: Any, **named: Any) -> Any:
            virtual_time = virtual_time_of_thread()
            if address[1] == port and virtual_time is None:
                others.append(address)
            if address[1] != port or virtual_time is None:
                return real(address, timeout, *more, **named)
            virtual_time.is_alone = lambda: not others
            seconds = timeout if isinstance(timeout, (int, float)) else socket.getdefaulttimeout()
            return MemoryConnection(server.api, address[1], virtual_time.sleep, seconds)

        return create_connection

    found = {module: getattr(module, _NAME) for name in _MODULES if (module := sys.modules.get(name))}
    for module, real in found.items():
        setattr(module, _NAME, opening(real))
    try:
        yield
    finally:
        for module, real in found.items():
            setattr(module, _NAME, real)
