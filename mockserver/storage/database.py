"""What a database does for a store of sessions: it keeps texts, and knows nothing of what they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from safelight.mockserver.storage.store import Guests

#: Characters of a place.
PLACE_CHARACTERS: Final = 32


class Document(NamedTuple):
    """What is kept of a session beside its rows: its settings, which are read again and again, and the rest."""

    settings: str
    rest: str


class Row(NamedTuple):
    """A row that is written; without a text it is deleted."""

    kind: str
    key: str
    text: str | None


class Placed(NamedTuple):
    """A key at a place of an order, or no longer. Places are texts of `PLACE_CHARACTERS`, and sorted as texts are."""

    kind: str
    place: str
    key: str
    is_there: bool


class Wanted(NamedTuple):
    """The first places of a kind after one and up to another, so many at most."""

    kind: str
    after: str
    until: str
    most: int


class FoundPlace(NamedTuple):
    """A place that was looked for, and the texts of the rows of its key that were asked for."""

    place: str
    key: str
    rows: Sequence[str | None]


class Record(NamedTuple):
    """A record of a session: its text, the bytes that it counts for, and the text that it replaces."""

    text: str
    size: int
    earlier: str | None = None


class Changes(NamedTuple):
    """What a transaction writes."""

    #: None: it stays as it is, or has ended where all is new.
    document: Document | None
    rows: Sequence[Row]
    #: Whatever there was under this name before, rows, places and records, goes first.
    is_new: bool
    records: Sequence[Record] = ()
    places: Sequence[Placed] = ()
    #: Of the session of a guest, when it is used: a date in seconds.
    used: float | None = None


class Found(NamedTuple):
    """What a transaction begins with: the session, or None, and the texts of the rows that were asked for."""

    document: Document | None
    rows: Sequence[str | None] = ()


class Records(NamedTuple):
    """Records of a session with their numbers, from 1 on; how many went; and the number of the newest one."""

    #: In the order of the numbers.
    numbered: Sequence[tuple[int, str]]
    dropped: int
    last: int


class Database(Protocol):
    """Sessions by name. Each verb raises `StoreGone` where there is no answer."""

    def enter(self, name: str, kinds: Sequence[str] = (), key: str = "") -> Found:
        """Begin a transaction: until this thread leaves it, nobody else enters the session, in whatever process.

        Rows of these kinds that have this key are read with the session, as each way to it takes time.
        """
        ...

    def leave(self, name: str, changes: Changes | None) -> None:
        """Write all changes at once, or none of them, and end the transaction. None: nothing is written."""

    def read(self, name: str) -> Document | None:
        """The session as it is now."""

    def row(self, name: str, kinds: Sequence[str], key: str) -> Sequence[str | None]:
        """The texts of the rows that have this key, one for each kind; None: there is none."""
        ...

    def rows(self, name: str, kind: str) -> Mapping[str, str]:
        """Key -> text, of all rows of a kind."""
        ...

    def places(self, name: str, wanted: Wanted, kinds: Sequence[str] = ()) -> Sequence[FoundPlace]:
        """The first places that are wanted, with rows of these kinds."""
        ...

    def names(self) -> Sequence[str]:
        """The sessions that there are."""
        ...

    def guests(self, most: int) -> Guests:
        """How many sessions of guests there are, and the names of those that were least recently used."""
        ...

    def record(self, name: str, record: Record) -> None:
        """Keep a record of a session; where there is none of this name, of none."""

    def records(self, name: str, after: int = 0, again: Collection[int] = ()) -> Records | None:
        """What was recorded of a session, or of "" none, after this number; and `again` what has these numbers.

        No other record is read. None: there is no such session.
        """

    def close(self) -> None:
        """Let go of files and connections. They are opened again when they are needed."""
