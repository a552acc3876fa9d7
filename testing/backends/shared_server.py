"""The core in this process, on one loopback port for as many sessions as are open at a time."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Lock
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit
from warnings import catch_warnings, simplefilter

from safelight.contracts.dialects import PATHS
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.service.service import Service
from safelight.mockserver.storage.memory import MemoryStore

if TYPE_CHECKING:
    from safelight.mockserver.service.service import EndListener, Listener
    from safelight.mockserver.transports.server import AppServer
    from safelight.traffic.exchange import Exchange

#: The entry point where nobody may listen; at this port nobody does.
UNHEARD: Final = f"http://127.0.0.1:9{PATHS['published']}"


class SharedServer:
    """The core, and while the block runs its server, from when somebody asks for its URL on.

    Each session's listener gets its exchanges as they come.
    """

    def __init__(self, *, seed: int = 0, port: int = 0, plain_pictures: bool = False) -> None:
        self.store = MemoryStore()
        self.api = Service(
            seed=seed,
            store=self.store,
            listener=self._tell,
            end_listener=self._tell_end,
            plain_pictures=plain_pictures,
        )
        self._port = port
        self._is_open = False
        #: What listens, once somebody asked where.
        self._server: AppServer | None = None
        self._starting = Lock()
        #: Exchanges under way that nobody waits for.
        self._given_up = 0
        self._open = ExitStack()
        self._listeners: dict[str, tuple[Listener, EndListener]] = {}
        self._telling = Lock()

    def __enter__(self) -> Self:
        self._is_open = True
        if self._port:  # whoever chose it need not ask for the URL
            self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_open = False
        self._server = None
        self._open.close()

    @property
    def url(self) -> str:
        """The entry point, which is listened at from then on. Raises `CannotListen`.

        Where no socket may be opened, nobody listens, and only the ways in that need none lead there.
        """
        __tracebackhide__ = True
        if not self._is_open:
            raise RuntimeError("there is no URL yet: write `with Safelight() as api:`, and use api.url inside")
        self._listen()
        return self._server.url if self._server else UNHEARD

    def _listen(self) -> None:
        """Start the server, unless it runs."""
        from safelight.mockserver.transports.asgi import bare_app  # noqa: PLC0415 - not for `--help`
        from safelight.mockserver.transports.server import CannotListen, in_thread  # noqa: PLC0415 - as above

        __tracebackhide__ = True
        with self._starting, catch_warnings():
            simplefilter("ignore")  # pytest-socket warns of what it forbids
            try:
                self._server = self._server or self._open.enter_context(in_thread(bare_app(self.api), port=self._port))
            except CannotListen as error:
                if not error.is_forbidden:
                    raise error.with_traceback(None) from None

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
        return self._server is not None and urlsplit(self._server.url).port == port

    def next_end(self) -> float:
        """Seconds after which an answer goes on that is late or slow."""
        return self.api.in_flight.next_end()

    def pass_time(self, seconds: float) -> None:
        """So much virtual time has passed: answers go on."""
        self.api.in_flight.pass_time(seconds)

    def listen(self, key: str, listener: Listener, end_listener: EndListener) -> None:
        """Tell these listeners of the exchanges of a key, the first also of those without any session's key."""
        self._listeners[fingerprint(key)] = listener, end_listener

    def close(self, key: str) -> None:
        """Close the session of a key; whatever still comes with it is refused."""
        self._listeners.pop(fingerprint(key), None)
        self.api.sessions.close(key)

    def _tell(self, name: str | None, exchange: Exchange) -> None:
        with self._telling:
            found = self._listeners.values() if name is None else [self._listeners.get(name)]
            for listeners in filter(None, dict.fromkeys(found)):  # one that listens for several keys is told once
                listeners[0](name, exchange)

    def _tell_end(self, name: str | None, exchange: Exchange, earlier: Exchange) -> None:
        with self._telling:
            if listeners := self._listeners.get(name or ""):
                listeners[1](name, exchange, earlier)
