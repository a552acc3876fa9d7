"""A heap in a mapping from places to entries: a store that keeps each by itself reads and writes the few that move.

`heapq` wants a list, which a store would have to keep whole.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, TypeVar

_Entry = TypeVar("_Entry", bound=Any)


def push(heap: MutableMapping[int, _Entry], entry: _Entry) -> None:
    """Add an entry. The least one is at place 0."""
    place = len(heap)
    while place and entry < (above := heap[(place - 1) // 2]):
        heap[place] = above
        place = (place - 1) // 2
    heap[place] = entry


def pop(heap: MutableMapping[int, _Entry]) -> _Entry:
    """Take the least entry away."""
    last = heap.pop(len(heap) - 1)
    if not heap:
        return last
    least, place, size = heap[0], 0, len(heap)
    while (below := 2 * place + 1) < size:
        if below + 1 < size and heap[below + 1] < heap[below]:
            below += 1
        if last <= heap[below]:
            break
        heap[place] = heap[below]
        place = below
    heap[place] = last
    return least
