"""Delays as people write them, and what is drawn from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final, Protocol

from safelight.contracts.wording import echoed, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.mockserver.model.chance import Chance


class Delay(Protocol):
    """How long something takes, in units of the axis."""

    def draw(self, chance: Chance) -> float:
        """One duration, 0 or more."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    units: float

    def draw(self, chance: Chance) -> float:  # noqa: ARG002 - the protocol's signature
        """The units."""
        return self.units


#: Nothing is waited for.
NO_DELAY: Final = Fixed(0)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything from `low` to `high`, equally likely."""

    low: float
    high: float

    def draw(self, chance: Chance) -> float:
        """One duration between the bounds."""
        return chance.uniform(self.low, self.high)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Around `median`, now and then much longer: how real queues behave. `sigma` is that of the logarithm."""

    median: float
    sigma: float = 0.5

    def draw(self, chance: Chance) -> float:
        """One duration above 0."""
        return chance.lognormal(self.median, self.sigma)


#: Finite whatever its digits; the exponent is what Python writes small numbers with.
_NUMBER: Final = r"([0-9]{1,15}(?:\.[0-9]+)?(?:e-[0-9]{2,3})?)"


#: With more, a draw is a number too large to be one.
_MAX_SIGMA: Final = 10


#: How delays are written, and what that makes. The first group that matches wins.
_FORMS: Final[Mapping[str, Callable[..., Delay]]] = {
    _NUMBER: lambda units: Fixed(float(units)),
    "never|inf": lambda: Fixed(inf),
    rf"{_NUMBER}\.\.{_NUMBER}": lambda low, high: Uniform(float(low), float(high)),
    rf"~{_NUMBER}": lambda median: LogNormal(float(median)),
    rf"~{_NUMBER}/{_NUMBER}": lambda median, sigma: LogNormal(float(median), float(sigma)),
}


#: What may stand around a delay. `\s` is something else in each language.
_SPACE: Final = " \t\r\n"

#: How delays are written, for JSON Schema.
PATTERN: Final = rf"^[ \t\r\n]*({'|'.join(_FORMS)})[ \t\r\n]*$"


def delay(text: str | float) -> Delay:
    """A delay from its text: `2`, `1..3`, `~5` (log-normal around 5), `~5/0.8` (with its sigma), `never`."""
    written = text if isinstance(text, str) else shown(text)
    for form, make in _FORMS.items() if text != inf else ():  # the number: too large a one becomes that
        found = re.fullmatch(form, written.strip(_SPACE))
        if found:
            return _possible(make(*found.groups()), text)
    raise ValueError(f"{echoed(text)} is no delay: write 2, 1..3, ~5, ~5/0.8 or never")


def _possible(made: Delay, text: object) -> Delay:
    match made:
        case Uniform(low, high) if low > high:
            raise ValueError(f"{echoed(text)} is no delay: {low:g} is more than {high:g}")
        case LogNormal(median) if not median:
            raise ValueError(f"{echoed(text)} is no delay: a median is above 0")
        case LogNormal(sigma=sigma) if sigma > _MAX_SIGMA:
            raise ValueError(f"{echoed(text)} is no delay: a sigma is at most {_MAX_SIGMA}")
    return made
