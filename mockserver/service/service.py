"""The service: a request goes in, a reply comes out. No I/O and no timers; each transport calls `Service.handle`."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from safelight.mockserver.model.clock import Clock, RealClock
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service import pipeline
from safelight.mockserver.service.effort import Effort, effort_of
from safelight.mockserver.service.in_flight import InFlight
from safelight.mockserver.service.uploads import Uploads
from safelight.mockserver.sessions.registry import Registry, secrets_of
from safelight.mockserver.storage.memory import MemoryStore
from safelight.mockserver.storage.store import StoreGone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from safelight.mockserver.model.messages import Reply, Request
    from safelight.mockserver.operations import Call
    from safelight.mockserver.storage.store import Store
    from safelight.traffic.exchange import Exchange

    #: Takes each exchange, with the name of its session or None.
    Listener = Callable[[str | None, Exchange], None]

    #: Takes an exchange whose end is seen later than its answer, as it is then and as it was told before.
    EndListener = Callable[[str | None, Exchange, Exchange], None]


class Service:
    """The API of the fake: its sessions, and `handle`. Safe to call from several threads."""

    def __init__(
        self,
        *,
        keys: Iterable[str] = (),
        any_key: bool = False,
        settings: Settings | None = None,
        seed: int = 0,
        clock: Callable[[], Clock] = RealClock,
        store: Store | None = None,
        bounds: Bounds | None = None,
        listener: Listener | None = None,
        end_listener: EndListener | None = None,
        openapi_paths: bool = False,
        public_url: str = "",
        plain_pictures: bool = False,
        max_picture_bytes: int | None = None,
    ) -> None:
        store = store or MemoryStore()
        self.sessions = Registry(
            store, settings or Settings(), seed=seed, clock=clock, any_key=any_key, bounds=bounds or Bounds()
        )
        self.uploads = Uploads(store, plain=plain_pictures, max_bytes=max_picture_bytes)
        #: The exchanges under way: transports enter it.
        self.in_flight = InFlight()
        self.has_openapi_paths = openapi_paths
        #: What absolute URLs begin with, where that is not what a client has called.
        self.public_url = public_url
        self.clock = clock()
        self._listeners: list[Listener] = [listener] if listener else []
        self._end_listeners: list[EndListener] = [end_listener] if end_listener else []
        for key in keys:
            self.sessions.open(key, anew=not store.does_io)

    def handle(self, request: Request) -> Reply:
        """Answer one request, and write it down."""
        return pipeline.handle(self, request)

    def effort_of(self, request: Request) -> Effort:
        """What it takes to answer a request. If more than a moment, an event loop is better left alone."""
        return effort_of(request, store_does_io=self.sessions.store.does_io)

    @contextmanager
    def watched(self, listener: Listener, end_listener: EndListener | None = None) -> Iterator[None]:
        """While the block runs, hand each exchange to these listeners too, once it is written down, and as it ended."""
        self._listeners.append(listener)
        ends = [end_listener] if end_listener else []
        self._end_listeners += ends
        try:
            yield
        finally:
            self._listeners.remove(listener)
            for one in ends:
                self._end_listeners.remove(one)

    @property
    def memory(self) -> MemoryStore | None:
        """The store, where it takes an exchange that is not read yet: nobody listens, and all is in this process."""
        store = self.sessions.store
        return store if isinstance(store, MemoryStore) and not self._listeners else None

    def tell(self, name: str | None, exchange: Exchange) -> None:
        """Hand an exchange to the listeners."""
        for listener in tuple(self._listeners):
            listener(name, exchange)

    def tell_end(self, name: str | None, exchange: Exchange, earlier: Exchange) -> None:
        """Keep an exchange as it ended, in the place of what was seen of it earlier."""
        self.sessions.store.record(name, exchange, earlier)
        for listener in tuple(self._end_listeners):
            listener(name, exchange, earlier)

    def secrets(self, call: Call) -> AbstractSet[str]:
        """The keys that nothing written down of a call may hold: of open sessions, and what it came with."""
        return secrets_of(self.sessions.secrets, call.session_key, call.key)

    def now(self, name: str) -> float:
        """The time of a session's clock; without a session, the service's own."""
        state = None
        with suppress(StoreGone):
            state = self.sessions.store.look(name)
        return (state.clock if state else self.clock).now()
