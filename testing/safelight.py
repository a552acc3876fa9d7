"""The API for a test: `with Safelight() as api:` gives a URL and a key that answer, and keeps the exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, Unpack

from safelight.contracts import Timeline
from safelight.contracts.secrets import NO_KEYS, redacted, with_keys
from safelight.contracts.wording import not_among
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.sessions.opening import settings
from safelight.mockserver.sessions.setting import read
from safelight.mockserver.sessions.table import CLOCK, SERVER
from safelight.testing.backends.shared import SharedBackend, chosen_clock
from safelight.testing.backends.shared_server import SharedServer
from safelight.traffic import expectations
from safelight.traffic.expectations import UnmetExpectation
from safelight.traffic.transcript import transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from respx import MockRouter
    from starlette.applications import Starlette

    from safelight.contracts import Axis, Step
    from safelight.mockserver.model.clock import Clock
    from safelight.mockserver.model.ledger import Ledger
    from safelight.mockserver.model.task import Task
    from safelight.mockserver.sessions.keywords import SessionKeywords
    from safelight.testing.backends import Backend, Planned
    from safelight.traffic.exchange import Exchange
    from safelight.traffic.journal import Journal


def _assertion(
    expectation: Callable[[Iterable[Exchange]], UnmetExpectation | None], *, of_time: bool = False
) -> Callable[[Safelight], None]:
    """The method that holds the client to an expectation, with its documentation."""

    def expect(self: Safelight) -> None:
        __tracebackhide__ = True
        self._expect(expectation, of_time=of_time)

    expect.__name__ = expect.__qualname__ = f"assert_{expectation.__name__}"
    expect.__doc__ = expectation.__doc__
    return expect


class Safelight:
    """One session of the fake: of one in this process, on a port of its own, unless a `backend` is another.

    Without arguments a task is pending on its first poll, processing on its second and completed on its third.
    `queued` and `running` are seconds (a number, or `1..3`, `~5`, `never`), `polls` counts polls instead: `(1, 2)`,
    and `ticks` those that `release` gives. `workflows` has settings of their own: `{"rr3": {"running": 20}}`.
    With `virtual_time`, sleeps of this thread move the clock instead of waiting.
    """

    __module__ = "safelight"  # pytest prints it with each failed test

    def __init__(
        self,
        *,
        seed: int = 0,
        clock: Clock | None = None,
        virtual_time: bool = False,
        speed: float | None = None,
        api_key: str = FAKE_KEY,
        port: int = 0,
        backend: Backend | None = None,
        **options: Unpack[SessionKeywords],
    ) -> None:
        given = {"seed": seed, "port": port} | ({} if speed is None else {"speed": speed})
        own = read(given, CLOCK | {"port": SERVER["port"]})
        self._backend: Backend = backend or SharedBackend(
            SharedServer(seed=own["seed"], port=own["port"]),
            api_key,
            settings(options),
            clock=chosen_clock(clock, virtual_time=virtual_time, speed=own.get("speed")),
            virtual_time=virtual_time,
            is_own=True,
        )

    def __enter__(self) -> Self:
        self._backend.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        __tracebackhide__ = True
        self._backend.__exit__()
        if kind is None:
            self.assert_client_ended()

    @property
    def url(self) -> str:
        """The entry point, ending in `/v1/index.php`. From then on it is listened at."""
        __tracebackhide__ = True
        return self._backend.url

    @property
    def api_key(self) -> str:
        """The key."""
        return self._backend.api_key

    def other_key(self) -> str:
        """A further key, each time another one: an account of its own, alike, for which no fault is planned.

        What is done with it is judged together with the rest: `tasks`, `ledger` and `journal` are of all keys.
        """
        return self._backend.in_process("other_key").other_key()

    @property
    def asgi(self) -> Starlette:
        """The API as an ASGI application, for transports that need no socket."""
        from safelight.mockserver.transports.asgi import create_app  # noqa: PLC0415 - not for `--help`

        return create_app(self._backend.in_process("asgi").core)

    def transport(self, library: ModuleType) -> Any:
        """The API as a transport of `httpx` or `httpx2`, for sync and async clients: no socket, their own errors."""
        from safelight.mockserver.transports.in_process import transport  # noqa: PLC0415 - as above

        return transport(self._backend.in_process("transport").core, library, _sleep)

    @property
    def respx(self) -> MockRouter:
        """While the block runs, httpx reaches the API at `url` with no socket at all: `with api.respx as router:`.

        The router takes routes of your own, for other hosts or before those of the fake; the rest is refused.
        """
        from safelight.mockserver.transports.respx_router import Router  # noqa: PLC0415 - as above

        return Router(self._backend.in_process("respx").core, self.url, _sleep)

    @property
    def clock(self) -> Clock:
        """The session's time."""
        return self._backend.in_process("clock").clock

    @property
    def journal(self) -> Journal:
        """Every exchange with the key so far; the others are `orphans`."""
        return self._backend.fake("journal").journal

    @property
    def orphans(self) -> Journal:
        """Every request without the key so far: each was answered with 401, and its advice says why."""
        return self._backend.in_process("orphans").orphans

    @property
    def ledger(self) -> Ledger:
        """What was paid and returned so far; of a session that is over, what was by then."""
        return self._backend.fake("ledger").ledger

    @property
    def tasks(self) -> list[Task]:
        """The tasks that were accepted so far, in the order of their submits."""
        return self._backend.fake("tasks").tasks

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
        """Override options of the next task: `queued`, `running`, `fail`, `id`, `axis`, or a whole `timeline`.

        Each call is about one further task. What is left out is drawn as usual, and without an `axis`
        the task is on that of the other tasks: polls, unless the session was given seconds or ticks.
        """
        __tracebackhide__ = True
        override = {"queued": queued, "running": running, "fail": fail, "id": id, "timeline": timeline, "axis": axis}
        stated = {name: value for name, value in override.items() if value is not None}
        self._backend.fake("next").next(**stated)

    def timeline(self, *steps: Step | Sequence[object] | str, axis: Axis | str | None = None) -> None:
        """The next task has this timeline, step by step: `timeline(("queued", 2), ("running", 5), "done")`.

        A step is a phase and how many units of the axis it lasts; the last one stands alone, and lasts for ever.
        """
        __tracebackhide__ = True
        self.next(timeline=Timeline.read(steps), axis=axis)

    @property
    def plan(self) -> Planned:
        """What goes wrong, and when: `plan.add("poll#2: http 502")`."""
        return self._backend.fake("plan").plan

    def revoke(self) -> None:
        """From now on the key is answered with 401; what it had stays."""
        self._backend.in_process("revoke").revoke()

    def release(self, task_id: str, ticks: int = 1) -> None:
        """Move a task on the axis of ticks along."""
        self._backend.fake("release").release(task_id, ticks)

    @property
    def transcript(self) -> str:
        """What happened so far, as a table for people: also what came without a usable key. Keys are never in it."""
        return self._transcript(self._backend.fake("transcript").seen)

    def _transcript(self, exchanges: Iterable[Exchange]) -> str:
        fake = self._backend.fake("transcript")
        numbers = {task.id: task.number for task in fake.tasks}
        if len(set(numbers.values())) < len(numbers):  # each key counts its own
            numbers = {task_id: number for number, task_id in enumerate(numbers, 1)}
        return transcript(exchanges, numbers, began=fake.began)

    # What each of these expects stands at its function.
    assert_submitted_once = _assertion(expectations.submitted_once)
    assert_no_poll_after_end = _assertion(expectations.no_poll_after_end)
    assert_no_poll_after_401 = _assertion(expectations.no_poll_after_401)
    assert_only_issued_ids = _assertion(expectations.only_issued_ids)
    assert_results_fetched = _assertion(expectations.results_fetched)
    assert_retry_after_kept = _assertion(expectations.retry_after_kept, of_time=True)
    assert_key_known = _assertion(expectations.key_known)
    assert_key_only_in_headers = _assertion(expectations.key_only_in_headers)
    assert_key_only_where_read = _assertion(expectations.key_only_where_read)
    assert_key_only_to_origin = _assertion(expectations.key_only_to_origin)
    assert_submitted_under_one_key = _assertion(expectations.submitted_under_one_key)
    assert_contract_kept = _assertion(expectations.contract_kept)

    def assert_submitted(self, **parameters: Any) -> None:
        """Some submit, accepted or not, was sent with these parameters, and perhaps more."""
        __tracebackhide__ = True
        self._expect(expectations.submitted, parameters)

    def assert_polled(self, *, at_least: int = 1) -> None:
        """Tasks of this session were polled so many times or more."""
        __tracebackhide__ = True
        self._expect(expectations.polled, at_least)

    def assert_polls_apart(self, *, at_least: float) -> None:
        """Between two polls of a task there were so many seconds or more."""
        __tracebackhide__ = True
        self._expect(expectations.polls_apart, at_least, of_time=True)

    def assert_no_mistake(self, **switches: bool) -> None:
        """All that the pytest plugin expects at the end of each test; `key_known=False` leaves that out."""
        __tracebackhide__ = True
        fake = self._backend.fake("assert_no_mistake")
        for name in switches:
            if name not in expectations.JUDGED:
                raise TypeError(not_among("switch", name, expectations.JUDGED))
        for switch, expected in expectations.JUDGED.items():
            if switches.get(switch, True) and (fake.has_moving_clock or not expected.of_time):
                try:
                    self._expect(expected.holds)
                except UnmetExpectation as unmet:
                    unmet.switch = switch
                    raise

    def assert_plan_delivered(self) -> None:
        """Each fault of the plan struck at least once: one that never came has tested nothing."""
        __tracebackhide__ = True
        missed = list(self._backend.fake("assert_plan_delivered").plan.undelivered())
        self._expect(expectations.plan_delivered, missed)

    def assert_client_ended(self) -> None:
        """On virtual time, the client ended by itself: it neither slept nor polled without end."""
        __tracebackhide__ = True
        if sentence := self.failure:
            raise UnmetExpectation(sentence, transcript=self.transcript)

    @property
    def failure(self) -> str:
        """Why the client would have gone on for ever on virtual time, in a sentence; of any other, nothing."""
        return self._backend.failure()

    @property
    def slowness(self) -> str:
        """Why a test on virtual time took real time, and what would make it quick, in a sentence; or nothing."""
        return self._backend.slowness()

    def _expect(self, expectation: Callable[..., UnmetExpectation | None], *given: Any, of_time: bool = False) -> None:
        __tracebackhide__ = True
        fake = self._backend.fake(f"assert_{expectation.__name__}")
        if of_time and not fake.has_moving_clock:
            raise UnmetExpectation(
                "nothing can be expected of seconds: the clock of this session stands still while the client waits; "
                "give virtual_time=True, or speed"
            )
        seen = fake.seen
        if seen.dropped:
            number = f"{seen.dropped:,} exchanges of this session"
            raise UnmetExpectation(
                f"nothing can be expected: {number} are no longer kept, as there were so many or so large"
            )
        if unmet := expectation(seen, *given):
            unmet.sentence = redacted(unmet.sentence, with_keys(NO_KEYS, self.api_key))
            unmet.transcript = self._transcript(unmet.exchanges or seen)
            raise unmet


def _sleep(seconds: float) -> None:
    """What a client in this process waits for an answer that is late or slow."""
    __tracebackhide__ = True
    from safelight.testing.virtual_time.thread_time import sleep_in_thread  # noqa: PLC0415 - as above

    sleep_in_thread(seconds)
