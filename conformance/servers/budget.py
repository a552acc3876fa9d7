"""What a run may spend: counted down before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field

from safelight.conformance.servers.probe import Pocket


@dataclass(eq=False)
class NoBudget(Exception):
    """Nothing is left of what a request would be paid from."""

    pocket: Pocket

    def __str__(self) -> str:
        option = {Pocket.SURPRISE: "--max-surprise", Pocket.PAID: "--max-paid"}[self.pocket]
        return f"nothing is left of {option}"


@dataclass(slots=True)
class Budget:
    """Tasks that may still be paid for, by what pays for them."""

    max_paid: int = 0
    max_surprise: int = 1
    _left: dict[Pocket, int] = field(init=False)

    def __post_init__(self) -> None:
        self._left = {Pocket.PAID: self.max_paid, Pocket.SURPRISE: self.max_surprise}

    def left(self, pocket: Pocket) -> int:
        """How many more."""
        return self._left[pocket]

    def take(self, pocket: Pocket) -> None:
        """Count one down, before it is sent. Raises `NoBudget`."""
        if pocket is not Pocket.NONE:
            if self._left[pocket] <= 0:
                raise NoBudget(pocket)
            self._left[pocket] -= 1

    def give_back(self, pocket: Pocket) -> None:
        """It was refused: nothing was spent."""
        if pocket is not Pocket.NONE:
            self._left[pocket] += 1

    def charge(self) -> None:
        """A mere question has made a task: it counts as a surprise, after the fact."""
        self._left[Pocket.SURPRISE] = max(0, self._left[Pocket.SURPRISE] - 1)
