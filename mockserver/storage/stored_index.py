"""An index whose places a database keeps: the first ones are read when they are asked for."""

from __future__ import annotations

from math import inf
from struct import Struct
from typing import TYPE_CHECKING, Final, Self

from safelight.mockserver.model.index import Place
from safelight.mockserver.storage import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


@codec.stateful
class StoredIndex:
    """What `Index` does, for whoever puts a task at a place once and takes it from there once: nothing is read then."""

    def __init__(self, size: int = 0) -> None:
        self._size = self._size_before = size
        #: Reads places: those after one and up to another, so many at most, and the keys that stand there.
        self.find: Callable[[str, str, int], Iterable[tuple[str, str]]] = lambda *_: ()
        #: Whether a task is there, where that was changed.
        self._changed: dict[Place, bool] = {}

    def kept(self) -> int:
        """What is kept of it beside its places."""
        return self._size

    @classmethod
    def restored(cls, kept: int) -> Self:
        """An index of which nothing is read yet."""
        return cls(kept)

    @classmethod
    def of(cls, places: Iterable[Place]) -> Self:
        """An index of which no place is written yet."""
        made = cls()
        for place in places:
            made.add(place)
        return made

    def changes(self) -> Iterator[tuple[str, str, bool]]:
        """The places that are to be written, the keys there, and whether they still are."""
        for place, is_there in self._changed.items():
            yield _text(place), codec.encoded(place.task_id), is_there

    def __len__(self) -> int:
        return self._size

    def __contains__(self, place: Place) -> bool:
        return place in self.first(1, after=(place.at, place.number - 1), until=place.at)

    def add(self, place: Place) -> None:
        """Put a task at a place, where it was not so far."""
        if self._changed.get(place) is not True:
            self._changed[place] = True
            self._size += 1

    def discard(self, place: Place) -> None:
        """Take it away from the place that it has."""
        if self._changed.get(place) is not False:
            self._changed[place] = False
            self._size -= 1

    def first(self, most: int, *, after: tuple[float, int] = (-inf, 0), until: float = inf) -> Sequence[Place]:
        """The first places, so many at most, after that of a time and a number, and not later than a time."""
        if not most:
            return ()
        gone = sum(not is_there for is_there in self._changed.values())
        found = self.find(_order(*after), _order(until, _MAX_NUMBER), most + gone) if self._size_before else ()
        places = {place for place in map(_place, found) if self._changed.get(place, True)}
        places |= {place for place, is_there in self._changed.items() if is_there and after < place[:2] <= (until, inf)}
        return sorted(places)[:most]

    def clear(self) -> None:
        """Take all away."""
        for place in self.first(self._size):
            self.discard(place)


_MAX_NUMBER: Final = 2**63

_FLOAT, _BITS = Struct(">d"), Struct(">Q")

_SIGN: Final = 1 << 63
_ALL: Final = (1 << 64) - 1


def _order(at: float, number: int) -> str:
    """A time and a number as a text: sorted as texts they are in their order."""
    [bits] = _BITS.unpack(_FLOAT.pack(at + 0.0))  # there is a zero below zero
    return f"{bits ^ (_ALL if bits & _SIGN else _SIGN):016x}{number:016x}"


def _text(place: Place) -> str:
    return _order(place.at, place.number)


def _place(found: tuple[str, str]) -> Place:
    text, key = found
    bits, number = int(text[:16], 16), int(text[16:], 16)
    [at] = _FLOAT.unpack(_BITS.pack(bits ^ (_SIGN if bits & _SIGN else _ALL)))
    return Place(at, number, codec.decoded(key))
