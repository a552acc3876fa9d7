"""What a session paid and got back."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from safelight.contracts.wording import printable
from safelight.mockserver.model.credits import plus, signed

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from safelight.mockserver.model.credits import Credits

_HEADINGS: Final = ("seconds", "credits", "total", "what", "task")

#: Lines that are printed, the last ones.
_MAX_LINES: Final = 100


class Entry(NamedTuple):
    """One line of a ledger: credits taken (below 0) or returned (above), when, and what for."""

    at: float
    credits: Credits
    #: Empty where there is no task: the engine was down.
    task_id: str
    #: The operation that took the credits, or `refund`.
    reason: str


class Ledger:
    """Entries in the order they were booked. The total counts them all; the oldest lines are let go."""

    def __init__(self, *, max_entries: int = 10_000) -> None:
        #: Number -> entry, in the order of the numbers.
        self.entries: MutableMapping[int, Entry] = {}
        self._max_entries = max_entries
        #: Entries there ever were: the number of the next one.
        self._booked = 0
        #: Credits returned less credits taken, over all entries there ever were.
        self.total: Credits = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ledger) and self.kept() == other.kept()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def kept(self) -> tuple[MutableMapping[int, Entry], Credits, int, int]:
        """All there is to it: the entries, the total, how many there ever were, and how many are kept at most."""
        return self.entries, self.total, self._booked, self._max_entries

    @classmethod
    def restored(cls, kept: tuple[MutableMapping[int, Entry], Credits, int, int]) -> Ledger:
        """The ledger that this was kept of."""
        ledger = cls()
        ledger.entries, ledger.total, ledger._booked, ledger._max_entries = kept
        return ledger

    def add(self, entry: Entry) -> None:
        """Book an entry."""
        self.entries[self._booked] = entry
        self._booked += 1
        if self._booked > self._max_entries:
            del self.entries[self._booked - self._max_entries - 1]
        self.total = plus(self.total, entry.credits)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self.entries.values()))

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        """As a table in the order of time: seconds since the first line, credits, and the total after each line.

        What is returned stands where its task failed, though it was booked when somebody looked.
        """
        lines = list(self._lines())
        left_out = len(lines) - _MAX_LINES
        lines = lines[-_MAX_LINES:]
        cells = [_HEADINGS, *lines]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        table = ["  ".join(_JUSTIFY[i](cell, widths[i]) for i, cell in enumerate(line)).rstrip() for line in cells]
        if left_out > 0:
            table.insert(1, f"  ... and {left_out} lines before ...")
        return "\n".join(table)

    def _lines(self) -> Iterator[tuple[str, ...]]:
        entries = sorted(self, key=attrgetter("at"))
        total = self.total
        for entry in entries:
            total = plus(total, -entry.credits)
        for entry in entries:
            total = plus(total, entry.credits)
            task_id = printable(entry.task_id)
            yield f"{entry.at - entries[0].at:.1f}", signed(entry.credits), signed(total), entry.reason, task_id


#: How the columns are set: numbers to the right.
_JUSTIFY: Final = (str.rjust, str.rjust, str.rjust, str.ljust, str.ljust)
