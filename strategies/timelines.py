"""Timelines of tasks: which phases one goes through, and how long each lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from safelight.contracts import FINAL, MOVES, Phase, Step, Timeline
from safelight.contracts.lifecycle import reach
from safelight.contracts.wording import either
from safelight.strategies.texts import texts
from safelight.strategies.weights import seldom

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

#: Why tasks fail: no reason given, a plain one, one that reads like another error, any text.
_REASONS: Final = st.one_of(st.none(), st.sampled_from(["out of memory", "429 Too Many Requests"]), texts())


def timelines(
    end: Phase | None = None, *, max_dwell: float = 60.0, whole: bool = False, endless: bool = False
) -> SearchStrategy[Timeline]:
    """Legal timelines: they begin queued, and end in the phase `end`, or in any final one.

    Each step but the last lasts 0 to `max_dwell` units, the ends weighted; `whole` asks for whole units, as polls
    and ticks count. Now and then a phase comes in two steps; with `endless`, now and then one never ends.
    """
    if end is not None and end not in FINAL:
        raise ValueError(f"a timeline does not end {end}; it ends {either(sorted(FINAL))}")
    if not 0 <= max_dwell < float("inf"):
        raise ValueError(f"max_dwell is {max_dwell}; it must be 0 or more, and finite")
    ends = FINAL if end is None else frozenset({Phase(end)})
    return _timelines(ends, _dwells(max_dwell, whole=whole), seldom(4) if endless else st.just(value=False))


@st.composite
def _timelines(
    draw: DrawFn, ends: frozenset[Phase], dwells: SearchStrategy[float], endless: SearchStrategy[bool]
) -> Timeline:
    phase, steps = Phase.QUEUED, list[Step]()
    while phase not in FINAL:
        steps += [Step(phase, draw(dwells)) for _ in range(2 if draw(seldom(8)) else 1)]
        if draw(endless):
            return Timeline((*steps[:-1], Step(phase)))
        phase = draw(st.sampled_from(_onwards(phase, ends)))
    return Timeline((*steps, Step(phase, reason=draw(_REASONS) if phase is Phase.FAILED else None)))


def _onwards(phase: Phase, ends: frozenset[Phase]) -> list[Phase]:
    """Legal moves from which one of the ends can be reached, in the order of life."""
    return [after for after in Phase if after in MOVES[phase] and reach(after) & ends]


def _dwells(max_dwell: float, *, whole: bool) -> SearchStrategy[float]:
    """Thousandths of a unit, or whole ones; at either end as often as anywhere between."""
    parts = 1 if whole else _PARTS
    last = int(max_dwell * parts)

    def dwell(number: int) -> float:
        return number if whole else max_dwell if number == last else number / parts

    return st.one_of(st.integers(0, last), st.just(0), st.just(last)).map(dwell)


#: A unit of the axis is divided so, where it is: seconds into milliseconds.
_PARTS: Final = 1_000
