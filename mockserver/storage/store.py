"""What a store of sessions does, whatever it keeps them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from safelight.mockserver.model.session_state import SessionState
    from safelight.traffic.exchange import Exchange
    from safelight.traffic.journal import Journal, Part


class Transaction(Protocol):
    """A block in which one session belongs to one thread. What the block changed is kept when it ends."""

    #: The session, or None while there is none of this name.
    state: SessionState | None

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def begin(self, state: SessionState) -> None:
        """Begin the session, or begin it anew: its journal is empty."""

    def end(self) -> None:
        """Forget the session and its journal."""


class Guests(NamedTuple):
    """The sessions that were opened because any key is welcome: how many, and the names of some."""

    number: int
    #: Those that were least recently used, in that order.
    names: Sequence[str]


class Store(Protocol):
    """Sessions by name: the fingerprint of their key. Nothing that decides an answer is kept outside of it.

    One that does I/O raises `StoreGone` from each verb but `record` while what keeps the sessions does not answer.
    """

    #: Its verbs wait for a disk or a network: the service is then called in a worker thread.
    does_io: bool

    def transaction(self, name: str, about: str = "") -> Transaction:
        """The session, to be read and changed. A thread may enter a session again that it has entered.

        `about` is the id of the task that it will be about, where that is known.
        """
        ...

    def look(self, name: str) -> SessionState | None:
        """The session as it is now, to be read alone."""
        ...

    def names(self) -> Sequence[str]:
        """The sessions that there are."""
        ...

    def guests(self, most: int) -> Guests:
        """The sessions of guests, with so many names at most. A transaction of a session is a use of it."""
        ...

    def record(self, name: str | None, exchange: Exchange, earlier: Exchange | None = None) -> None:
        """Keep an exchange; without a name, or without such a session, among the orphans.

        It stands in the place of `earlier`, what was kept of it before its end.
        """

    def journal(self, name: str | None) -> Journal:
        """What was recorded of a session, or of no session. Raises `NoSession`."""
        ...

    def part(self, name: str | None, after: int, again: Collection[int] = ()) -> Part:
        """What was recorded after this number, and `again` what has these numbers. Raises `NoSession`.

        The rest of the journal is not read.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections, where there are any. They are opened again when they are needed."""


class NoSession(LookupError):
    """No session is open for this key, or no longer."""


@dataclass(eq=False)
class StoreGone(Exception):
    """What keeps the sessions does not answer. Nothing of the transaction was kept."""

    reason: str

    def __str__(self) -> str:
        return f"the store of this fake does not answer: {self.reason}"


@dataclass(eq=False)
class UnusableStore(Exception):
    """Sessions cannot be kept there."""

    reason: str

    def __str__(self) -> str:
        return self.reason
