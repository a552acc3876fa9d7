"""Tasks in an order, of which the first ones are found without the others."""

from __future__ import annotations

from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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
        self._places = set(places)
        #: A heap of these, and of others that were taken away.
        self._heap = sorted(self._places)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Index) and self._places == other._places

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __len__(self) -> int:
        return len(self._places)

    def kept(self) -> list[Place]:
        """All there is to it."""
        return sorted(self._places)

    @classmethod
    def restored(cls, kept: list[Place]) -> Self:
        """The index that this was kept of."""
        return cls(kept)

    def add(self, place: Place) -> None:
        """Put a task at a place. Nothing happens where it has it."""
        if place not in self._places:
            self._places.add(place)
            heappush(self._heap, place)

    def discard(self, place: Place) -> None:
        """Take it away."""
        self._places.discard(place)

    def first(self, most: int, *, until: float = inf) -> Sequence[Place]:
        """The first places, so many at most, and not later than a time."""
        found: list[Place] = []
        while self._heap and len(found) < most and self._heap[0].at <= until:
            place = heappop(self._heap)
            if place in self._places and place not in found[-1:]:
                found.append(place)
        for place in found:
            heappush(self._heap, place)
        return found

    def clear(self) -> None:
        """Take all away."""
        self._places.clear()
        self._heap.clear()
