"""Chance from one seed, the same in every version of Python: of all that `random` draws only `random()` promises it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T")


class Dice:
    """What a story is drawn with."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def chance(self, share: float) -> bool:
        """True so often: 0 is never, 1 always."""
        return self._random.random() < share

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, options: Sequence[_T]) -> _T:
        """One of them."""
        return options[self.whole(0, len(options) - 1)]

    def some(self, options: Sequence[_T], share: float) -> list[_T]:
        """Each of them with this chance, in their order."""
        return [option for option in options if self.chance(share)]
