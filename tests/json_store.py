"""The stores that tests run over, and one that keeps a session as one JSON text, on any clock."""

from __future__ import annotations

from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Self

import pytest

import redis_server
from safelight.mockserver.storage.codec import decoded, encoded
from safelight.mockserver.storage.kinds import opened
from safelight.mockserver.storage.memory import MemoryStore
from safelight.mockserver.storage.store import Guests, NoSession, Store
from safelight.traffic.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from safelight.mockserver.model.clock import Clock
    from safelight.mockserver.model.session_state import SessionState
    from safelight.traffic.exchange import Exchange
    from safelight.traffic.journal import Part


class JsonStore:
    """Texts by name. With a `clock` all sessions live by that one, which a test can advance."""

    does_io = False

    def __init__(self, clock: Clock | None = None) -> None:
        self.texts: dict[str, str] = {}
        self._clock = clock
        self._journals: dict[str, Journal] = {}
        self._lock = RLock()
        #: Transactions within one another, and the states that they share.
        self._open: dict[str, _Transaction] = {}
        self.orphans = Journal()

    def transaction(self, name: str, about: str = "") -> _Transaction:  # noqa: ARG002 - all is read anyway
        """The session, read from its text, and written when the block ends."""
        return self._open.get(name) or _Transaction(self, name)

    def look(self, name: str) -> SessionState | None:
        """The session, read from its text."""
        if name not in self.texts:
            return None
        state: SessionState = decoded(self.texts[name])
        state.clock = self._clock or state.clock
        return state

    def names(self) -> Sequence[str]:
        """The sessions that there are."""
        return list(self.texts)

    def guests(self, most: int) -> Guests:
        """The sessions of guests, as if the first ones were those that were not used for longest."""
        names = [name for name in self.texts if self.texts and (state := self.look(name)) and state.is_guest]
        return Guests(len(names), names[:most])

    def record(self, name: str | None, exchange: Exchange, earlier: Exchange | None = None) -> None:
        """Keep an exchange."""
        (self._journals[name] if name in self.texts and name else self.orphans).add(exchange, earlier)

    def journal(self, name: str | None) -> Journal:
        """What was recorded."""
        if name is None:
            return self.orphans
        if name not in self.texts:
            raise NoSession
        return self._journals[name]

    def part(self, name: str | None, after: int, again: Collection[int] = ()) -> Part:
        """What was recorded after this number, and again what has these."""
        return self.journal(name).part(after, again)

    def close(self) -> None:
        """There is nothing to let go of."""


class _Transaction:
    def __init__(self, store: JsonStore, name: str) -> None:
        self._store, self._name, self._depth = store, name, 0
        self.state: SessionState | None = None

    def __enter__(self) -> Self:
        self._store._lock.acquire()  # noqa: SLF001 - of its own store
        if not self._depth:
            self._store._open[self._name] = self  # noqa: SLF001
            self.state = self._store.look(self._name)
        self._depth += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            del self._store._open[self._name]  # noqa: SLF001
            if self.state:
                self._store.texts[self._name] = encoded(self.state)
            else:
                self._store.texts.pop(self._name, None)
        self._store._lock.release()  # noqa: SLF001

    def begin(self, state: SessionState) -> None:
        """Begin the session anew."""
        self.state = state
        self._store._journals[self._name] = Journal()  # noqa: SLF001

    def end(self) -> None:
        """Forget the session."""
        self.state = None


class CountingDatabase:
    """A database that counts the records that it gives."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self.records_given = 0

    def records(self, *asked: Any) -> Any:
        """What was recorded."""
        found = self._database.records(*asked)
        self.records_given += len(found.numbered)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


def counted(name: str, folder: Path) -> tuple[Store, CountingDatabase]:
    """A store on a database, and that database, which counts."""
    store: Any = STORES[name](folder)
    store.database = CountingDatabase(store.database)
    return store, store.database


#: Every kind of store there is, made with a folder that is empty.
STORES: Final[Mapping[str, Callable[[Path], Store]]] = {
    "memory": lambda _: MemoryStore(),
    "json": lambda _: JsonStore(),
    "sqlite": lambda folder: opened(f"sqlite:{folder / 'sessions.db'}"),
    "redis": lambda _: opened(redis_server.empty()),
}

#: Their names, of which one needs a server.
STORE_NAMES: Final = [
    pytest.param(name, marks=pytest.mark.needs("redis-server") if name == "redis" else ()) for name in STORES
]
