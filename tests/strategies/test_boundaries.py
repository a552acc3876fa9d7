"""Boundaries are where the bugs are: how often they are hit, counted over a fixed number of examples."""

import contextlib
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from safelight.contracts import schema
from safelight.strategies import BrokenRequest, broken_requests, reachable_rules, requests

#: So often at least in 1,000 requests each bound, and in 100 n broken ones each of the n rules.
ENOUGH = 20

PARAMETERS = schema("image_generation.request")["properties"]

BENCHMARK = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "boundaries.py"), run_name="boundaries")

drawn = BENCHMARK["drawn"]

#: Parameter, keyword, limit.
BOUNDS = list(BENCHMARK["limits"]())


@pytest.fixture(scope="module")
def thousand() -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = drawn(requests(), 1_000)
    return documents


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


class AllAreSeen(Exception):
    """Each rule was broken often enough: the examples that are left can change nothing."""


def test_each_of_n_rules_is_broken_often_in_100_n_requests() -> None:
    counted = {rule.id: 0 for rule in reachable_rules()}

    @seed(0)
    @settings(
        max_examples=100 * len(counted),
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(broken_requests())
    def count(broken: BrokenRequest) -> None:
        counted[broken.rule] += 1
        if min(counted.values()) >= ENOUGH:
            raise AllAreSeen

    with contextlib.suppress(AllAreSeen):
        count()
    assert {name: number for name, number in counted.items() if number < ENOUGH} == {}


def test_the_benchmark_compares_each_bound_and_one_beyond_with_a_plain_strategy() -> None:
    rows = BENCHMARK["rows"](200)
    assert [row.bound for row in rows[:2]] == ["width = 1", "width = 2048"]
    assert len(rows) == 2 * len(BOUNDS)
    assert sum(row.ours for row in rows) > 2 * sum(row.plain for row in rows)
    highest = [row for row in rows if row.bound in {"width = 2048", "height = 2048", "steps = 50"}]
    assert sum(row.ours for row in highest) > 4 * sum(row.plain for row in highest)
