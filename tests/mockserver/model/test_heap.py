"""A heap in a mapping gives its entries in their order, and looks at few of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safelight.mockserver.model import heap


@given(st.lists(st.integers() | st.none()))
def test_the_least_entry_comes_first(actions: list[int | None]) -> None:
    """None takes the least entry away."""
    made: dict[int, int] = {}
    expected: list[int] = []
    for action in actions:
        if action is not None:
            heap.push(made, action)
            expected.append(action)
        elif expected:
            assert heap.pop(made) == min(expected)
            expected.remove(min(expected))
        assert sorted(made.values()) == sorted(expected)
        assert made.keys() == set(range(len(expected)))


class Counted(dict[int, int]):
    """It counts how often it is asked for an entry."""

    asked = 0

    def __getitem__(self, place: int) -> int:
        self.asked += 1
        return super().__getitem__(place)


def test_of_many_entries_few_are_looked_at() -> None:
    made = Counted(enumerate(range(100_000)))
    heap.push(made, -1)
    heap.pop(made)
    assert made.asked < 100
