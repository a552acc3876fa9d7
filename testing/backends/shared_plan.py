"""The plan of a session of the core in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from safelight.mockserver.faults.rules import FaultRule
    from safelight.mockserver.sessions.session import EnteredSession
    from safelight.traffic.expectations import Missed


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
        """Each rule, how often it struck, and how often its fault was delivered: reached its client."""
        with self._enter() as session:
            return session.plan.counts()

    def undelivered(self) -> list[Missed]:
        """The rules whose fault was never delivered, and why."""
        with self._enter() as session:
            return session.plan.undelivered()
