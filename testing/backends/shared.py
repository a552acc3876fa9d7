"""The core in this process, on one loopback port for as many sessions as are open at a time.

What the tests know of the core's inside, they know here.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit
from warnings import catch_warnings, simplefilter

from safelight.contracts import FINAL, Axis
from safelight.contracts.dialects import PATHS
from safelight.mockserver.model.clock import Clock, RealClock, VirtualClock
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.session import EnteredSession
from safelight.mockserver.storage.memory import MemoryStore
from safelight.mockserver.storage.store import NoSession
from safelight.traffic.exchange import abridged
from safelight.traffic.journal import Journal
from safelight.traffic.redaction import without_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safelight.mockserver.faults.rules import FaultRule
    from safelight.mockserver.model.ledger import Ledger
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.model.task import Task
    from safelight.mockserver.service.service import Listener
    from safelight.mockserver.transports.server import AppServer
    from safelight.testing.virtual_time.thread_time import VirtualTime
    from safelight.traffic.exchange import Exchange
    from safelight.traffic.expectations import Missed

#: Exchanges of one session, and their bytes, that expectations are computed from.
MAX_EXCHANGES: Final = 100_000
MAX_EXCHANGE_BYTES: Final = 256_000_000

#: The entry point where nobody may listen; at this port nobody does.
UNHEARD: Final = f"http://127.0.0.1:9{PATHS['published']}"


class SharedServer:
    """The core, and while the block runs its server, from when somebody asks for its URL on.

    Each session's listener gets its exchanges as they come.
    """

    def __init__(self, *, seed: int = 0, port: int = 0) -> None:
        self.store = MemoryStore()
        self.api = Service(seed=seed, store=self.store, listener=self._tell)
        self._port = port
        self._is_open = False
        #: What listens, once somebody asked where.
        self._server: AppServer | None = None
        self._starting = Lock()
        #: Exchanges under way that nobody waits for.
        self._given_up = 0
        self._open = ExitStack()
        self._listeners: dict[str, Listener] = {}
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

    def listen(self, key: str, listener: Listener) -> None:
        """Tell this listener of the exchanges of its key, and of those that came without any session's key."""
        self._listeners[fingerprint(key)] = listener

    def close(self, key: str) -> None:
        """Close the session of a key; whatever still comes with it is refused."""
        self._listeners.pop(fingerprint(key), None)
        self.api.sessions.close(key)

    def _tell(self, name: str | None, exchange: Exchange) -> None:
        with self._telling:
            for one in list(self._listeners) if name is None else [name]:
                if listener := self._listeners.get(one):
                    listener(name, exchange)


