"""What a run is going to ask, and the most that it can cost: known before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import combinations, product
from typing import Any, Final

from safelight.conformance.checks import CHECKS
from safelight.conformance.servers.check import Cost, ServerCheck, checks
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.preflight import QUESTIONS
from safelight.conformance.servers.probe import Pocket, Probe, submit
from safelight.conformance.servers.samples import PROMPT, minimal
from safelight.contracts.operations import operations
from safelight.contracts.rules import Provenance
from safelight.contracts.rules import rule as rule_of
from safelight.contracts.schemas import known
from safelight.contracts.wording import did_you_mean, echoed


@dataclass(frozen=True, slots=True)
class Order:
    """A paid task: what for, and what is sent."""

    check: str
    operation: str
    document: Mapping[str, Any]

    @property
    def probe(self) -> Probe:
        """Its submit."""
        return submit(f"{self.operation} for {self.check}", self.operation, self.document, is_meant=True)

    @property
    def price(self) -> float:
        """Its credits."""
        return operations()[self.operation].price


@dataclass(frozen=True, slots=True)
class ServerPlan:
    """The checks of a run, in order, and why those are not asked that are not."""

    checks: Sequence[ServerCheck]
    options: Options
    orders: Sequence[Order]
    #: Id of a check -> why it is not asked.
    not_asked: Mapping[str, str]
    max_surprise: int
    has_other_key: bool
    #: What a search has found is tried first the next time.
    keeps_examples: bool = False
    #: The ids of rules that are known to be broken: they are asked last, as the first that is taken ends its family.
    known: frozenset[str] = frozenset()

    @property
    def asked(self) -> list[ServerCheck]:
        """The checks that are."""
        return [check for check in self.checks if check.id not in self.not_asked]

    def probes(self) -> list[tuple[ServerCheck, Probe]]:
        """What the probing checks send, in order of risk; what is only assumed goes last."""
        asking = [check for check in self.asked if check.probes] or _riders(self.asked)
        found = [(check, probe) for check in asking for probe in self._sent(check)]
        return sorted(found, key=lambda one: self._place(one[1]))

    def _sent(self, check: ServerCheck) -> list[Probe]:
        """What a probing check sends."""
        worth = filter(self._is_worth, check.probes(self.options) if check.probes else ())
        return [probe for probe in worth if self.max_surprise or probe.pocket is Pocket.NONE]

    def is_held_back(self, check: ServerCheck) -> bool:
        """A part of what it sends could be billed, and no surprise is allowed."""
        own = check.probes(self.options) if check.probes and not self.max_surprise else ()
        return any(probe.pocket is not Pocket.NONE for probe in own)

    def _is_worth(self, probe: Probe) -> bool:
        """What is only assumed of an operation that nobody pays for is no reason to risk its price."""
        operation = probe.rule.partition(".")[0]
        is_asked = operation not in operations() or operation in self.options.operations
        return self.options.is_strict or is_asked or not is_assumed(probe)

    def _place(self, probe: Probe) -> tuple[object, ...]:
        return probe.rule in self.known, is_assumed(probe), probe.risk, probe.price

    @property
    def requests(self) -> int:
        """How many are sent, but for those about paid tasks, and those that a search draws."""
        return QUESTIONS + len(self.probes()) + sum(check.requests for check in self.asked if check.ask)

    @property
    def extent(self) -> str:
        """How far it goes: free, paid or full."""
        if not self.orders:
            return "free"
        paid = {check.id for check in checks().values() if check.judge}
        return "full" if paid <= {check.id for check in self.asked} else "paid"

    @property
    def max_surprising_credits(self) -> float:
        """The most that wrongly taken requests can cost."""
        prices = sorted((probe.price for _, probe in self.probes() if probe.pocket is Pocket.SURPRISE), reverse=True)
        return sum(prices[: self.max_surprise])


def _riders(asked: Sequence[ServerCheck]) -> list[ServerCheck]:
    """What is sent where all that is asked rides along with something."""
    if not any(check.watch for check in asked):
        return []
    return [check for check in checks().values() if check.probes and check.cost is Cost.FREE]


def is_assumed(probe: Probe) -> bool:
    """The rule that it breaks is one that nobody published."""
    return bool(probe.rule) and rule_of(probe.rule).provenance is Provenance.ASSUMED


#: The one check that no request is for.
_TRACE: Final = CHECKS["S70"]


def selected(only: Sequence[str] = (), skip: Sequence[str] = ()) -> list[ServerCheck]:
    """The checks whose id or name fits one of these globs. Raises `ValueError` with a sentence."""
    for glob in (*only, *skip):
        if glob in (_TRACE.id, _TRACE.name):
            raise ValueError(f"{glob} is asked of recorded traffic: safelight check recording FILE")
        if not any(_fits(check, glob) for check in checks().values()):
            names = [*checks(), *(check.about.name for check in checks().values())]
            raise ValueError(f"{echoed(glob)} is no check{did_you_mean(glob, names) or '; see --list'}")
    return [
        check
        for check in checks().values()
        if (not only or any(_fits(check, glob) for glob in only)) and not any(_fits(check, glob) for glob in skip)
    ]


def _fits(check: ServerCheck, glob: str) -> bool:
    return fnmatchcase(check.id, glob) or fnmatchcase(check.about.name, glob)


def plan(
    chosen: Sequence[ServerCheck],
    options: Options,
    *,
    max_paid: int,
    max_surprise: int,
    has_bank: bool,
    has_other_key: bool,
    keeps_examples: bool = False,
) -> ServerPlan:
    """What these checks come to with so much to spend."""
    wanted = {check.id for check in chosen if check.judge}
    needs_task = bool(wanted) or (any(check.ask for check in chosen) and not has_bank)
    orders = [order for order in _orders(options) if order.check in wanted or (order.check == "S50" and needs_task)]
    orders = orders[:max_paid]
    paid_for = {order.check for order in orders}
    not_asked = {}
    for check in chosen:
        if check.judge and check.cost is Cost.SHARED and not orders:
            not_asked[check.id] = "they are paid, and --max-paid is 0"
        elif check.cost is Cost.MORE and check.id not in paid_for:
            not_asked[check.id] = f"they take more paid tasks than --max-paid {max_paid}"
        elif check.cost is Cost.AT_RISK and not max_surprise:
            not_asked[check.id] = "what they send is billed if it is taken, and --max-surprise is 0"
        elif check.id in _QUICK and options.burst is None:
            not_asked[check.id] = "they send ten polls in a second, which --rate forbids"
        elif check.cost is Cost.BANK and not (has_bank or orders):
            not_asked[check.id] = "they read finished tasks: give a --bank, or --max-paid 1"
        elif check.needs_other_key and not has_other_key:
            not_asked[check.id] = "it needs a second key: --other-key-file FILE"
    return ServerPlan(chosen, options, orders, not_asked, max_surprise, has_other_key, keeps_examples)


#: Checks whose polls keep no rate.
_QUICK: Final = frozenset({"S58", "S59"})


def _orders(options: Options) -> Iterator[Order]:
    """The paid tasks, in the order in which they are spent."""
    for operation in options.operations:
        yield Order("S50", operation, minimal(operation))
    if "image_generation" not in options.operations:
        return
    smallest = minimal("image_generation")
    yield Order("S61", "image_generation", {**smallest, "workflow": "rr3"})
    yield Order("S63", "image_generation", smallest)
    yield Order("S56", "image_generation", {**smallest, "workflow": "anime"})
    for values in pairwise_rows(_levels("image_generation")):
        yield Order("S62", "image_generation", {"prompt": PROMPT, **values})


def _levels(operation: str) -> dict[str, list[float]]:
    """Parameter -> its lowest and its highest value, as far as it has them."""
    stated = known(operations()[operation].request)["properties"]
    return {
        name: [one[end] for end in ("minimum", "maximum") if end in one]
        for name, one in stated.items()
        if "minimum" in one or "maximum" in one
    }


def pairwise_rows(levels: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Few rows in which each two values of different parameters stand together once, or more often."""
    rows = [dict(zip(levels, values, strict=True)) for values in product(*levels.values())]
    left = {pair for row in rows for pair in _pairs(row)}
    chosen = []
    while left:
        best = max(rows, key=lambda row: len(left & _pairs(row)))
        chosen.append(best)
        left -= _pairs(best)
    return chosen


def _pairs(row: Mapping[str, Any]) -> set[Any]:
    return set(combinations(row.items(), 2))


#: Words of costs, for the plan in the terminal.
COSTS: Final[Mapping[Cost, str]] = {
    Cost.FREE: "free",
    Cost.AT_RISK: "free if the server refuses",
    Cost.SHARED: "shares one paid task",
    Cost.MORE: "takes more paid tasks",
    Cost.BANK: "reads a finished task",
    Cost.ALONG: "rides along",
}
