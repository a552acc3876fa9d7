"""Everything seen is kept, within bounds: a journal of decoded exchanges, without keys."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from safelight.traffic.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


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

#: No exchange has a larger number.
MAX_NUMBER: Final = 2**53


class Part(NamedTuple):
    """Some exchanges of a journal, with their numbers: the first one that it ever had is number 1."""

    #: How many exchanges are no longer kept, and the number of the newest one.
    dropped: int
    last: int
    #: In the order of the numbers. Each exchange is decoded on its way out.
    numbered: Iterator[tuple[int, Exchange]]


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

    def part(self, after: int = 0, again: Collection[int] = ()) -> Part:
        """The exchanges after this number; and `again` those of these numbers, as they are by now."""
        before = [number for number in sorted(again) if self.dropped < number <= after]
        kept = [(number, self._exchanges[number - self.dropped - 1][0]) for number in before]
        first = max(after, self.dropped) + 1
        later = islice(self._exchanges, first - self.dropped - 1, None)
        kept.extend(enumerate((exchange for exchange, _ in later), first))
        last = self.dropped + len(self._exchanges)
        return Part(self.dropped, last, ((number, _read(exchange)) for number, exchange in kept))

    def __len__(self) -> int:
        return len(self._exchanges)

    def __getitem__(self, index: int) -> Exchange:
        return _read(self._exchanges[index][0])


def _read(exchange: Exchange | Unread) -> Exchange:
    return exchange if isinstance(exchange, Exchange) else exchange.read()