class SharedBackend:
    """One session of the core: on a server that others share, or on one of its own, which ends with it."""

    is_fake = True

    def __init__(
        self,
        server: SharedServer,
        key: str,
        settings: Settings,
        *,
        clock: Clock,
        virtual_time: bool = False,
        is_own: bool = False,
    ) -> None:
        self.server, self.api_key, self.clock = server, key, clock
        self._wants_virtual_time = virtual_time
        self._is_own = is_own
        self.began = clock.now()
        #: The session as it is; of one that is over, as it was by then.
        self._session = server.api.sessions.open(key, settings, clock)
        self._journal = server.store.journal(self._session.name)
        #: Also what came without a usable key, in the order of all answers; without the long texts of bodies.
        self.seen = Journal(max_entries=MAX_EXCHANGES, max_bytes=MAX_EXCHANGE_BYTES)
        server.listen(key, self._see)
        self._open = ExitStack()
        #: The virtual time of the thread that uses this, once there is some.
        self._virtual_time: VirtualTime | None = None

    def __enter__(self) -> Self:
        try:
            if self._is_own:
                self._open.enter_context(self.server)
            else:
                self._open.callback(self.server.close, self.api_key)
            if self._wants_virtual_time:
                self._begin_virtual_time()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _begin_virtual_time(self) -> None:
        from safelight.testing.virtual_time import virtual_time  # noqa: PLC0415 - asyncio is needed for it alone

        assert isinstance(self.clock, VirtualClock)
        self._virtual_time = self._open.enter_context(virtual_time(self.clock, self.server))

    def fake(self, member: str) -> Self:  # noqa: ARG002 - it has all
        """This."""
        return self

    in_process = fake

    @property
    def url(self) -> str:
        """The entry point, ending in `/v1/index.php`."""
        __tracebackhide__ = True
        return self.server.url

    @property
    def core(self) -> Service:
        """What answers, for transports without a socket."""
        return self.server.api

    @property
    def journal(self) -> Journal:
        """Every exchange with the key so far."""
        return self._journal

    @property
    def orphans(self) -> Journal:
        """Every request without a usable key so far."""
        return self.server.store.orphans

    @property
    def ledger(self) -> Ledger:
        """What was paid and returned so far; of a session that is over, what was by then."""
        with self.server.store.transaction(self._session.name):
            return self._session.ledger

    @property
    def tasks(self) -> list[Task]:
        """The tasks that were accepted so far, in the order of their submits."""
        return self._session.tasks

    @property
    def plan(self) -> SharedPlan:
        """What goes wrong, and when."""
        return SharedPlan(self._changing)

    def next(self, **override: Any) -> None:
        """Override something of the next task."""
        __tracebackhide__ = True
        with self._changing() as session:
            session.override(TaskOverride(**override))

    def release(self, task_id: str, ticks: int) -> None:
        """Move a task on the axis of ticks along."""
        with self._changing() as session:
            session.release(task_id, ticks)

    def revoke(self) -> None:
        """From now on the key is answered with 401."""
        with self._changing() as session:
            session.revoke()

    def _changing(self) -> EnteredSession:
        """The session, which nobody else changes while the block runs."""
        return EnteredSession(self.server.store, self._session.name)

    def failure(self) -> str:
        """Why the client was never going to end, in a sentence, or nothing."""
        return self._virtual_time.failure if self._virtual_time else ""

    def _see(self, name: str | None, exchange: Exchange) -> None:
        """Keep an exchange. What came without a usable key has another time, and perhaps ours where none belongs."""
        if name is None:
            exchange = without_keys(exchange, self.api_key)._replace(at=self.clock.now())
        self.seen.add(abridged(exchange))
        if self._virtual_time and self._waits_for_time(exchange) and self._virtual_time.stands_still():
            # Whatever the client does next, its task has ended: most clients then end too, and the test fails.
            with suppress(NoSession), self._changing() as session:
                session.fail(str(exchange.task_id), self._virtual_time.failure)

    def _waits_for_time(self, exchange: Exchange) -> bool:
        """It is a poll of a task that goes on once seconds have passed."""
        task = self._session.find(exchange.task_id or "")
        if task is None or exchange.operation != "task_status":
            return False
        return task.axis is Axis.SECONDS and exchange.phase not in FINAL


@dataclass(frozen=True, slots=True)
class SharedPlan:
    """The plan of a session, entered anew for each call, as the server's thread uses it too."""

    _enter: Callable[[], EnteredSession]

    def __iter__(self) -> Iterator[FaultRule]:
        with self._enter() as session:
            return iter(session.plan)

    def __len__(self) -> int:
        with self._enter() as session:
            return len(session.plan)

    def __str__(self) -> str:
        with self._enter() as session:
            return str(session.plan)

    def add(self, *rules: str | FaultRule) -> None:
        """Plan more: `add("poll#2: http 502")`. A rule counts the requests that come from now on."""
        __tracebackhide__ = True
        with self._enter() as session:
            session.plan.add(*rules)

    def clear(self) -> None:
        """Plan nothing."""
        with self._enter() as session:
            session.plan.clear()

    def counts(self) -> list[tuple[FaultRule, int, int]]:
        """Each rule, how often it struck, and how often its fault was delivered to the last byte."""
        with self._enter() as session:
            return session.plan.counts()

    def undelivered(self) -> list[Missed]:
        """The rules whose fault was never delivered, and why."""
        with self._enter() as session:
            return session.plan.undelivered()


def chosen_clock(given: Clock | None, *, virtual_time: bool, speed: float | None) -> Clock:
    """The clock of a session: a virtual one where there may be virtual time, else the wall's, perhaps faster."""
    if speed is not None and (given or virtual_time):
        raise ValueError("speed lets the wall's time run faster: leave out " + ("clock" if given else "virtual_time"))
    if not virtual_time:
        return given or RealClock(speed or 1.0)
    if given is None:
        from safelight.testing.virtual_time import clock_in_use  # noqa: PLC0415 - asyncio is needed for it alone

        return clock_in_use() or VirtualClock()
    if not isinstance(given, VirtualClock):
        raise ValueError("virtual time moves a virtual clock: give one, or none")  # noqa: TRY004 - all are
    return given
