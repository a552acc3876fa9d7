"""Tasks in an order, of which the first ones are found without the others: by when they end, for example."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Place(NamedTuple):
    """Where a task stands in an order."""

    #: What it is ordered by, such as seconds of the session's clock.
    at: float
    #: A number that no other has: it orders those with the same.
    number: int
    task_id: str


class Index:
    """Places in their order, in arrays: a place takes 20 bytes. A store may keep each by itself instead."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._times, self._numbers = array("d"), array("I")
        self._ids: list[str] = []
        for place in places:
            self.add(place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Index) and self.kept() == other.kept()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[Place]:
        return map(Place, self._times, self._numbers, self._ids)

    def kept(self) -> list[Place]:
        """All there is to it."""
        return list(self)

    @classmethod
    def restored(cls, kept: list[Place]) -> Self:
        """The index that this was kept of."""
        return cls(kept)

    def add(self, place: Place) -> None:
        """Put a task at a place. Nothing happens where it has it."""
        at = self._where(place.at, place.number)
        if not self._is_at(at, place):
            self._times.insert(at, place.at)
            self._numbers.insert(at, place.number)
            self._ids.insert(at, place.task_id)

    def discard(self, place: Place) -> None:
        """Take it away, if it is there."""
        at = self._where(place.at, place.number)
        if self._is_at(at, place):
            for values in self._columns():
                del values[at]

    def first(self, most: int, *, after: tuple[float, int] = (-inf, 0), until: float = inf) -> Sequence[Place]:
        """The first places, so many at most, after that of a time and a number, and not later than a time."""
        begin = self._where(after[0], after[1] + 1)
        end = min(bisect_right(self._times, until), begin + most)
        return [Place(*values) for values in zip(*(column[begin:end] for column in self._columns()), strict=True)]

    def take(self, most: int, *, until: float) -> Sequence[Place]:
        """Take the first places away that are not later than a time, so many at most, and give them."""
        found = self.first(most, until=until)
        for values in self._columns():
            del values[: len(found)]
        return found

    def clear(self) -> None:
        """Take all away."""
        for values in self._columns():
            del values[:]

    def _columns(self) -> tuple[array[float], array[int], list[str]]:
        return self._times, self._numbers, self._ids

    def _where(self, at: float, number: int) -> int:
        """How many places are before that of a time and a number."""
        begin = bisect_left(self._times, at)
        return bisect_left(self._numbers, number, begin, bisect_right(self._times, at, begin))

    def _is_at(self, at: int, place: Place) -> bool:
        return at < len(self._ids) and (self._times[at], self._numbers[at], self._ids[at]) == place
