"""How often: things that happen now and then, and shrink to not happening."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def seldom(one_in: int = 16) -> SearchStrategy[bool]:
    """True in one of so many draws; `False` is the simpler one."""
    return st.integers(0, one_in - 1).map(lambda number: number == one_in - 1)
