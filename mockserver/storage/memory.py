"""Sessions in the memory of this process."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import TYPE_CHECKING, Self

from safelight.mockserver.storage.store import Guests, NoSession
from safelight.traffic.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from safelight.mockserver.model.session_state import SessionState
    from safelight.traffic.exchange import Exchange
    from safelight.traffic.journal import Part, Unread


@dataclass(slots=True)
class _Kept:
    """A session, the lock that its transactions hold, and its journal."""

    lock: RLock = field(default_factory=RLock)
    state: SessionState | None = None
    journal: Journal = field(default_factory=Journal)


class MemoryStore:
    """Everything in this process. A transaction changes the session itself, so that nothing is copied."""

    does_io = False

    def __init__(self) -> None:
        self._sessions: dict[str, _Kept] = {}
        #: The names of guests, the least recently used first.
        self._guests: OrderedDict[str, None] = OrderedDict()
        self._recording = Lock()
        #: Exchanges of requests without a usable key.
        self.orphans = Journal()

    def transaction(self, name: str, about: str = "") -> MemoryTransaction:  # noqa: ARG002 - all is here
        """The session, to be read and changed."""
        return MemoryTransaction(self._sessions, self._guests, name)

    def look(self, name: str) -> SessionState | None:
        """The session as it is now, to be read alone."""
        kept = self._sessions.get(name)
        return kept.state if kept else None

    def names(self) -> Sequence[str]:
        """The sessions that there are."""
        return [name for name, kept in list(self._sessions.items()) if kept.state]

    def guests(self, most: int) -> Guests:
        """The sessions of guests."""
        return Guests(len(self._guests), list(self._guests)[:most])

    def record(self, name: str | None, exchange: Exchange | Unread, earlier: Exchange | None = None) -> None:
        """Keep an exchange; without a name, or without such a session, among the orphans."""
        kept = self._sessions.get(name) if name else None
        with self._recording:
            (kept.journal if kept and kept.state else self.orphans).add(exchange, earlier)

    def journal(self, name: str | None) -> Journal:
        """What was recorded of a session, or of no session. Raises `NoSession`."""
        if name is None:
            return self.orphans
        kept = self._sessions.get(name)
        if kept is None or kept.state is None:
            raise NoSession
        return kept.journal

    def part(self, name: str | None, after: int, again: Collection[int] = ()) -> Part:
        """What was recorded after this number, and `again` what has these numbers. Raises `NoSession`."""
        journal = self.journal(name)
        with self._recording:  # what is found there is decoded later
            return journal.part(after, again)

    def close(self) -> None:
        """There is nothing to let go of."""


class MemoryTransaction:
    """A block that holds the lock of one session."""

    __slots__ = ("_guests", "_kept", "_name", "_sessions", "state")

    def __init__(self, sessions: dict[str, _Kept], guests: OrderedDict[str, None], name: str) -> None:
        self._sessions, self._guests, self._name = sessions, guests, name

    def __enter__(self) -> Self:
        while True:
            kept = self._sessions.get(self._name) or self._sessions.setdefault(self._name, _Kept())
            kept.lock.acquire()
            if self._sessions.get(self._name) is kept:
                break
            kept.lock.release()  # it ended while this thread waited
        self._kept, self.state = kept, kept.state
        return self

    def __exit__(self, *_: object) -> None:
        state = self._kept.state
        if state and state.is_guest:
            self._guests[self._name] = None
            self._guests.move_to_end(self._name)
        elif self._guests:
            self._guests.pop(self._name, None)
        if state is None and self._sessions.get(self._name) is self._kept:
            del self._sessions[self._name]
        self._kept.lock.release()

    def begin(self, state: SessionState) -> None:
        """Begin the session, or begin it anew: its journal is empty."""
        self._kept.state = self.state = state
        self._kept.journal = Journal()
        self._sessions[self._name] = self._kept

    def end(self) -> None:
        """Forget the session and its journal."""
        self._kept.state = self.state = None
