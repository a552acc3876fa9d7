"""The whole fake for plain Python: `with Safelight() as api:` gives a URL and a key that answer."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self, Unpack

from safelight.contracts import FINAL, Axis, Timeline
from safelight.mockserver.model.clock import Clock, RealClock, VirtualClock
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.sessions.opening import settings
from safelight.mockserver.storage.memory import NoSession
from safelight.testing.shared import SharedServer
from safelight.traffic import expectations
from safelight.traffic.journal import Journal
from safelight.traffic.redaction import redacted, redacted_bytes
from safelight.traffic.transcript import transcript

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from respx import MockRouter
    from starlette.applications import Starlette

    from safelight.contracts import Step
    from safelight.mockserver.faults.plan import Plan
    from safelight.mockserver.model.ledger import Ledger
    from safelight.mockserver.model.task import Task
    from safelight.mockserver.sessions.keywords import SessionKeywords
    from safelight.mockserver.sessions.session import Session
    from safelight.testing.virtual_time.thread_time import VirtualTime
    from safelight.traffic.exchange import Exchange


def _clock(given: Clock | None, *, virtual_time: bool | None, speed: float | None) -> Clock:
    """The clock of a session: a virtual one where there may be virtual time, else the wall's, perhaps faster."""
    if speed is not None and (given or virtual_time):
        raise ValueError("speed lets the wall's time run faster: leave out " + ("clock" if given else "virtual_time"))
    if virtual_time is False:
        return given or RealClock(speed or 1.0)
    if given is None:
        from safelight.testing.virtual_time import clock_in_use  # noqa: PLC0415 - asyncio is needed for it alone

        return clock_in_use() or VirtualClock()
    if not isinstance(given, VirtualClock):
        raise ValueError("virtual time moves a virtual clock: give one, or none")  # noqa: TRY004 - all are
    return given


