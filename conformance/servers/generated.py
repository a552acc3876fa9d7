"""Requests that break one rule, drawn from the strategies, simplest first, and checked again as bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from safelight.conformance.servers.options import Options
from safelight.conformance.servers.probe import query
from safelight.contracts import problems
from safelight.contracts.operations import operations
from safelight.contracts.rules import Rule
from safelight.contracts.wording import kind
from safelight.strategies.broken import BrokenRequest, broken_requests, reachable_rules

#: Keyword -> requests that are drawn to choose the simplest of each kind from; of the others the first one is.
_DRAWN: Final = {"type": 30, "minimum": 16, "maximum": 16}

#: Keywords whose breaking means that something is not there.
_MISSING: Final = frozenset({"required", "minLength", "minProperties"})

_BOUNDS: Final = frozenset({"minimum", "maximum"})

#: From here on a number is far from its bound.
_FAR: Final = 100


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
        return bool(abs(self.value - self.rule.limit) >= _FAR)


def _required(operation: str) -> frozenset[str]:
    own = (rule for rule in reachable_rules(operation) if rule.keyword == "required")
    return frozenset(str(rule.limit) for rule in own if rule.id.startswith(f"{operation}."))


@lru_cache(8)
def broken_submits(options: Options) -> Sequence[Drawn]:
    """Of each rule of each submit: the simplest request of each kind, then as many others as are wanted."""
    return [
        drawn
        for operation in operations().values()
        if operation.is_submit
        for rule in reachable_rules(operation.name)
        if rule.id not in options.spared
        for drawn in _of_rule(operation.name, rule, options)
    ]


def _of_rule(operation: str, rule: Rule, options: Options) -> Iterator[Drawn]:
    strategy = broken_requests(rule.id, operation=operation, dialect=options.requests)
    simplest: dict[object, Drawn] = {}
    for one in sorted(
        (Drawn(operation, rule, one) for one in drawn(strategy, _DRAWN.get(rule.keyword, 1), 0)), key=_size
    ):
        if _kind(one) not in simplest and _breaks_only(operation, one.request):
            simplest[_kind(one)] = one
    yield from simplest.values()
    if options.examples > 1:
        more = [Drawn(operation, rule, one) for one in drawn(strategy, options.examples, options.seed)]
        yield from (one for one in more[1:] if _breaks_only(operation, one.request))


def _kind(drawn: Drawn) -> object:
    """What tells two requests that break the same rule apart: where, the type of the value, whether it is far out."""
    where = drawn.request.pointer
    if drawn.is_bound:
        return where.count("/"), drawn.is_far
    return where.count("/"), kind(drawn.value) if drawn.keyword == "type" else ""


def _size(drawn: Drawn) -> tuple[int, str]:
    text = json.dumps(drawn.request.document)
    return len(text), text


def _breaks_only(operation: str, request: BrokenRequest) -> bool:
    """The bytes break the rule that they are labelled with, and no other."""
    return {one.rule for one in problems(operations()[operation].request, request.body)} == {request.rule}


def drawn(strategy: SearchStrategy[BrokenRequest], count: int, number: int) -> list[BrokenRequest]:
    """The first requests that a strategy draws, the simplest first; `number` is the seed."""
    found = list[BrokenRequest]()

    @seed(number)
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
