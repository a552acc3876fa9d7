"""Boundaries are where the bugs are: how often they are hit, counted over a fixed number of examples."""

import runpy
from collections import Counter
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from safelight.contracts import schema
from safelight.strategies import broken_requests, reachable_rules, requests

T = TypeVar("T")

#: So often at least in 1,000 requests each bound, and in 100 n broken ones each of the n rules.
ENOUGH = 20

PARAMETERS = schema("image_generation.request")["properties"]

#: Parameter, keyword, limit.
BOUNDS = [
    (name, keyword, stated[keyword])
    for name, stated in PARAMETERS.items()
    for keyword in ("minimum", "maximum")
    if keyword in stated
]


def drawn(strategy: st.SearchStrategy[T], examples: int) -> list[T]:
    found: list[T] = []

    @seed(0)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: T) -> None:
        found.append(example)

    collect()
    return found


@pytest.fixture(scope="module")
def thousand() -> list[dict[str, Any]]:
    return drawn(requests(), 1_000)


def hits(documents: list[Any], name: str, value: float) -> int:
    return sum(name in document and document[name] == value for document in documents)


def test_the_bounds_are_those_that_the_issue_names() -> None:
    named = {(name, keyword) for name in ("width", "height", "steps") for keyword in ("minimum", "maximum")}
    assert {(name, keyword) for name, keyword, _ in BOUNDS} == named | {("seed", "minimum"), ("cfg", "minimum")}


@pytest.mark.parametrize(("name", "keyword", "limit"), BOUNDS)
def test_each_bound_is_hit_often_in_a_thousand_requests(
    thousand: list[dict[str, Any]], name: str, keyword: str, limit: int
) -> None:
    assert hits(thousand, name, limit) >= ENOUGH, keyword


@pytest.mark.parametrize(("name", "keyword", "limit"), BOUNDS)
def test_the_values_between_the_bounds_are_many(
    thousand: list[dict[str, Any]], name: str, keyword: str, limit: int
) -> None:
    between = {document[name] for document in thousand if document.get(name, limit) != limit}
    assert len(between) >= ENOUGH / 2, keyword


def test_each_word_of_an_enum_and_each_absence_is_frequent(thousand: list[dict[str, Any]]) -> None:
    for word in PARAMETERS["workflow"]["enum"]:
        assert hits(thousand, "workflow", word) >= ENOUGH
    for name in PARAMETERS.keys() - {"prompt"}:
        assert sum(name not in document for document in thousand) >= ENOUGH
    assert hits(thousand, "negative_prompt", "") >= ENOUGH  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "keyword", "limit"), BOUNDS)
def test_one_beyond_each_bound_is_hit_often_in_a_hundred_requests_that_break_it(
    name: str, keyword: str, limit: int
) -> None:
    beyond = limit + (1 if keyword == "maximum" else -1)
    broken = drawn(broken_requests(f"image_generation.{name}.{keyword}"), 100)
    assert hits([request.document for request in broken], name, beyond) >= ENOUGH


def test_each_of_n_rules_is_broken_often_in_100_n_requests() -> None:
    names = [rule.id for rule in reachable_rules()]
    counted = Counter(request.rule for request in drawn(broken_requests(), 100 * len(names)))
    assert {name: counted[name] for name in names if counted[name] < ENOUGH} == {}


def test_the_benchmark_compares_each_bound_and_one_beyond_with_a_plain_strategy() -> None:
    path = Path(__file__).parents[1] / "benchmarks" / "boundaries.py"
    rows = runpy.run_path(str(path), run_name="boundaries")["rows"](200)
    assert [row.bound for row in rows[:2]] == ["width = 1", "width = 2048"]
    assert len(rows) == 2 * len(BOUNDS)
    assert sum(row.ours for row in rows) > 2 * sum(row.plain for row in rows)
    (highest,) = [row for row in rows if row.bound == "width = 2048"]
    assert highest.plain < ENOUGH * 200 / 1_000 <= highest.ours
