"""The search for the smallest request that a server answers wrongly: Hypothesis draws it, and makes it smaller."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from hypothesis import Phase, find, settings
from hypothesis.database import DirectoryBasedExampleDatabase
from hypothesis.errors import HypothesisException

from safelight.conformance.servers.generated import Drawn, breaks_only_its_rule, requests_that_break
from safelight.conformance.servers.options import Options
from safelight.contracts.rules import Rule

#: Requests that making one smaller may take, for each rule.
MAX_SMALLER: Final = 60


class Stopped(KeyboardInterrupt):
    """The run ends: Hypothesis lets this through at once."""


def smallest(
    operation: str, rule: Rule, is_wrong: Callable[[Drawn], bool], options: Options, *, examples: Path | None, name: str
) -> Drawn | None:
    """The smallest request that breaks a rule of a submit and is answered wrongly; None where none was found.

    `examples` is the folder in which requests are kept that were found earlier: they are tried first. `name` is that of
    the server. No request is tried twice, so that what is said of it stays, and once one is found no more than
    `MAX_SMALLER` others.
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
        database=DirectoryBasedExampleDatabase(examples) if examples else None,
        derandomize=False,
        deadline=None,
        phases=(Phase.reuse, Phase.generate, Phase.shrink),
    )
    strategy, key = requests_that_break(operation, rule, options), f"{name} {operation} {rule.id}".encode()
    try:
        return find(strategy, is_one, settings=how, random=Random(options.seed), database_key=key)
    except (HypothesisException, Stopped):  # there is none, or no time for one
        return None
