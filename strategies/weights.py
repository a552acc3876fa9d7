"""How often: things that happen now and then, and choices of unequal weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

T = TypeVar("T")


def seldom(one_in: int = 16) -> SearchStrategy[bool]:
    """True in one of so many draws; `False` is the simpler one."""
    return st.integers(0, one_in - 1).map(lambda number: number == one_in - 1)


def weighted(*choices: tuple[int, SearchStrategy[T]]) -> SearchStrategy[T]:
    """One of the strategies, each as often as its weight says; the first is the simplest."""
    return _weighted([strategy for weight, strategy in choices for _ in range(weight)])


@st.composite
def _weighted(draw: DrawFn, strategies: Sequence[SearchStrategy[T]]) -> T:
    return draw(strategies[draw(st.integers(0, len(strategies) - 1))])
