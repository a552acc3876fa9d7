"""Sessions in a file of SQLite: they survive a restart, and the processes of one machine can share them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock, local
from typing import Final, NamedTuple
from weakref import finalize

from safelight.mockserver.storage.database import Changes, Document, Found, FoundPlace, Record, Records, Wanted
from safelight.mockserver.storage.store import Guests, StoreGone, UnusableStore
from safelight.traffic.journal import MAX_BYTES, MAX_ENTRIES

#: It tells our files from others of SQLite, and from those of another form.
_APPLICATION_ID: Final = 0x5AFE1164
_FORM: Final = 3

#: Seconds that a transaction waits for those of other processes.
_MAX_WAIT_SECONDS: Final = 10.0

_TABLES: Final = (
    "create table session (name text primary key, settings text not null, rest text not null)",
    "create table row (session text, kind text, key text, text text not null, primary key (session, kind, key))",
    (
        "create table place (session text, kind text, place text, key text, primary key (session, kind, place, key))"
        " without rowid"
    ),
    "create table guest (name text primary key, used real not null)",
    "create index guest_by_use on guest (used)",
    "create table record (session text, number integer, size integer, text text, primary key (session, number))",
    "create table journal (session text primary key, records integer, bytes integer, dropped integer)",
)

#: Each, and where it has the name of the session.
_TABLES_OF_A_SESSION: Final = (
    ("session", "name"),
    ("guest", "name"),
    *((table, "session") for table in ("row", "place", "record", "journal")),
)


class SQLiteDatabase:
    """One file, and beside it, while it is open, two of its write-ahead log. Its transactions wait for one another.

    What was written survives the end of a process, however that ends. Raises `UnusableStore`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        #: Connections that nobody uses, the one that was used last on top.
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        finalize(self, _close, self._idle)  # where nobody closes the store, Python 3.13 warns of each connection
        #: The threads of this process wait here, in the place of asking the file again and again.
        self._turn = Lock()
        self._mine = _OfThread()
        with suppress(OSError):  # SQLite says why it cannot open it
            path.touch(0o600)  # it has the keys of its sessions
        try:
            with self._connection() as connection:
                _prepare(connection)
        except (StoreGone, UnusableStore) as error:
            raise UnusableStore(error.reason) from None

    def enter(self, name: str, kinds: Sequence[str] = (), key: str = "") -> Found:
        """Begin a transaction of the whole file, or take part in the one of this thread."""
        if not self._mine.depth:
            self._begin()
        self._mine.depth += 1
        try:
            return Found(self.read(name), self.row(name, kinds, key) if kinds else ())
        except BaseException:
            self._leave()
            raise

    def leave(self, name: str, changes: Changes | None) -> None:
        """Write all changes, and commit once no other session of this thread is entered."""
        try:
            if changes:
                with self._connection() as connection:
                    _write(connection, name, changes)
        finally:
            self._leave()

    def read(self, name: str) -> Document | None:
        """The session, as it was last committed, or as the transaction of this thread has it."""
        with self._connection() as connection:
            found = connection.execute("select settings, rest from session where name = ?", (name,)).fetchone()
            return found and Document(*found)

    def row(self, name: str, kinds: Sequence[str], key: str) -> Sequence[str | None]:
        """The texts of the rows that have this key."""
        wanted = ", ".join("?" * len(kinds))
        query = f"select kind, text from row where session = ? and key = ? and kind in ({wanted})"  # noqa: S608 - as above
        with self._connection() as connection:
            found = dict(connection.execute(query, (name, key, *kinds)).fetchall())
            return [found.get(kind) for kind in kinds]

    def rows(self, name: str, kind: str) -> Mapping[str, str]:
        """All rows of a kind."""
        with self._connection() as connection:
            return dict(connection.execute("select key, text from row where session = ? and kind = ?", (name, kind)))

    def places(self, name: str, wanted: Wanted, kinds: Sequence[str] = ()) -> Sequence[FoundPlace]:
        """The first places of a kind, with rows of their keys."""
        query = "select place, key from place where session = ? and kind = ? and place > ? and place <= ?"
        with self._connection() as connection:
            found = connection.execute(f"{query} order by place limit ?", (name, *wanted)).fetchall()
            return [FoundPlace(place, key, self.row(name, kinds, key) if kinds else ()) for place, key in found]

    def names(self) -> Sequence[str]:
        """The sessions that there are."""
        with self._connection() as connection:
            return [name for (name,) in connection.execute("select name from session")]

    def guests(self, most: int) -> Guests:
        """The sessions of guests."""
        with self._connection() as connection:
            [(number,)] = connection.execute("select count(*) from guest")
            names = connection.execute("select name from guest order by used limit ?", (most,))
            return Guests(number, [name for (name,) in names])

    def record(self, name: str, record: Record) -> None:
        """Keep a record, and let the oldest go where there is no room."""
        name = name if self.enter(name).document else ""
        try:
            with self._connection() as connection:
                _record(connection, name, record)
        finally:
            self._leave()

    def records(self, name: str, after: int = 0, again: Collection[int] = ()) -> Records | None:
        """What was recorded after this number, and `again` what has these numbers."""
        if name and self.read(name) is None:
            return None
        # In the file the first record is number 0.
        one = "select number + 1, text from record where session = ? and number = ?"
        later = "select number + 1, text from record where session = ? and number >= ? order by number"
        with self._connection() as connection:
            before = (connection.execute(one, (name, number - 1)) for number in sorted(again) if number <= after)
            numbered = [*chain.from_iterable(before), *connection.execute(later, (name, after))]
            journal = _journal(connection, name)
            return Records(numbered, journal.dropped, journal.records)

    def close(self) -> None:
        """Close the file, which has all that was written. It is opened again when it is needed."""
        _close(self._idle)

    def _begin(self) -> None:
        self._turn.acquire()
        try:
            with self._connection() as connection:
                connection.execute("begin immediate")
                self._mine.connection = connection
        except BaseException:
            self._turn.release()
            raise

    def _leave(self) -> None:
        self._mine.depth -= 1
        if self._mine.depth:
            return
        connection, self._mine.connection = self._mine.connection, None
        assert connection is not None
        is_broken, self._mine.is_broken = self._mine.is_broken, False
        try:
            with _told():
                connection.execute("rollback" if is_broken else "commit")
        except StoreGone:
            with suppress(sqlite3.Error):
                connection.execute("rollback")
            raise
        finally:
            self._idle.put(connection)
            self._turn.release()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """The connection of this thread's transaction, or one of its own for a block. Raises `StoreGone`."""
        if self._mine.connection:
            try:
                with _told():
                    yield self._mine.connection
            except BaseException:
                self._mine.is_broken = True
                raise
            return
        with _told():
            connection = self._connected()
            try:
                yield connection
            finally:
                if connection is not self._mine.connection:
                    self._idle.put(connection)

    def _connected(self) -> sqlite3.Connection:
        with suppress(Empty):
            return self._idle.get_nowait()
        connection = sqlite3.connect(
            self._path, timeout=_MAX_WAIT_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            # Without a wait for the disk, what was written survives the process, and not the failure of the machine.
            connection.executescript(
                "pragma journal_mode = wal; pragma synchronous = normal; pragma journal_size_limit = 16000000;"
            )
        except BaseException:
            connection.close()
            raise
        return connection


class _OfThread(local):
    """The transaction of a thread: its connection, how many sessions are entered in it, and whether one has failed."""

    connection: sqlite3.Connection | None = None
    depth = 0
    is_broken = False


def _close(connections: LifoQueue[sqlite3.Connection]) -> None:
    with suppress(Empty):
        while True:
            connections.get_nowait().close()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreGone(f"SQLite says {error}") from None


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in a new file. Raises `UnusableStore` for one that is somebody else's."""
    connection.execute("begin immediate")
    try:
        marks = [connection.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version")]
        is_new = connection.execute("select count(*) from sqlite_master").fetchone()[0] == 0
        if is_new:
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"pragma application_id = {_APPLICATION_ID}")
            connection.execute(f"pragma user_version = {_FORM}")
        elif marks != [_APPLICATION_ID, _FORM]:
            ours = marks[0] == _APPLICATION_ID
            raise UnusableStore("another version of Safelight has written it" if ours else "it holds something else")
    finally:
        connection.execute("commit")


def _write(connection: sqlite3.Connection, name: str, changes: Changes) -> None:
    if changes.is_new:
        for table, column in _TABLES_OF_A_SESSION:
            connection.execute(f"delete from {table} where {column} = ?", (name,))  # noqa: S608 - names from above
    if changes.document:
        connection.execute("insert or replace into session values (?, ?, ?)", (name, *changes.document))
    gone = [(name, row.kind, row.key) for row in changes.rows if row.text is None]
    kept = [(name, *row) for row in changes.rows if row.text is not None]
    if gone:
        connection.executemany("delete from row where session = ? and kind = ? and key = ?", gone)
    if kept:
        connection.executemany("insert or replace into row values (?, ?, ?, ?)", kept)
    for is_there, statement in _PLACED.items():
        places = [(name, *placed[:3]) for placed in changes.places if placed.is_there is is_there]
        if places:
            connection.executemany(statement, places)
    if changes.used is not None:
        connection.execute("insert or replace into guest values (?, ?)", (name, changes.used))
    for record in changes.records:
        _record(connection, name, record)


#: Whether a key is at a place -> what says so.
_PLACED: Final = {
    False: "delete from place where session = ? and kind = ? and place = ? and key = ?",
    True: "insert or ignore into place values (?, ?, ?, ?)",
}


class _Journal(NamedTuple):
    """How many records there ever were of a session, the bytes of those that are kept, and how many are not."""

    records: int
    bytes: int
    dropped: int


def _journal(connection: sqlite3.Connection, name: str) -> _Journal:
    found = connection.execute("select records, bytes, dropped from journal where session = ?", (name,)).fetchone()
    return _Journal(*(found or (0, 0, 0)))


def _record(connection: sqlite3.Connection, name: str, record: Record) -> None:
    text, size, earlier = record
    records, size_of_all, dropped = _journal(connection, name)
    number = records
    if earlier is None:
        records += 1
    else:
        query = "select number, size from record where session = ? and text = ? order by number desc limit 1"
        place = connection.execute(query, (name, earlier)).fetchone()
        if place is None:
            return
        number = place[0]
        size_of_all -= place[1]
    connection.execute("insert or replace into record values (?, ?, ?, ?)", (name, number, size, text))
    size_of_all += size
    while records - dropped > MAX_ENTRIES or size_of_all > MAX_BYTES:
        oldest = (name, dropped)
        size_of_all -= connection.execute(
            "select size from record where session = ? and number = ?", oldest
        ).fetchone()[0]
        connection.execute("delete from record where session = ? and number = ?", oldest)
        dropped += 1
    connection.execute("insert or replace into journal values (?, ?, ?, ?)", (name, records, size_of_all, dropped))
