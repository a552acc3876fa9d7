"""What stands behind a `Safelight`: the core in this process, a running fake, or a server of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from safelight.mockserver.faults.rules import FaultRule
    from safelight.mockserver.model.ledger import Ledger
    from safelight.mockserver.model.task import Task
    from safelight.testing.backends.shared import SharedBackend
    from safelight.traffic.expectations import Missed
    from safelight.traffic.journal import Journal


class Backend(Protocol):
    """One key of one server, while the block runs."""

    #: It can be controlled, and keeps the exchanges.
    is_fake: bool

    @property
    def url(self) -> str:
        """The entry point."""
        ...

    @property
    def api_key(self) -> str:
        """The key."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def failure(self) -> str:
        """Why the client would have gone on for ever on virtual time, in a sentence; of any other, nothing."""
        ...

    def slowness(self) -> str:
        """Why a test on virtual time took real time, and what would make it quick, in a sentence; or nothing."""
        ...

    def fake(self, member: str) -> Fake:
        """The fake that this is. Where it is none, the test that uses this member of `Safelight` is skipped."""
        ...

    def in_process(self, member: str) -> SharedBackend:
        """The same, for what only the fake in this process has."""
        ...


class Fake(Protocol):
    """A session of a fake, in this process or beyond HTTP."""

    @property
    def seen(self) -> Journal:
        """Every exchange that expectations are about."""
        ...

    @property
    def began(self) -> float:
        """When the session began, on the clock of its exchanges."""
        ...

    @property
    def has_moving_clock(self) -> bool:
        """The clock of the exchanges moves while a client waits: something can be said of seconds."""
        ...

    @property
    def journal(self) -> Journal:
        """Every exchange with the key so far."""
        ...

    @property
    def ledger(self) -> Ledger:
        """What was paid and returned so far."""
        ...

    @property
    def tasks(self) -> list[Task]:
        """The tasks that were accepted so far."""
        ...

    @property
    def plan(self) -> Planned:
        """What goes wrong, and when."""
        ...

    def next(self, **override: Any) -> None:
        """Override something of the next task."""
        ...

    def release(self, task_id: str, ticks: int) -> None:
        """Move a task on the axis of ticks along."""
        ...


class Planned(Protocol):
    """A plan of faults."""

    def __iter__(self) -> Iterator[FaultRule]: ...

    def __len__(self) -> int: ...

    def add(self, *rules: str | FaultRule) -> None:
        """Plan more: `add("poll#2: http 502")`. A rule counts the requests that come from now on."""
        ...

    def clear(self) -> None:
        """Plan nothing."""
        ...

    def counts(self) -> Sequence[tuple[FaultRule, int, int]]:
        """Each rule, how often it struck, and how often its fault was delivered: reached its client."""
        ...

    def undelivered(self) -> Sequence[Missed]:
        """The rules whose fault was never delivered, and why."""
        ...
