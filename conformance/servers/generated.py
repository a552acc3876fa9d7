"""Requests that break one rule, drawn from the strategies, simplest first, and checked again as bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from safelight.conformance.servers.options import Options
from safelight.conformance.servers.probe import Probe, Risk, Wanted, query, submit
from safelight.contracts import problems
from safelight.contracts.operations import operations
from safelight.contracts.rules import Rule
from safelight.contracts.wording import kind
from safelight.strategies.broken import BrokenRequest, broken_requests, of_each_type, reachable_rules, with_value

#: Keyword -> requests that are drawn to choose from, where not just one is.
_DRAWN: Final = {"minimum": 24, "maximum": 24, "required": 8}

#: Keywords whose breaking means that something is not there.
_MISSING: Final = frozenset({"required", "minLength", "minProperties"})

_BOUNDS: Final = frozenset({"minimum", "maximum"})

#: The right answer to all of them.
REFUSED: Final = Wanted((400,))

#: From here on a number is far from its bound, and from there on it is huge.
_FAR, _HUGE = 100, 2**17


@dataclass(frozen=True, slots=True)
class Drawn:
    """A request that breaks a rule."""

    operation: str
    rule: Rule
    request: BrokenRequest

    @property
    def keyword(self) -> str:
        """That of the rule."""
        return self.rule.keyword

    @property
    def value(self) -> Any:
        """What stands where the rule is broken; None where nothing does."""
        value = self.request.document
        for name in self.request.pointer.split("/")[1:]:
            match value:
                case dict():
                    value = value.get(name.replace("~1", "/").replace("~0", "~"))
                case list() if name.isdigit() and int(name) < len(value):
                    value = value[int(name)]
                case _:
                    return None
        return value

    @property
    def is_missing(self) -> bool:
        """What is required is not there, null or empty."""
        is_null = self.keyword == "type" and self.value is None and self.request.pointer.count("/") == 1
        return self.keyword in _MISSING or (is_null and self.request.pointer[1:] in _required(self.operation))

    @property
    def is_bound(self) -> bool:
        """The rule is one end of a range."""
        return self.keyword in _BOUNDS

    @property
    def is_far(self) -> bool:
        """The number is far from its bound."""
        return self.is_bound and bool(self._distance >= _FAR)

    @property
    def risk(self) -> Risk:
        """How likely a server is to take it, which says too which check it is of."""
        if self.is_missing:
            return Risk.MISSING
        if self.keyword == "type":
            return Risk.WRONG_TYPE
        return Risk.FAR_OUT if self.is_far else Risk.JUST_OUT

    @property
    def _distance(self) -> float:
        return abs(float(self.value) - float(self.rule.limit))

    @property
    def probe(self) -> Probe:
        """Its submit, which a good server refuses."""
        return submit(
            f"{self.operation}: {self.request.kind}",
            *(self.operation, self.request.body),
            wanted=REFUSED,
            risk=self.risk,
            rule=self.request.rule,
            pointer=self.request.pointer,
        )

    @property
    def kind(self) -> object:
        """What tells it apart from others that break the same rule."""
        if self.is_bound:
            return self.is_far, self._distance >= _HUGE
        if self.keyword == "required":
            return bool(self.request.document)
        return kind(self.value) if self.keyword == "type" else ""

    @property
    def size(self) -> tuple[float, int, str]:
        """The simplest has the least. A number that is far beyond a bound is best as far as it can be."""
        text = json.dumps(self.request.document)
        return -self._distance if self.is_far else 0, len(text), text


def _required(operation: str) -> frozenset[str]:
    own = (rule for rule in reachable_rules(operation) if rule.keyword == "required")
    return frozenset(str(rule.limit) for rule in own if rule.id.startswith(f"{operation}."))


@lru_cache(8)
def broken_submits(options: Options) -> Sequence[Drawn]:
    """Of each rule of each submit: the simplest request of each kind."""
    return [drawn for operation, rule in broken_rules(options) for drawn in _of_rule(operation, rule, options)]


def broken_rules(options: Options) -> Iterator[tuple[str, Rule]]:
    """The submits, and of each the rules that its server asks."""
    for operation in operations().values():
        for rule in reachable_rules(operation.name) if operation.is_submit else ():
            if rule.id not in options.spared:
                yield operation.name, rule


def _of_rule(operation: str, rule: Rule, options: Options) -> Iterator[Drawn]:
    found = list(_candidates(operation, rule, options))
    simplest: dict[object, Drawn] = {}
    for one in sorted(found, key=lambda one: one.size):
        if one.kind not in simplest and breaks_only_its_rule(one):
            simplest[one.kind] = one
    yield from simplest.values()


def _candidates(operation: str, rule: Rule, options: Options) -> Iterator[Drawn]:
    """Requests among which are those that are wanted: what is drawn, and the simplest with other values."""
    requests = _drawn(_strategy(operation, rule, options), _DRAWN.get(rule.keyword, 1))
    found = [Drawn(operation, rule, request) for request in requests]
    yield from found
    others = of_each_type(requests[0]) if rule.keyword == "type" else ()
    if rule.keyword in _BOUNDS:
        others = (with_value(requests[0], one.value) for one in found)
    yield from (Drawn(operation, rule, request) for request in others)


def breaks_only_its_rule(drawn: Drawn) -> bool:
    """The bytes break the rule that they are labelled with, and no other."""
    broken = problems(operations()[drawn.operation].request, drawn.request.body)
    return {one.rule for one in broken} == {drawn.request.rule}


def _strategy(operation: str, rule: Rule, options: Options) -> SearchStrategy[BrokenRequest]:
    return broken_requests(rule.id, operation=operation, dialect=options.requests)


def requests_that_break(operation: str, rule: Rule, options: Options) -> SearchStrategy[Drawn]:
    """All of them, to search among."""
    return _strategy(operation, rule, options).map(partial(Drawn, operation, rule))


def _drawn(strategy: SearchStrategy[BrokenRequest], count: int) -> list[BrokenRequest]:
    """The first requests that a strategy draws, the simplest first."""
    found = list[BrokenRequest]()

    @seed(0)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(request: BrokenRequest) -> None:
        found.append(request)

    draw()
    return found


def broken_queries() -> Iterator[tuple[str, str]]:
    """Questions that lack what they need, in words, and their queries."""
    for rule in reachable_rules("task_status"):
        if rule.keyword == "required":
            yield f"task_status without {rule.limit}", query("task_status")
