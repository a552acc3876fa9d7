"""The search for the smallest request that a server answers wrongly."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis.database import DirectoryBasedExampleDatabase

from checking import checked
from raw_server import answer, envelope, raw_server
from run_bad_server import bad_server
from safelight.conformance.servers.generated import Drawn, breaks_only_its_rule
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.searching import MAX_SMALLER, smallest
from safelight.contracts.rules import rule

MANY = Options(examples=200)
MAXIMUM = "image_generation.width.maximum"


def found(is_wrong: Callable[[Drawn], bool], options: Options = MANY, examples: Path | None = None) -> Drawn | None:
    return smallest("image_generation", rule(MAXIMUM), is_wrong, options, examples=examples, name="a server")


def width(drawn: Drawn) -> int:
    return int(drawn.request.document["width"])


def test_it_finds_the_smallest_request() -> None:
    small = found(lambda drawn: width(drawn) > 2100)
    assert small
    assert width(small) < 2400
    assert set(small.request.document) == {"prompt", "width"}


def test_it_finds_nothing_where_nothing_is_wrong() -> None:
    assert found(lambda _: False) is None


def test_no_request_is_tried_twice_and_few_are_once_one_is_found() -> None:
    tried = list[tuple[bytes, bool]]()

    def is_wrong(drawn: Drawn) -> bool:
        tried.append((drawn.request.body, width(drawn) > 2100))
        return tried[-1][1]

    found(is_wrong)
    first = [wrong for _, wrong in tried].index(True)
    assert len({body for body, _ in tried}) == len(tried)
    assert len(tried) - first - 1 <= MAX_SMALLER


def test_what_is_tried_breaks_its_rule_and_no_other() -> None:
    tried = list[Drawn]()
    found(lambda drawn: bool(tried.append(drawn)))
    assert tried
    assert all(map(breaks_only_its_rule, tried))


def test_the_same_seed_draws_the_same_requests() -> None:
    def drawn(seed: int) -> list[bytes]:
        tried = list[bytes]()
        found(lambda one: bool(tried.append(one.request.body)), Options(examples=30, seed=seed))
        return tried

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_what_was_found_is_tried_first_the_next_time(tmp_path: Path) -> None:
    small = found(lambda drawn: width(drawn) > 2100, examples=tmp_path)
    tried = list[Drawn]()
    found(lambda drawn: bool(tried.append(drawn)), Options(examples=1), tmp_path)
    assert small
    assert width(tried[0]) > 2100


def test_what_was_found_of_another_server_is_not(tmp_path: Path) -> None:
    found(lambda drawn: width(drawn) > 2100, examples=tmp_path)
    database = DirectoryBasedExampleDatabase(tmp_path)
    assert list(database.fetch(f"a server image_generation {MAXIMUM}".encode()))
    assert not list(database.fetch(f"another server image_generation {MAXIMUM}".encode()))


def test_a_server_that_takes_a_request_in_the_middle_of_a_search_costs_no_more_than_is_allowed() -> None:
    """Only a width of exactly 3000 to 4000 is taken: the simplest requests do not show it."""
    taken = list[bytes]()

    def say(connection: object, head: bytes, body: bytes) -> None:
        import json  # noqa: PLC0415

        try:
            value = json.loads(body).get("width")
        except (ValueError, AttributeError, RecursionError):
            value = None
        if type(value) is int and 2050 < value < 100_000:
            taken.append(body)
            said = answer(envelope({"id": str(len(taken)), "status": "queued"}))
        else:
            said = answer(envelope(error="no"), "400 Bad Request")
        connection.sendall(said)  # type: ignore[attr-defined]

    with raw_server(say) as server:
        run = checked(server.url, ["S32", "S33"], max_surprise=1, examples=60, deadline=0.1).run
    assert len(taken) == 1
    assert [one.task_id for one in run.gate.created] == ["1"]


@pytest.mark.parametrize("name", ["malformed-is-422", "accepts-any-workflow"])
def test_what_the_simplest_requests_show_is_not_searched_for(name: str) -> None:
    with bad_server(name) as server:
        simple = checked(server.url, ["S33"])
    with bad_server(name) as server:
        searched = checked(server.url, ["S33"], examples=3)
    assert {one.sentence for one in simple.results[0].findings} <= {
        one.sentence for one in searched.results[0].findings
    }
