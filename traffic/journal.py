"""Everything seen is kept, within bounds: a journal of decoded exchanges, without keys."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.traffic.exchange import Exchange


#: Exchanges that a journal keeps, and bytes of them.
MAX_ENTRIES: Final = 1_000
MAX_BYTES: Final = 16_000_000


class Journal:
    """Exchanges in the order of their answers. When it is full, the oldest go first and are counted."""

    def __init__(self, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._exchanges: deque[tuple[Exchange, int]] = deque()
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        #: How many exchanges are no longer kept.
        self.dropped = 0

    def add(self, exchange: Exchange, earlier: Exchange | None = None) -> None:
        """Keep an exchange, and drop the oldest where there is no room.

        It stands in the place of `earlier`, what was kept of it before its end; if that was dropped, it is not kept.
        """
        size = exchange.size
        if earlier is None:
            self._exchanges.append((exchange, size))
        else:
            kept = range(len(self._exchanges) - 1, -1, -1)
            place = next((place for place in kept if self._exchanges[place][0] == earlier), None)
            if place is None:
                return
            self._bytes -= self._exchanges[place][1]
            self._exchanges[place] = exchange, size
        self._bytes += size
        while len(self._exchanges) > self._max_entries or self._bytes > self._max_bytes:
            self._bytes -= self._exchanges.popleft()[1]
            self.dropped += 1

    def __iter__(self) -> Iterator[Exchange]:
        return iter([exchange for exchange, _ in tuple(self._exchanges)])

    def __len__(self) -> int:
        return len(self._exchanges)

    def __getitem__(self, index: int) -> Exchange:
        return self._exchanges[index][0]
