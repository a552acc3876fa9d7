"""How each check is asked of a server: registered where it stands, by a decorator that says what it costs.

There are four forms. *Probing* checks yield requests with their right answers. *Asking* ones read finished tasks as
often as they like, which costs nothing. *Harvesting* ones judge what was seen of a paid task, and *watching* ones all
that went over the wire.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from safelight.conformance.checks import CHECKS, Check
from safelight.conformance.servers import checks as found
from safelight.conformance.servers.bank import Banked
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.harvest import Harvest
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.probe import Probe
from safelight.traffic.exchange import Exchange


class Cost(StrEnum):
    """What a check costs."""

    FREE = "F"
    #: Free if the server refuses, as it should.
    AT_RISK = "F!"
    SHARED = "1"
    MORE = "+n"
    BANK = "B"
    ALONG = "rides along"


@dataclass(frozen=True, slots=True)
class Broken:
    """What a check saw that should not be."""

    #: In a sentence without its full stop.
    sentence: str
    expected: str = ""
    got: str = ""
    #: The rule of a schema, and where in the document.
    rule: str = ""
    pointer: str = ""
    #: The request by which it was seen.
    probe: Probe | None = None
    #: Credits that it cost.
    lost: float = 0


Probes = Callable[[Options], Iterable[Probe]]
Ask = Callable[[Gate, Banked, Options], AsyncIterator[Broken]]
Judge = Callable[[Harvest, Options], Iterator[Broken]]
Watch = Callable[[Sequence[tuple[Probe, Exchange]], Options], Iterator[Broken]]


@dataclass(frozen=True, slots=True)
class ServerCheck:
    """How a check is asked of a server: it has one of the four forms."""

    id: str
    cost: Cost
    probes: Probes | None = None
    ask: Ask | None = None
    judge: Judge | None = None
    watch: Watch | None = None
    #: What of a paid task it judges, a field of `Harvest`: where that is missing, nothing can be said.
    of: str = ""
    #: Requests that it sends for each task that it reads.
    requests: int = 0
    needs_other_key: bool = False

    @property
    def about(self) -> Check:
        """What it is about."""
        return CHECKS[self.id]


#: Id -> check, filled by the decorators.
_CHECKS: Final[dict[str, ServerCheck]] = {}


@cache
def checks() -> Mapping[str, ServerCheck]:
    """Id -> check, in the order of the ids."""
    for module in iter_modules(found.__path__):
        import_module(f"{found.__name__}.{module.name}")
    return dict(sorted(_CHECKS.items()))


def probing(check: str, cost: Cost) -> Callable[[Probes], Probes]:
    """Register a check that is a list of requests with their right answers."""

    def register(form: Probes) -> Probes:
        _CHECKS[check] = ServerCheck(check, cost, probes=form)
        return form

    return register


def asking(check: str, *, requests: int, needs_other_key: bool = False) -> Callable[[Ask], Ask]:
    """Register a check that reads a finished task, with so many requests."""

    def register(form: Ask) -> Ask:
        _CHECKS[check] = ServerCheck(check, Cost.BANK, ask=form, requests=requests, needs_other_key=needs_other_key)
        return form

    return register


def harvesting(
    check: str, cost: Cost = Cost.SHARED, *, of: str = "reads", requests: int = 0
) -> Callable[[Judge], Judge]:
    """Register a check of what was seen of a paid task, for which so many further requests were sent."""

    def register(form: Judge) -> Judge:
        _CHECKS[check] = ServerCheck(check, cost, judge=form, of=of, requests=requests)
        return form

    return register


def watching(check: str) -> Callable[[Watch], Watch]:
    """Register a check of all that went over the wire."""

    def register(form: Watch) -> Watch:
        _CHECKS[check] = ServerCheck(check, Cost.ALONG, watch=form)
        return form

    return register
