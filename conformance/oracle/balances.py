"""What an account can hold, given what was booked: each submit once, and back where its task failed.

What is known of an account is a set: the credits that it may have begun with. Each balance that is read leaves those
that explain it. A submit whose answer was lost may have been booked, at any time since; a task that is not known to be
done may have failed, and be paid back. What overlaps the reading may have come before it or after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final, NamedTuple

from safelight.conformance.oracle.answers import Accepted, Balance, Lost
from safelight.conformance.oracle.tasks import Broken
from safelight.contracts.wording import either

#: Bookings in doubt, and sums of them, beyond which nothing is said of a balance.
_MAX_DOUBTS: Final = 1_000
_MAX_SUMS: Final = 20_000

#: Digits behind the point of a credit.
_DIGITS: Final = 6

#: Sums that a sentence names.
_MAX_SHOWN: Final = 4


class _Booking(NamedTuple):
    credits: float
    start: float
    #: When it was certain.
    end: float


@dataclass(slots=True)
class Account:
    """The credits that a key may have."""

    reads: int = 0
    #: What it may have begun with; None: nobody knows.
    _begun: frozenset[float] | None = None
    _spent: float = 0
    _bookings: list[_Booking] = field(default_factory=list)
    #: Credits -> how many bookings of so many nobody is sure of.
    _doubts: Counter[float] = field(default_factory=Counter)
    #: Bookings that ended before it are in what was spent.
    _settled: float = float("-inf")
    _last: str = ""

    def accepted(self, answer: Accepted) -> None:
        """A submit is paid for; its task may fail."""
        self._book(_Booking(answer.price, answer.start, answer.end))
        self._doubts[-answer.price] += 1

    def lost(self, answer: Lost) -> None:
        """A submit may have been paid for."""
        self._doubts[answer.price] += 1

    def done(self, issued: Accepted) -> None:
        """A task is done, and never paid back."""
        self._doubts[-issued.price] -= 1

    def failed(self, issued: Accepted, at: float) -> None:
        """A task has failed by this time, and is paid back."""
        self._doubts[-issued.price] -= 1
        self._book(_Booking(-issued.price, issued.start, at))

    def stranger(self, prices: Mapping[str, float]) -> None:
        """A task that was submitted before all this may be paid back."""
        self._doubts.update(-price for price in prices.values())

    def read(self, balance: Balance) -> Iterator[Broken]:
        """A balance was told."""
        self.reads += 1
        name = f"balance {self.reads} {balance.at}"
        if balance.start < self._settled:
            return
        self._settle(balance.start)
        sums = self._sums(balance.end)
        if not sums:
            self._begun = None
            return
        begun = frozenset(round(balance.credits + spent, _DIGITS) for spent in sums)
        left = begun & self._begun if self._begun is not None else begun
        if not left:
            yield Broken("S60", self._sentence(name, balance, sums))
        self._begun = left or begun
        self._last = f"{name} had said {balance.credits:g}"

    def _book(self, booking: _Booking) -> None:
        if len(self._bookings) > _MAX_DOUBTS:
            self._settle(booking.start)
        if len(self._bookings) <= _MAX_DOUBTS:
            self._bookings.append(booking)
        else:  # nobody can say any more what is spent
            self._bookings, self._begun = [], None

    def _settle(self, start: float) -> None:
        """Put what is certain by now into what was spent."""
        self._settled = max(start, self._settled)
        self._spent += sum(booking.credits for booking in self._bookings if booking.end <= start)
        self._bookings = [booking for booking in self._bookings if booking.end > start]

    def _sums(self, end: float) -> set[float]:
        """What may be spent when a balance is told, whose answer is there at this time; nothing: too much to say."""
        doubts = Counter({each: count for each, count in self._doubts.items() if count > 0})
        doubts.update(booking.credits for booking in self._bookings if booking.start <= end)
        size = 1
        for count in doubts.values():
            size *= count + 1
        if size > _MAX_SUMS:
            return set()
        ranges = [[each * times for times in range(count + 1)] for each, count in doubts.items()]
        return {round(self._spent + sum(parts), _DIGITS) for parts in product(*ranges)}

    def _sentence(self, name: str, balance: Balance, sums: set[float]) -> str:
        possible = sorted({begun - spent for begun in self._begun or () for spent in sums}, reverse=True)
        shown = either(f"{each:g}" for each in possible[:_MAX_SHOWN])
        more = " or others" if len(possible) > _MAX_SHOWN else ""
        return f"{name} said {balance.credits:g}; {self._last}, and by what was booked since it is {shown}{more}"
