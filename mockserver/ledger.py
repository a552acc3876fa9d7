"""What a session paid and got back."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Entry(NamedTuple):
    """One line of a ledger: credits taken (below 0) or returned (above)."""

    at: float
    credits: int
    task_id: str
    reason: str


class Ledger:
    """Entries in the order they were booked. The total counts them all; the oldest lines are let go."""

    def __init__(self, *, most: int = 10_000) -> None:
        self._entries: deque[Entry] = deque(maxlen=most)
        #: Credits returned less credits taken, over all entries there ever were.
        self.total = 0

    def add(self, entry: Entry) -> None:
        """Book an entry."""
        self._entries.append(entry)
        self.total += entry.credits

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
