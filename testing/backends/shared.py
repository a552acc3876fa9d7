"""One session of the core in this process: what the tests know of the core's inside, they know here."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace
from heapq import merge
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Self

from safelight.contracts import FINAL, Axis
from safelight.contracts.secrets import NO_KEYS, with_keys
from safelight.contracts.wording import shown
from safelight.mockserver.model.clock import Clock, RealClock, VirtualClock
from safelight.mockserver.model.keys import digest
from safelight.mockserver.model.ledger import Ledger
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.session import EnteredSession
from safelight.mockserver.storage.store import NoSession
from safelight.testing.backends.shared_plan import SharedPlan
from safelight.testing.backends.shared_server import SharedServer
from safelight.traffic.exchange import abridged
from safelight.traffic.journal import Journal
from safelight.traffic.redaction import without_keys

if TYPE_CHECKING:
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.model.task import Task
    from safelight.mockserver.sessions.session import Session
    from safelight.testing.virtual_time.thread_time import VirtualTime
    from safelight.traffic.exchange import Exchange

#: Exchanges of one session, and their bytes, that expectations are computed from.
MAX_EXCHANGES: Final = 100_000
MAX_EXCHANGE_BYTES: Final = 256_000_000


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
        seed: int | None = None,
    ) -> None:
        self.server, self.api_key, self.clock = server, key, clock
        self._wants_virtual_time = virtual_time
        self._is_own = is_own
        self.began = clock.now()
        #: The session as it is; of one that is over, as it was by then.
        self._session = server.api.sessions.open(key, settings, clock, seed)
        #: Those of all keys, the first included.
        self._sessions = [self._session]
        self._journals = [server.store.journal(self._session.name)]
        #: Also what came without a usable key, in the order of all answers; without the long texts of bodies.
        self.seen = Journal(max_entries=MAX_EXCHANGES, max_bytes=MAX_EXCHANGE_BYTES)
        server.listen(key, self._see, self._see_end)
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
    def has_moving_clock(self) -> bool:
        """It is the wall's, or virtual time moves it."""
        return self._virtual_time is not None or not isinstance(self.clock, VirtualClock)

    def other_key(self) -> str:
        """A further key with a session of its own, of the same settings, on the same clock, and without faults."""
        key = f"sk-{digest(f'{self.api_key} {len(self._sessions)}')[:48]}"
        session = self.server.api.sessions.open(key, replace(self._session.settings, plan=()), self.clock)
        self._sessions.append(session)
        self._journals.append(self.server.store.journal(session.name))
        self.server.listen(key, self._see, self._see_end)
        self._open.callback(self.server.close, key)
        return key

    @property
    def journal(self) -> Journal:
        """Every exchange with a key of these so far."""
        first, *others = self._journals
        if not others:
            return first
        journal = Journal(max_entries=MAX_EXCHANGES, max_bytes=MAX_EXCHANGE_BYTES)
        for exchange in merge(*self._journals, key=attrgetter("at")):
            journal.add(exchange)
        return journal

    @property
    def orphans(self) -> Journal:
        """Every request without a usable key so far."""
        return self.server.store.orphans

    @property
    def ledger(self) -> Ledger:
        """What was paid and returned so far; of a session that is over, what was by then."""
        ledgers = [self._ledger_of(session) for session in self._sessions]
        if len(ledgers) == 1:
            return ledgers[0]
        together = Ledger()
        for entry in merge(*ledgers, key=attrgetter("at")):
            together.add(entry)
        return together

    def _ledger_of(self, session: Session) -> Ledger:
        with self.server.store.transaction(session.name):
            return session.ledger

    @property
    def tasks(self) -> list[Task]:
        """The tasks that were accepted so far, in the order of their submits."""
        return sorted((task for one in self._sessions for task in one.tasks), key=attrgetter("submitted"))

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

    def stop_after(self, seconds: float, sleeps: int) -> None:
        """Stop a client that goes on for longer than so many seconds of virtual time, or sleeps more often."""
        if self._virtual_time:
            self._virtual_time.latest = self.clock.now() + seconds
            self._virtual_time.max_sleeps = sleeps

    def failure(self) -> str:
        """Why the client was never going to end, in a sentence, or nothing."""
        return self._virtual_time.failure if self._virtual_time else ""

    def slowness(self) -> str:
        """Why the test took real time, and what would make it quick, in a sentence; or nothing."""
        return self._virtual_time.slowness if self._virtual_time else ""

    def _see(self, name: str | None, exchange: Exchange) -> None:
        """Keep an exchange. What came without a usable key has another time, and perhaps ours where none belongs."""
        if name is None:
            keys = with_keys(NO_KEYS, *(session.key for session in self._sessions))
            exchange = without_keys(exchange, keys)._replace(at=self.clock.now())
        self.seen.add(abridged(exchange))
        if self._virtual_time and exchange.operation == "task_status":
            self._virtual_time.take_poll()
        if self._virtual_time and self._waits_for_time(exchange) and self._virtual_time.stands_still():
            # Whatever the client does next, its task has ended: most clients then end too, and the test fails.
            with suppress(NoSession), EnteredSession(self.server.store, str(name)) as session:
                session.fail(str(exchange.task_id), self._virtual_time.failure)

    def _see_end(self, _: str | None, exchange: Exchange, earlier: Exchange) -> None:
        """Keep an exchange as it ended in the place of what was kept of it earlier."""
        self.seen.add(abridged(exchange), abridged(earlier))

    def _waits_for_time(self, exchange: Exchange) -> bool:
        """It is a poll of a task that goes on once seconds have passed."""
        task = next(filter(None, (session.find(exchange.task_id or "") for session in self._sessions)), None)
        if task is None or exchange.operation != "task_status":
            return False
        return task.axis is Axis.SECONDS and exchange.phase not in FINAL


def chosen_clock(given: Clock | None, *, virtual_time: bool, speed: float | None) -> Clock:
    """The clock of a session: a virtual one where there may be virtual time, else the wall's, perhaps faster."""
    if given is not None and not callable(getattr(given, "now", None)):
        raise ValueError(f"clock is {shown(given)}, which gives no time: leave it out, or give VirtualClock()")
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
