"""A mapping whose values a database keeps, a row for each: read when it is asked for, written when it was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple, Self, TypeVar

from safelight.mockserver.model.kept_bytes import BytesOnDisk
from safelight.mockserver.model.ledger import Entry
from safelight.mockserver.model.task import Task
from safelight.mockserver.storage import codec

_Key = TypeVar("_Key", str, int)
_Value = TypeVar("_Value")

#: Values that nobody changes: one that is still the same was not changed.
_FIXED: Final = (Task, Entry, tuple)


class Source(NamedTuple):
    """Where the rows of a mapping are read. Keys are texts here."""

    #: Hands the text of one row to `offer`, of this mapping and perhaps of others that have a row of this key.
    read: Callable[[str], None]
    #: Key -> text, of all.
    rows: Callable[[], Mapping[str, str]]
    #: The large body of the task with this key.
    body: Callable[[str], bytes]


_NOWHERE: Final = Source(lambda _: None, dict, lambda _: b"")


@codec.stateful
class StoredBytes:
    """The large body of a task, which has a row of its own: a poll does without it."""

    __slots__ = ("digest", "read", "size")

    def __init__(self, digest: bytes, size: int) -> None:
        self.digest, self.size = digest, size
        #: The bytes.
        self.read: Callable[[], bytes] = bytes

    def __eq__(self, other: object) -> bool:
        return getattr(other, "digest", None) == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def kept(self) -> tuple[bytes, int]:
        """What is kept with the task."""
        return self.digest, self.size

    @classmethod
    def restored(cls, kept: tuple[bytes, int]) -> Self:
        """The bytes of this digest."""
        return cls(*kept)


@codec.stateful
class Rows(MutableMapping[_Key, _Value]):
    """Keys in the order in which they came. A row has its place in that order, and its value as JSON."""

    def __init__(self, size: int = 0, places: int = 0, source: Source = _NOWHERE) -> None:
        self._size, self._places, self.source = size, places, source
        #: The values that are known, and their places.
        self._values: dict[_Key, _Value] = {}
        self._order: dict[_Key, int] = {}
        #: What was read, as text and as value; None and None where there is no row.
        self._before: dict[_Key, tuple[str | None, Any]] = {}
        #: Whoever has no row that is known has none.
        self._is_whole = not size
        #: Keys are 0, 1, 2 and so on as they come: of a new one there is no row.
        self.is_sequence = False

    def kept(self) -> list[int]:
        """What is kept of it beside its rows."""
        return [self._size, self._places]

    @classmethod
    def restored(cls, kept: list[int]) -> Self:
        """A mapping that has nothing read yet."""
        size, places = kept
        return cls(size, places)

    def large(self) -> Iterator[tuple[str, str]]:
        """The bodies that are to be written to rows of their own, by the texts of their keys."""
        for key, task in self._values.items():
            if isinstance(task, Task) and isinstance(task.body, BytesOnDisk):
                yield codec.encoded(key), task.body.read().decode()

    @classmethod
    def of(cls, values: Mapping[Any, Any]) -> Self:
        """A mapping of which no row is written yet."""
        made = cls()
        made.update(values)
        return made

    def changes(self) -> Iterator[tuple[str, str | None]]:
        """The rows that are to be written, by the texts of their keys; None: it is to be deleted."""
        for key, (text, value) in self._before.items():
            if key not in self._values:
                if text is not None:
                    yield codec.encoded(key), None
            elif not (self._values[key] is value and isinstance(value, _FIXED)):
                now = f"{self._order[key]} {codec.encoded(_light(self._values[key]))}"
                if now != text:
                    yield codec.encoded(key), now

    def __getitem__(self, key: _Key) -> _Value:
        self._find(key)
        return self._values[key]

    def __setitem__(self, key: _Key, value: _Value) -> None:
        self._find(key)
        if key not in self._values:
            self._size += 1
            self._places += 1
            self._order[key] = self._places
        self._values[key] = value

    def __delitem__(self, key: _Key) -> None:
        self._find(key)
        del self._values[key]
        self._size -= 1

    def __iter__(self) -> Iterator[_Key]:
        self._find_all()
        return iter(sorted(self._values, key=self._order.__getitem__))

    def __len__(self) -> int:
        return self._size

    def clear(self) -> None:
        """Delete all rows."""
        for key in list(self):
            del self[key]

    def offer(self, text_of_key: str, text: str | None) -> None:
        """Take a row that was read, or that there is none; where it was read before, what became of it counts."""
        key: _Key = codec.decoded(text_of_key)
        if key not in self._before:
            self._take(key, text)

    def _find(self, key: _Key) -> None:
        if key in self._before:
            return
        if not (self._is_whole or (self.is_sequence and int(key) >= self._places)):
            self.source.read(codec.encoded(key))
        self._before.setdefault(key, (None, None))

    def _find_all(self) -> None:
        if not self._is_whole:
            for key, text in self.source.rows().items():
                self.offer(key, text)
            self._is_whole = True

    def _take(self, key: _Key, text: str | None) -> None:
        self._before[key] = text, None
        if text is not None:
            place, _, form = text.partition(" ")
            self._order[key], self._values[key] = int(place), codec.decoded(form)
            self._before[key] = text, self._values[key]
            if isinstance(task := self._values[key], Task) and isinstance(task.body, StoredBytes):
                task.body.read = partial(self.source.body, codec.encoded(key))


def _light(value: Any) -> Any:
    """A value without what has a row of its own."""
    if isinstance(value, Task) and isinstance(value.body, BytesOnDisk):
        return replace(value, body=StoredBytes(value.body.digest, value.body.size))
    return value
