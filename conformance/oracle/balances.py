"""What an account can hold, given what was booked: each submit once, and back where its task failed.

What is known of an account is a set: the credits that it may have begun with. Each balance that is read leaves those
that explain it. A submit whose answer was lost may have been booked, at any time since; a task that is not known to be
done may have failed, and been paid back. What overlaps the reading may have come before it or after it, and may be
seen later than the balance: so one is judged when nothing is under way any more that was so then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import product
from math import inf
from typing import Final, NamedTuple

from safelight.conformance.oracle.answers import Accepted, Balance, Lost
from safelight.contracts.wording import either

#: Bookings that are kept one by one, and sums of what is in doubt beyond which nothing is said of a balance.
_MAX_BOOKINGS: Final = 200
_MAX_SUMS: Final = 5_000

#: Seconds after which no request is under way any more.
_MAX_REQUEST_SECONDS: Final = 120.0

#: Digits behind the point of a credit.
_DIGITS: Final = 6

#: Sums that a sentence names.
_MAX_SHOWN: Final = 4


class _Booking(NamedTuple):
    credits: float
    start: float
    #: When it was certain; `inf`: it never was.
    end: float


class Wrong(NamedTuple):
    """A balance that nothing explains."""

    balance: Balance
    sentence: str


@dataclass(slots=True)
class Account:
    """The credits that a key may have."""

    reads: int = 0
    #: What it may have begun with; None: nobody knows.
    _begun: frozenset[float] | None = None
    _spent: float = 0
    _bookings: list[_Booking] = field(default_factory=list)
    #: Credits -> how many bookings of so many nobody is sure of, and nobody knows any more since when.
    _doubts: Counter[float] = field(default_factory=Counter)
    #: Bookings that were certain before it are in what was spent.
    _settled: float = -inf
    #: Balances that are not judged yet, each with its name.
    _waiting: list[tuple[Balance, str]] = field(default_factory=list)
    _last: str = ""

    def accepted(self, answer: Accepted) -> None:
        """A submit is paid for; its task may fail."""
        self._book(_Booking(answer.price, answer.start, answer.end))
        self._book(_Booking(-answer.price, answer.start, inf))

    def lost(self, answer: Lost) -> None:
        """A submit may have been paid for."""
        self._book(_Booking(answer.price, answer.start, inf))

    def done(self, issued: Accepted) -> None:
        """A task is done, and never paid back."""
        booking = _Booking(-issued.price, issued.start, inf)
        if booking in self._bookings:
            self._bookings.remove(booking)
        else:
            self._doubts[-issued.price] -= 1

    def failed(self, issued: Accepted, at: float) -> None:
        """A task has failed by this time, and is paid back."""
        self.done(issued)
        self._book(_Booking(-issued.price, issued.start, at))

    def stranger(self, prices: Collection[float]) -> None:
        """A task that was submitted before all this may be paid back."""
        for price in prices:
            self._book(_Booking(-price, -inf, inf))

    def read(self, balance: Balance) -> None:
        """A balance was told; what it says is judged later."""
        self.reads += 1
        self._waiting.append((balance, f"balance {self.reads} {balance.at}"))

    def judged(self, at: float = inf) -> Iterator[Wrong]:
        """The balances that nothing explains, of those that are old enough at this time."""
        if not self._waiting or self._waiting[0][0].end + _MAX_REQUEST_SECONDS > at:
            return
        waiting, self._waiting = self._waiting, []
        for balance, name in sorted(waiting, key=lambda one: one[0].start):
            if balance.end + _MAX_REQUEST_SECONDS > at:
                self._waiting.append((balance, name))
            elif balance.start >= self._settled:
                yield from self._judge(balance, name)

    def _judge(self, balance: Balance, name: str) -> Iterator[Wrong]:
        self._settle(balance.start)
        sums = self._sums(balance.end)
        begun = frozenset(round(balance.credits + spent, _DIGITS) for spent in sums)
        if self._begun is not None and begun and not begun & self._begun:
            yield Wrong(balance, self._sentence(name, balance, sums))
        self._begun = (begun & (self._begun or begun) or begun) or None
        self._last = f"{name} had said {balance.credits:g}"

    def _book(self, booking: _Booking) -> None:
        if len(self._bookings) >= _MAX_BOOKINGS:
            self._settle(booking.start)
            self._doubts.update(each.credits for each in self._bookings)
            self._bookings = []
        self._bookings.append(booking)

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
