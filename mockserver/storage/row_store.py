"""Sessions in a database: a small document for each, and a row for each task and for whatever else grows with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import lru_cache, partial
from threading import local
from typing import Any, Final, NamedTuple, Self

from safelight.mockserver.model.real_time import WALL
from safelight.mockserver.model.session_state import SessionState
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.storage import codec
from safelight.mockserver.storage.database import Changes, Database, Document, Placed, Record, Row, Wanted
from safelight.mockserver.storage.indexed_tasks import IndexedTasks
from safelight.mockserver.storage.rows import Rows, Source
from safelight.mockserver.storage.store import Guests, NoSession, StoreGone, Transaction
from safelight.mockserver.storage.stored_index import StoredIndex
from safelight.traffic.exchange import Exchange
from safelight.traffic.journal import Journal, Part
from safelight.traffic.ndjson import exchange_form, exchange_of


class _Part(NamedTuple):
    """A mapping of a session that grows with its tasks."""

    kind: str
    owner: Callable[[SessionState], Any]
    name: str

    def of(self, state: SessionState) -> Any:
        """The mapping."""
        return getattr(self.owner(state), self.name)


_TASKS: Final = _Part("task", lambda state: state, "tasks")

#: The kind of rows that hold the large bodies of tasks.
_BODY: Final = "body"

#: What there is of a task, under its id: who asks for one of these will ask for the others.
_OF_A_TASK: Final = (
    _TASKS,
    _Part("counts", lambda state: state, "counts"),
    _Part("rules", lambda state: state.plan, "of_tasks"),
    _Part("numbers", lambda state: state.plan, "numbers"),
)

_ENTRIES: Final = _Part("entry", lambda state: state.ledger, "entries")

#: What is read together.
_GROUPS: Final = (
    _OF_A_TASK,
    (_ENTRIES,),
    (_Part("rule counts", lambda state: state.plan, "counts"),),
)

_PARTS: Final = tuple(part for group in _GROUPS for part in group)

#: The orders in which tasks are looked for, and what is read with them.
_INDEXES: Final[Mapping[_Part, Sequence[_Part]]] = {
    _Part("by number", lambda state: state.order, "by_number"): _OF_A_TASK,
    _Part("ends", lambda state: state.order, "ends"): (),
    _Part("ended", lambda state: state.order, "ended"): _OF_A_TASK,
    _Part("refunds due", lambda state: state, "refunds_due"): _OF_A_TASK,
    _Part("with rules", lambda state: state.plan, "with_rules"): _OF_A_TASK,
}

_REST: Final = [field.name for field in fields(SessionState) if field.name != "settings"]


class RowStore:
    """A store on a database. The service is called in worker threads, as each verb may wait."""

    does_io = True

    def __init__(self, database: Database) -> None:
        self.database = database
        self._open = local()

    def transaction(self, name: str, about: str = "") -> Transaction:
        """The session, read when the block begins, and what was changed of it is written when it ends."""
        entered = self._entered()
        return entered.get(name) or RowTransaction(self.database, name, entered, about)

    def look(self, name: str) -> SessionState | None:
        """The session as it is now; within its transaction, as that has it."""
        if entered := self._entered().get(name):
            return entered.state
        return _state(self.database, name, self.database.read(name))

    def names(self) -> Sequence[str]:
        """The sessions that there are."""
        return self.database.names()

    def guests(self, most: int) -> Guests:
        """The sessions of guests, whichever process has opened them."""
        return self.database.guests(most)

    def record(self, name: str | None, exchange: Exchange, earlier: Exchange | None = None) -> None:
        """Keep an exchange; without a name, or without such a session, among the orphans.

        Within a transaction of its session it is written with what that changes. Else, while the database does not
        answer, it is lost: its client gets its answer all the same.
        """
        record = Record(_text(exchange), exchange.size, earlier and _text(earlier))
        entered = self._entered().get(name or "")
        if entered and entered.state:
            entered.records.append(record)
        else:
            with suppress(StoreGone):
                self.database.record(name or "", record)

    def journal(self, name: str | None) -> Journal:
        """What was recorded of a session, or of no session, so far. Raises `NoSession`."""
        journal, part = Journal(), self.part(name, 0)
        for _, exchange in part.numbered:
            journal.add(exchange)
        journal.dropped += part.dropped
        return journal

    def part(self, name: str | None, after: int, again: Collection[int] = ()) -> Part:
        """What was recorded after this number, and `again` what has these numbers. Raises `NoSession`."""
        records = self.database.records(name or "", after, again)
        if records is None:
            raise NoSession
        numbered = ((number, exchange_of(json.loads(text))) for number, text in records.numbered)
        return Part(records.dropped, records.last, numbered)

    def close(self) -> None:
        """Let go of files and connections."""
        self.database.close()

    def _entered(self) -> dict[str, RowTransaction]:
        entered: dict[str, RowTransaction] = self._open.__dict__.setdefault("entered", {})
        return entered


class RowTransaction:
    """A block within one transaction of the database; blocks within it are the same."""

    def __init__(self, database: Database, name: str, entered: dict[str, RowTransaction], about: str) -> None:
        self._database, self._name, self._entered, self._about = database, name, entered, about
        #: What is to be recorded.
        self.records: list[Record] = []
        self._depth, self._is_new = 0, False
        self._before: Document | None = None
        self._settings: Settings | None = None
        self.state: SessionState | None = None

    def __enter__(self) -> Self:
        if not self._depth:
            self.state = self._read()
            self._settings = self.state.settings if self.state else None
            self._entered[self._name] = self
        self._depth += 1
        return self

    def __exit__(self, *error: object) -> None:
        self._depth -= 1
        if not self._depth:
            del self._entered[self._name]
            # Where a row could not be read, nobody knows what would have become of the session.
            is_gone = any(isinstance(one, StoreGone) for one in error)
            self._database.leave(self._name, None if is_gone else self._changes())

    def begin(self, state: SessionState) -> None:
        """Begin the session, or begin it anew: its journal is empty."""
        self.state, self._is_new = state, True
        self.records.clear()
        for part in _PARTS:
            setattr(part.owner(state), part.name, Rows.of(part.of(state)))
        state.order = IndexedTasks.of(state)
        for owner, name in ((state, "refunds_due"), (state.plan, "with_rules")):
            setattr(owner, name, StoredIndex.of(getattr(owner, name).kept()))

    def end(self) -> None:
        """Forget the session and its journal."""
        self.state, self._is_new = None, True

    def _read(self) -> SessionState | None:
        key, parts = codec.encoded(self._about), _OF_A_TASK if self._about else ()
        self._before, texts = self._database.enter(self._name, [part.kind for part in parts], key)
        state = _state(self._database, self._name, self._before)
        if state:
            for part, text in zip(parts, texts, strict=True):
                part.of(state).offer(key, text)
        return state

    def _changes(self) -> Changes | None:
        if self.state is None:
            return Changes(None, (), is_new=True) if self._is_new else None
        is_same = self._before is not None and self.state.settings is self._settings
        settings = self._before.settings if is_same and self._before else codec.encoded(self.state.settings)
        document = Document(settings, codec.encoded([getattr(self.state, name) for name in _REST]))
        changed = document if self._is_new or document != self._before else None
        places = [Placed(part.kind, *one) for part in _INDEXES for one in part.of(self.state).changes()]
        used = WALL["time"]() if self.state.is_guest else None
        changes = Changes(changed, list(_changed(self.state)), self._is_new, self.records, places, used)
        return changes if any(changes) else None


def _state(database: Database, name: str, document: Document | None) -> SessionState | None:
    """The session that a document says, with rows that are read on demand."""
    if document is None:
        return None
    values = dict(zip(_REST, codec.decoded(document.rest), strict=True))
    state = codec.made(SessionState, values | {"settings": _settings(document.settings)})
    for group in _GROUPS:
        read = partial(_read, database, name, {part.kind: part.of(state) for part in group if part.of(state)})
        for part in group:
            part.of(state).source = Source(
                read, partial(database.rows, name, part.kind), partial(_body, database, name)
            )
    for part in _INDEXES:
        part.of(state).find = partial(_find, database, name, state, part)
    _ENTRIES.of(state).is_sequence = True
    return state


def _find(database: Database, name: str, state: SessionState, part: _Part, *span: Any) -> Iterator[tuple[str, str]]:
    """The first places of an index. The rows of their tasks are read with them, as each way to it takes time."""
    mappings = {one.kind: one.of(state) for one in _INDEXES[part] if one.of(state)}
    for place, key, texts in database.places(name, Wanted(part.kind, *span), list(mappings)):
        for mapping, text in zip(mappings.values(), texts, strict=True):
            mapping.offer(key, text)
        yield place, key


def _read(database: Database, name: str, mappings: Mapping[str, Rows[Any, Any]], key: str) -> None:
    """Read the rows of a key, in those mappings that have any row at all."""
    texts = database.row(name, list(mappings), key)
    for mapping, text in zip(mappings.values(), texts, strict=True):
        mapping.offer(key, text)


def _body(database: Database, name: str, key: str) -> bytes:
    [text] = database.row(name, [_BODY], key)
    return (text or "{}").encode()


def _changed(state: SessionState) -> Iterator[Row]:
    for part in _PARTS:
        for key, text in part.of(state).changes():
            yield Row(part.kind, key, text)
            if part is _TASKS and text is None:
                yield Row(_BODY, key, None)
    yield from (Row(_BODY, key, text) for key, text in _TASKS.of(state).large())


@lru_cache(1_000)
def _settings(text: str) -> Settings:
    settings: Settings = codec.decoded(text)
    return settings


def _text(exchange: Exchange) -> str:
    """An exchange as it is recorded."""
    return json.dumps(exchange_form(exchange), check_circular=False)
