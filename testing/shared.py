"""One core on one loopback port, for as many sessions as are open at a time."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Lock
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.service.service import Service
from safelight.mockserver.storage.memory import MemoryStore

if TYPE_CHECKING:
    from safelight.mockserver.service.service import Listener
    from safelight.mockserver.transports.server import AppServer
    from safelight.traffic.exchange import Exchange


class SharedServer:
    """The core, and while the block runs its server. Each guest is told of its exchanges as they come."""

    def __init__(self, *, seed: int = 0, port: int = 0) -> None:
        self.store = MemoryStore()
        self.api = Service(seed=seed, store=self.store, listener=self._tell)
        self._port = port
        self._server: AppServer | None = None
        #: Exchanges under way that nobody waits for.
        self._given_up = 0
        self._open = ExitStack()
        self._guests: dict[str, Listener] = {}
        self._telling = Lock()

    def __enter__(self) -> Self:
        from safelight.mockserver.transports.asgi import bare_app  # noqa: PLC0415 - not for `--help`
        from safelight.mockserver.transports.server import in_thread  # noqa: PLC0415

        self._server = self._open.enter_context(in_thread(bare_app(self.api), port=self._port))
        return self

    def __exit__(self, *_: object) -> None:
        self._server = None
        self._open.close()

    @property
    def url(self) -> str:
        """The entry point; empty while there is no server."""
        return self._server.url if self._server else ""

    def is_quiet(self) -> bool:
        """No exchange is under way that is worth waiting for, nor one that was sent and not yet read."""
        self._given_up = min(self._given_up, self.api.in_flight.open)
        if self._server and self.api.in_flight.open == self._given_up:
            self._server.settle()
        return self.api.in_flight.open <= self._given_up

    def give_up(self) -> None:
        """What is under way now is not waited for any longer: the rest of such a request may never come."""
        self._given_up = self.api.in_flight.open

    def is_ours(self, port: int) -> bool:
        """The server listens on this port."""
        return urlsplit(self.url).port == port

    def welcome(self, key: str, told: Listener) -> None:
        """Tell this guest of the exchanges of its key, and of those that nobody's key came with."""
        self._guests[fingerprint(key)] = told

    def dismiss(self, key: str) -> None:
        """Close the session of a key; whatever still comes with it is refused."""
        self._guests.pop(fingerprint(key), None)
        self.api.sessions.close(key)

    def _tell(self, name: str | None, exchange: Exchange) -> None:
        with self._telling:
            guests = list(self._guests) if name is None else [name]
            for guest in guests:
                if told := self._guests.get(guest):
                    told(name, exchange)
