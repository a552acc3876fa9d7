"""Everything seen is kept, within bounds: a journal of decoded exchanges, without keys."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from safelight.traffic.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator


class Unread(Protocol):
    """An exchange as it came, which is decoded, and freed of keys, when somebody looks at it."""

    @property
    def size(self) -> int:
        """Bytes that keeping it costs, roughly."""
        ...

    def read(self) -> Exchange:
        """The exchange without keys: of those that were known when it was recorded, whatever has become of them."""
        ...


#: Exchanges that a journal keeps, and bytes of them.
MAX_ENTRIES: Final = 1_000
MAX_BYTES: Final = 16_000_000


class Journal:
    """Exchanges in the order of their answers. When it is full, the oldest go first and are counted.

    What was added unread is read on its way out, and there is no other.
    """

    def __init__(self, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._exchanges: deque[tuple[Exchange | Unread, int]] = deque()
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._bytes = 0
        #: How many exchanges are no longer kept.
        self.dropped = 0

    def add(self, exchange: Exchange | Unread, earlier: Exchange | None = None) -> None:
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
        return iter([_read(exchange) for exchange, _ in tuple(self._exchanges)])

    def __len__(self) -> int:
        return len(self._exchanges)

    def __getitem__(self, index: int) -> Exchange:
        return _read(self._exchanges[index][0])


def _read(exchange: Exchange | Unread) -> Exchange:
    return exchange if isinstance(exchange, Exchange) else exchange.read()
