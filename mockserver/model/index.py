"""Tasks in an order, of which the first ones are found without the others: by when they end, or by their numbers."""

from __future__ import annotations

from bisect import bisect_left
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class Place(NamedTuple):
    """Where a task stands in an order."""

    #: What it is ordered by, such as seconds of the session's clock; `inf` stands last.
    at: float
    #: A number of its own, which orders those with the same.
    number: int
    task_id: str


class Index:
    """Places in their order. A store that keeps each by itself reads no more of them than are asked for."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._places = sorted(places)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Index) and self._places == other._places

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    def kept(self) -> list[Place]:
        """All there is to it."""
        return self._places

    @classmethod
    def restored(cls, kept: list[Place]) -> Self:
        """The index that this was kept of."""
        return cls(kept)

    def add(self, place: Place) -> None:
        """Put a task at a place. Nothing happens where it has it."""
        at = bisect_left(self._places, place)
        if self._places[at : at + 1] != [place]:
            self._places.insert(at, place)

    def discard(self, place: Place) -> None:
        """Take it away."""
        at = bisect_left(self._places, place)
        if self._places[at : at + 1] == [place]:
            del self._places[at]

    def first(self, most: int, *, after: tuple[float, int] = (-inf, 0), until: float = inf) -> Sequence[Place]:
        """The first places, so many at most, after that of a time and a number, and not later than a time."""
        begin = bisect_left(self._places, (after[0], after[1] + 1))
        end = bisect_left(self._places, (until, inf))
        return self._places[begin : min(end, begin + most)]

    def clear(self) -> None:
        """Take all away."""
        self._places.clear()
