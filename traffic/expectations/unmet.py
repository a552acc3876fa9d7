"""An expectation that does not hold, and which of them hold for every client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from safelight.contracts.secrets import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from safelight.traffic.exchange import Exchange

    Expectation = Callable[[Iterable[Exchange]], "UnmetExpectation | None"]


class Missed(NamedTuple):
    """A fault rule whose fault was never delivered, and why."""

    #: The fault rule, as it reads.
    rule: str
    #: The kind of request that it is about.
    kind: str
    reason: str
    #: A request came that it was to strike, and nothing came of it: the reason says why.
    was_due: bool = False

    def __str__(self) -> str:
        return f"{self.rule} ({self.reason})"


@dataclass(eq=False)
class UnmetExpectation(AssertionError):
    """An expectation about the client does not hold."""

    __module__ = "safelight"  # pytest prints it in front of the name: this is where people import it from

    sentence: str
    #: The exchanges that show it; none: all there are.
    exchanges: Sequence[Exchange] = ()
    #: The same as a table of text.
    transcript: str = ""
    #: The switch of the marker that leaves it out, where it judges every test.
    switch: str = ""

    def __str__(self) -> str:
        hint = f"\n(where that is meant to be: @pytest.mark.safelight({self.switch}=False))" if self.switch else ""
        return redacted(f"{self.sentence}{hint}\n\n{self.transcript}".rstrip())


class Undelivered(UnmetExpectation):
    """A fault that was planned was never delivered."""

    __module__ = "safelight"


class Judged(NamedTuple):
    """An expectation that judges every test, unless its marker says otherwise."""

    holds: Expectation
    #: It is about seconds: nothing can be said where the clock stands still.
    of_time: bool

    @property
    def summary(self) -> str:
        """What holds, in a sentence."""
        return str(self.holds.__doc__).partition("\n")[0]


#: Switch of the marker -> expectation. Each can only be missed by a mistake of the client.
JUDGED: Final[dict[str, Judged]] = {}


def judged(switch: str, *, of_time: bool = False) -> Callable[[Expectation], Expectation]:
    """Judge every test by this expectation, unless the marker says `switch=False`."""

    def register(expectation: Expectation) -> Expectation:
        JUDGED[switch] = Judged(expectation, of_time)
        return expectation

    return register
