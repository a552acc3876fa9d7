"""Fault plans: what can go wrong with any request, and which requests it strikes."""

from __future__ import annotations

from functools import cache
from itertools import product
from math import inf
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from safelight.contracts.wording import not_among
from safelight.mockserver.faults.catalogue import faults
from safelight.mockserver.faults.rules import FaultRule
from safelight.traffic.request_kinds import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

    from safelight.mockserver.faults.catalogue import Fault

#: Rules of one plan.
_MAX_RULES: Final = 4

#: Requests that a rule skips, or strikes in a row: clients send few.
_MAX_REQUESTS: Final = 4

#: Fault -> settings that are drawn for it: statuses that clients tell apart, and what can be handled often.
_SETTINGS: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "http": [{"status": status} for status in (502, 500, 503, 429, 401, 404, 599)],
    "bomb": [{"megabytes": 1}],
    "huge": [{"megabytes": 1}],
}

#: Each n-th request, and percent of these.
_SHARES: Final = st.sampled_from(list(product(range(1, _MAX_REQUESTS + 1), (100, 50, 20))))


def fault_plans(
    *, kinds: Collection[str] = WORDS, without: Collection[str] = (), endless: bool = True
) -> SearchStrategy[list[FaultRule]]:
    """Plans of up to four rules, the plainest first: no rule at all, then one that strikes one request.

    `kinds` are the kinds of requests that may be struck, `without` are names of faults that may not be; with `endless`
    False each rule strikes a few requests only, so that a client that goes on gets through. Raises `ValueError`.
    """
    return st.lists(fault_rules(kinds=kinds, without=without, endless=endless), max_size=_MAX_RULES)


def fault_rules(
    *, kinds: Collection[str] = WORDS, without: Collection[str] = (), endless: bool = True
) -> SearchStrategy[FaultRule]:
    """Rules as `fault_plans` has them, one at a time."""
    for name, known, what in (
        *((kind, WORDS, "request") for kind in kinds),
        *((one, faults(), "fault") for one in without),
    ):
        if name not in known:
            raise ValueError(not_among(what, name, known))
    return _rules(tuple(kinds), frozenset(without), endless=endless)


# Hypothesis takes an element out of a list while it shrinks if it consists of at most five choices: whether there is
# one more, and these four. With more choices, rules that do not matter stay.
@cache
def _rules(kinds: tuple[str, ...], without: frozenset[str], *, endless: bool) -> SearchStrategy[FaultRule]:
    firsts = range(1, _MAX_REQUESTS + 1)
    ranges: list[tuple[int, float]] = [(first, first + more) for more in range(_MAX_REQUESTS) for first in firsts]
    ranges += [(first, inf) for first in firsts] if endless else []
    return st.builds(
        _rule,
        st.sampled_from(list(product(kinds, (False, True)))),
        st.sampled_from([fault for name in _plainest_first() if name not in without for fault in _of(name)]),
        st.sampled_from(ranges),
        _SHARES,
    )


def _rule(struck: tuple[str, bool], fault: Fault, numbers: tuple[int, float], share: tuple[int, float]) -> FaultRule:
    (kind, after), (first, last), (every, percent) = struck, numbers, share
    return FaultRule(kind, fault, after, first, last, every=every if last > first else 1, percent=percent)


def _plainest_first() -> Iterable[str]:
    """The names of faults: `http`, which everyone knows, before the others."""
    return dict.fromkeys(["http", *faults()])


def _of(name: str) -> Iterable[Fault]:
    """The faults of this name that are drawn: with the usual settings where there are no others."""
    return (faults()[name](**settings) for settings in _SETTINGS.get(name, [{}]))
