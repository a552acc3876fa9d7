"""Plans of faults: what can go wrong with any request, and which requests it strikes."""

from __future__ import annotations

from functools import cache
from math import inf
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from safelight.contracts.wording import did_you_mean, listed
from safelight.mockserver.faults.catalogue import faults
from safelight.mockserver.faults.rules import FaultRule
from safelight.traffic.request_kinds import WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hypothesis.strategies import DrawFn, SearchStrategy

#: Rules of one plan, and requests that a rule skips or strikes in a row: clients send few.
_MOST_RULES: Final = 4
_FEW: Final = 4

_NTH: Final = st.integers(1, _FEW)

_SHARES: Final = st.sampled_from([100, 50, 20])

_IS_ENDLESS: Final = st.sampled_from([False, False, False, True])


def fault_plans(
    *, kinds: Collection[str] = WORDS, without: Collection[str] = (), endless: bool = True
) -> SearchStrategy[list[FaultRule]]:
    """Plans of up to four rules, the plainest first: no rule at all, then one that strikes one request.

    `kinds` are the kinds of requests that may be struck, `without` are names of faults that may not be; with `endless`
    False each rule strikes a few requests only, so that a client that goes on gets through. Raises `ValueError`.
    """
    for name, known, what in (
        *((kind, WORDS, "request") for kind in kinds),
        *((one, faults(), "fault") for one in without),
    ):
        if name not in known:
            near = did_you_mean(name, known) or f"; there are {listed(known)}"
            raise ValueError(f"no {what} is called {name!r}{near}")
    names = [name for name in faults() if name not in without]
    return st.lists(_rules(st.sampled_from(list(kinds)), st.sampled_from(names), endless), max_size=_MOST_RULES)


@st.composite
def _rules(draw: DrawFn, kinds: SearchStrategy[str], names: SearchStrategy[str], endless: bool) -> FaultRule:  # noqa: FBT001
    kind, first = draw(kinds), draw(_NTH)
    last = inf if endless and draw(_IS_ENDLESS) else first + draw(st.integers(0, _FEW - 1))
    every = draw(_NTH) if last > first else 1
    return FaultRule(
        kind, draw(_faults(draw(names))), draw(st.booleans()), first, last, every=every, percent=draw(_SHARES)
    )


@cache
def _faults(name: str) -> SearchStrategy[Any]:
    """Faults of this name, with their usual settings unless others are drawn."""
    return st.builds(faults()[name], **_SETTINGS.get(name, {}))


#: Fault -> the settings that are drawn: statuses that clients tell apart, and what is large enough to be handled often.
_SETTINGS: Final[Mapping[str, Mapping[str, SearchStrategy[Any]]]] = {
    "http": {"status": st.sampled_from([502, 500, 503, 429, 401, 404, 599])},
    "bomb": {"megabytes": st.just(1)},
    "huge": {"megabytes": st.just(1)},
}
