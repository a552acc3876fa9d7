"""The search for the smallest request that a server answers wrongly: Hypothesis draws it, and makes it smaller."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from hypothesis import Phase, find, settings
from hypothesis.errors import HypothesisException

from safelight.conformance.servers.generated import Drawn, breaks_only_its_rule, requests_that_break
from safelight.conformance.servers.options import Options
from safelight.contracts.rules import Rule

#: Requests that making one smaller may take, for each rule.
MAX_SMALLER: Final = 60


class Stopped(KeyboardInterrupt):
    """The run ends: Hypothesis lets this through at once."""


def smallest(
    operation: str, rule: Rule, is_wrong: Callable[[Drawn], bool], options: Options, *, first: Iterable[Drawn] = ()
) -> Drawn | None:
    """The smallest request that breaks a rule of a submit and is answered wrongly; None where none was found.

    Those that come `first` are tried before any is drawn. No request is tried twice, so that what is said of it stays,
    and once one is found no more than `MAX_SMALLER` others.
    """
    known: dict[bytes, bool] = {}
    left = [MAX_SMALLER]

    def is_one(drawn: Drawn) -> bool:
        body = drawn.request.body
        if body not in known:
            left[0] -= any(known.values())
            known[body] = left[0] >= 0 and breaks_only_its_rule(drawn) and is_wrong(drawn)
        return known[body]

    how = settings(
        max_examples=options.examples,
        database=None,  # a search that has a seed has none: see `examples`
        derandomize=False,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
    )
    strategy = requests_that_break(operation, rule, options)
    try:
        return next(filter(is_one, first), None) or find(strategy, is_one, settings=how, random=Random(options.seed))
    except (HypothesisException, Stopped):  # there is none, or no time for one
        return None
