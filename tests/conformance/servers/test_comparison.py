"""The page that compares what was found in the bad servers says what was measured."""

import runpy
from pathlib import Path
from typing import Any, Final

import pytest

from parts import Part, check_fresh

COMPARISON: Final[dict[str, Any]] = runpy.run_path(
    str(Path(__file__).parents[3] / "benchmarks" / "comparison.py"), run_name="comparison"
)


def parts() -> list[Part]:
    written = {"figures": "figures", "commands": "commands", "bad servers": "defects"}
    return [Part("comparison.md", name, COMPARISON[made]) for name, made in written.items()]


@pytest.mark.parametrize("part", parts(), ids=lambda part: part.name)
def test_the_page_says_what_was_measured(part: Part) -> None:
    check_fresh([part])


def test_what_a_tool_says_of_the_good_fake_too_is_no_defect_found() -> None:
    runs = {
        "good": {"failures": ["a"]},
        "accepts-any-key": {"failures": ["a", "b"]},
        "no-key-is-403": {"failures": ["a"]},
    }
    column = COMPARISON["Column"]("a tool", {"runs": runs})
    assert (column.found("accepts-any-key"), column.found("no-key-is-403")) == ({"b"}, frozenset())
    assert (column.found("never-ends"), column.defects, column.good) == (None, 1, {"a"})
