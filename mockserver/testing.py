"""The whole fake for plain Python: `with Safelight() as api:` gives a URL and a key that answer."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from safelight.mockserver.api import Api
from safelight.mockserver.clock import Clock, RealClock
from safelight.mockserver.keys import FAKE_KEY
from safelight.mockserver.lives import Lives, Next, Settings, lives
from safelight.mockserver.store import MemoryStore, Task

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.applications import Starlette

    from safelight.contracts import Axis, Timeline
    from safelight.mockserver.journal import Journal
    from safelight.mockserver.ledger import Ledger


class Safelight:
    """One session of the fake on a loopback port.

    Without arguments a task is pending on its first poll, processing on its second and completed on its third.
    `queued` and `running` are seconds (a number, or `1..3`, `~5`, `never`), `polls` counts polls instead: `(1, 2)`,
    and `ticks` those that `release` gives. `workflows` has lives of their own: `{"rr3": lives(running=20)}`.
    """

    def __init__(
        self,
        *,
        queued: str | float | None = None,
        running: str | float | None = None,
        polls: tuple[int, int] | None = None,
        ticks: tuple[int, int] | None = None,
        fail_rate: float = 0.0,
        fail_reason: str | None = None,
        fail_nth: Collection[int] = (),
        workflows: Mapping[str, Lives] | None = None,
        slots: int | None = None,
        vocabulary: str = "published",
        seed: int = 0,
        clock: Clock | None = None,
        api_key: str = FAKE_KEY,
        port: int = 0,
    ) -> None:
        if queued is None and running is None and ticks is None:
            polls = polls or (1, 1)
        life = lives(
            queued=queued,
            running=running,
            polls=polls,
            ticks=ticks,
            fail_rate=fail_rate,
            fail_reason=fail_reason,
            fail_nth=frozenset(fail_nth),
        )
        self.api_key = api_key
        self._clock = clock or RealClock()
        self._store = MemoryStore()
        self._api = Api(
            settings=Settings(life, workflows or {}, slots=slots, vocabulary=vocabulary), seed=seed, store=self._store
        )
        self._session = self._api.open(api_key, clock=self._clock)
        self._port = port
        self._open = ExitStack()
        self._url = ""

    def __enter__(self) -> Self:
        from safelight.mockserver.server import in_thread  # noqa: PLC0415 - uvicorn is needed for a socket alone

        self._url = self._open.enter_context(in_thread(self.asgi, port=self._port))
        return self

    def __exit__(self, *_: object) -> None:
        self._url = ""
        self._open.close()

    @property
    def url(self) -> str:
        """The entry point, ending in `/v1/index.php`."""
        if not self._url:
            raise RuntimeError("there is no URL yet: write `with Safelight() as api:`, and use api.url inside")
        return self._url

    @property
    def asgi(self) -> Starlette:
        """The same as an ASGI application, for transports that need no socket."""
        from safelight.mockserver.app import create_app  # noqa: PLC0415 - Starlette is needed for a door alone

        return create_app(self._api)

    @property
    def clock(self) -> Clock:
        """The session's time."""
        return self._clock

    @property
    def journal(self) -> Journal:
        """Every exchange with the key so far; the others are `orphans`."""
        return self._store.world(self.api_key).journal

    @property
    def orphans(self) -> Journal:
        """Every request without the key so far: each was answered with 401, and its notice says why."""
        return self._store.orphans

    @property
    def ledger(self) -> Ledger:
        """What was paid and returned so far."""
        return self._store.ledger(self.api_key)

    @property
    def tasks(self) -> list[Task]:
        """The tasks that were accepted so far, in the order of their submits."""
        return list(self._store.world(self.api_key).tasks.values())

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
        said = Next(timeline=timeline, queued=queued, running=running, fail=fail, id=id, axis=axis)
        self._session.settle(said)

    def release(self, task_id: str, ticks: int = 1) -> None:
        """Move a task on the axis of ticks along."""
        self._session.release(task_id, ticks)