class Safelight:
    """One session of the fake on a loopback port: a port of its own, or that of a `host` which serves others too.

    Without arguments a task is pending on its first poll, processing on its second and completed on its third.
    `queued` and `running` are seconds (a number, or `1..3`, `~5`, `never`), `polls` counts polls instead: `(1, 2)`,
    and `ticks` those that `release` gives. `workflows` has settings of their own: `{"rr3": {"running": 20}}`.
    With `virtual_time`, sleeps of this thread move the clock instead of waiting; None: once `next` sets seconds.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        virtual_time: bool | None = False,
        speed: float | None = None,
        api_key: str = FAKE_KEY,
        port: int = 0,
        host: SharedServer | None = None,
        **told: Unpack[SessionKeywords],
    ) -> None:
        own = settings(told)
        self.api_key = api_key
        self._clock = _clock(clock, virtual_time=virtual_time, speed=speed)
        self._patience = virtual_time
        #: When the session began, in seconds of its clock.
        self._began = self._clock.now()
        self._is_guest = host is not None
        self._host = host or SharedServer(seed=seed, port=port)
        self._session = self._host.api.open(api_key, settings=own, clock=self._clock)
        self._world = self._host.store.world(api_key)
        #: Also what came without a usable key, in the order of all answers.
        self._seen = Journal(most=100_000, most_bytes=256_000_000)
        self._host.welcome(api_key, self._see)
        self._open = ExitStack()
        #: The virtual time of the thread that uses this, once there is some.
        self._virtual_time: VirtualTime | None = None

    def __enter__(self) -> Self:
        try:
            if self._is_guest:
                self._open.callback(self._host.dismiss, self.api_key)
            else:
                self._open.enter_context(self._host)
            if self._patience:
                self._be_patient()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _be_patient(self) -> None:
        from safelight.testing.virtual_time import virtual_time  # noqa: PLC0415

        assert isinstance(self._clock, VirtualClock)
        self._patience = True
        self._virtual_time = self._open.enter_context(virtual_time(self._clock, self._host))

    @property
    def url(self) -> str:
        """The entry point, ending in `/v1/index.php`."""
        if not self._host.url:
            raise RuntimeError("there is no URL yet: write `with Safelight() as api:`, and use api.url inside")
        return self._host.url

    @property
    def asgi(self) -> Starlette:
        """The same as an ASGI application, for transports that need no socket."""
        from safelight.mockserver.transports.asgi import create_app  # noqa: PLC0415 - not for `--help`

        return create_app(self._host.api)

    def transport(self, library: ModuleType) -> Any:
        """The same as a transport of `httpx` or `httpx2`, for sync and async clients: no socket, its own errors."""
        from safelight.mockserver.transports.in_process import transport  # noqa: PLC0415 - as above

        return transport(self._host.api, library)

    @property
    def respx(self) -> MockRouter:
        """While the block runs, httpx reaches the same at `url` with no socket at all: `with api.respx as router:`.

        The router takes routes of your own, for other hosts or before those of the fake; the rest is refused.
        """
        from safelight.mockserver.transports.respx_router import Router  # noqa: PLC0415 - as above

        return Router(self._host.api, self.url)

    @property
    def clock(self) -> Clock:
        """The session's time."""
        return self._clock

    @property
    def journal(self) -> Journal:
        """Every exchange with the key so far; the others are `orphans`."""
        return self._world.journal

    @property
    def orphans(self) -> Journal:
        """Every request without the key so far: each was answered with 401, and its advice says why."""
        return self._host.store.orphans

    @property
    def ledger(self) -> Ledger:
        """What was paid and returned so far; of a session that is over, what was by then."""
        try:
            return self._host.store.ledger(self.api_key)
        except NoSession:
            return self._world.ledger

    @property
    def tasks(self) -> list[Task]:
        """The tasks that were accepted so far, in the order of their submits."""
        return list(self._world.tasks.values())

    def next(
        self,
        *,
        queued: str | float | None = None,
        running: str | float | None = None,
        fail: str | bool | None = None,
        id: str | None = None,  # noqa: A002 - the wire's word
        timeline: Timeline | None = None,
        axis: Axis | str | None = None,
    ) -> None:
        """Say something about the next task: `queued`, `running`, `fail`, `id`, `axis`, or a whole `timeline`.

        Called n times, it is about the next n tasks. What is left out is drawn as usual, and without an `axis`
        the life is along that of the other tasks: polls, unless the session was given seconds or ticks.
        """
        __tracebackhide__ = True
        said = TaskOverride(timeline=timeline, queued=queued, running=running, fail=fail, id=id, axis=axis)
        self._session.settle(said)
        if axis == Axis.SECONDS and self._patience is None:
            self._be_patient()

    def timeline(self, *steps: Step | tuple[str, float] | str, axis: Axis | str | None = None) -> None:
        """The next task leads this life, step by step: `timeline(("queued", 2), ("running", 5), "done")`.

        A step is a phase and how many units of the axis it lasts; the last one stands alone, and lasts for ever.
        """
        __tracebackhide__ = True
        self.next(timeline=Timeline.read(steps), axis=axis)

    @property
    def plan(self) -> Plan:
        """What goes wrong, and when: `plan.add("poll#2: http 502")`."""
        return self._session.plan

    def revoke(self) -> None:
        """From now on the key is answered with 401; what it had stays."""
        self._session.revoked = True

    def release(self, task_id: str, ticks: int = 1) -> None:
        """Move a task on the axis of ticks along."""
        self._session.release(task_id, ticks)

    @property
    def transcript(self) -> str:
        """What happened so far, as a table for people: also what came without a usable key. Keys are never in it."""
        return self._told(self._seen)

    def assert_submitted_once(self) -> None:
        """Exactly one submit was accepted: each further one would be paid for."""
        __tracebackhide__ = True
        self._expect(expectations.submitted_once(list(self._seen)))

    def assert_submitted(self, **parameters: Any) -> None:
        """Some submit, accepted or not, was sent with these parameters, and perhaps more."""
        __tracebackhide__ = True
        self._expect(expectations.submitted(list(self._seen), parameters))

    def assert_polled(self, *, at_least: int = 1) -> None:
        """Tasks of this session were polled so many times or more."""
        __tracebackhide__ = True
        self._expect(expectations.polled(list(self._seen), at_least))

    def assert_no_poll_after_end(self) -> None:
        """A client that was told that a task is done or failed did not ask about it again."""
        __tracebackhide__ = True
        self._expect(expectations.no_poll_after_end(list(self._seen)))

    def assert_key_only_in_headers(self) -> None:
        """No URL and no body had a key in it: those end up in logs."""
        __tracebackhide__ = True
        self._expect(expectations.key_only_in_headers(list(self._seen)))

    def assert_contract_kept(self) -> None:
        """Every request was one of the API's and fitted its schema. A wrong key or an unknown task breaks nothing."""
        __tracebackhide__ = True
        self._expect(expectations.contract_kept(list(self._seen)))

    def assert_plan_delivered(self) -> None:
        """Each fault of the plan struck at least once: one that never came has tested nothing."""
        __tracebackhide__ = True
        self._expect(expectations.plan_delivered(list(self._seen), self.plan.undelivered()))

    def _expect(self, wrong: expectations.UnmetExpectation | None) -> None:
        __tracebackhide__ = True
        if self._seen.dropped:
            number = f"{self._seen.dropped:,} exchanges of this session"
            raise expectations.UnmetExpectation(
                f"nothing can be expected: {number} are no longer kept, as there were so many or so large"
            )
        if wrong:
            wrong.told = self._told(wrong.exchanges or self._seen)
            raise wrong

    def _told(self, exchanges: Iterable[Exchange]) -> str:
        numbers = {task.id: task.number for task in self.tasks}
        return transcript((exchange._replace(at=exchange.at - self._began) for exchange in exchanges), numbers)

    def _see(self, session: Session | None, exchange: Exchange) -> None:
        """Keep an exchange. What came without a usable key has another time, and perhaps ours where none belongs."""
        if session is None:
            target, body = redacted(exchange.target, self.api_key), redacted_bytes(exchange.body, self.api_key)
            exchange = exchange._replace(at=self._clock.now(), target=target, body=body)
        self._seen.add(exchange)
        if self._virtual_time and self._waits_for_time(exchange):
            self._virtual_time.waits_for_time()

    def _waits_for_time(self, exchange: Exchange) -> bool:
        """It is a poll of a task that goes on once seconds have passed."""
        task = self._world.tasks.get(exchange.task_id or "")
        if task is None or exchange.operation != "task_status":
            return False
        return task.axis is Axis.SECONDS and exchange.phase not in FINAL
