"""The search for the smallest request that a server answers wrongly."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import pytest

from checking import checked, prepared
from raw_server import answer, envelope, raw_server
from run_bad_server import bad_server
from safelight.conformance.results import Result
from safelight.conformance.servers.examples import FILE, keep, kept
from safelight.conformance.servers.generated import Drawn, breaks_only_its_rule
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.searching import MAX_SMALLER, smallest
from safelight.conformance.verdicts import Verdict
from safelight.contracts.rules import rule
from safelight.traffic.exchange import object_of

#: More than any of the simplest requests has.
MANY_PARAMETERS = 3

MANY = Options(examples=200)
MAXIMUM = "image_generation.width.maximum"


def none_is(tried: list[Drawn]) -> Callable[[Drawn], bool]:
    """Keeps what is tried, and calls nothing wrong."""

    def is_wrong(drawn: Drawn) -> bool:
        tried.append(drawn)
        return False

    return is_wrong


def found(is_wrong: Callable[[Drawn], bool], options: Options = MANY, first: Sequence[Drawn] = ()) -> Drawn | None:
    return smallest("image_generation", rule(MAXIMUM), is_wrong, options, first=first)


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
    found(none_is(tried))
    assert tried
    assert all(map(breaks_only_its_rule, tried))


def test_the_same_seed_draws_the_same_requests() -> None:
    def drawn(seed: int) -> list[bytes]:
        tried = list[Drawn]()
        found(none_is(tried), Options(examples=30, seed=seed))
        return [one.request.body for one in tried]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_what_was_found_is_kept_for_its_server_and_tried_first_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = found(lambda drawn: width(drawn) > 2100)
    assert small
    keep("a server", small)
    (known,) = kept("a server", "image_generation", rule(MAXIMUM))
    assert known == small
    assert list(kept("another server", "image_generation", rule(MAXIMUM))) == []
    tried = list[Drawn]()
    found(none_is(tried), first=[known])
    assert tried[0] == small


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, f'{{"a server image_generation {MAXIMUM}": {{"document": 1}}}}']
)
def test_a_file_that_holds_no_requests_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    FILE.parent.mkdir()
    FILE.write_text(text, "utf-8")
    assert list(kept("a server", "image_generation", rule(MAXIMUM))) == []


def test_a_server_that_takes_a_request_in_the_middle_of_a_search_costs_no_more_than_is_allowed() -> None:
    """Only a request of many parameters is taken: the simplest do not show it."""
    taken = list[bytes]()

    def say(connection: socket.socket, _head: bytes, body: bytes) -> None:
        document = object_of(body)
        if len(document) > MANY_PARAMETERS:
            taken.append(body)
            said = answer(envelope({"id": str(len(taken)), "status": "queued"}))
        else:
            said = answer(envelope(error="no"), "400 Bad Request")
        connection.sendall(said)

    with raw_server(say) as server:
        run = checked(server.url, ["S33"], max_surprise=1, examples=20, deadline=0.1).run
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


def test_an_interrupted_search_sends_nothing_any_more() -> None:
    loops, simple = list[asyncio.AbstractEventLoop](), list[int]()

    def say(connection: socket.socket, _head: bytes, _body: bytes) -> None:
        if len(server.requests) == simple[0] + 5:
            loops[0].call_soon_threadsafe(run.interrupt)
            ended.wait(20)
        connection.sendall(answer(envelope(error="no"), "400 Bad Request"))

    async def go() -> Sequence[Result]:
        loops.append(asyncio.get_running_loop())
        async with run.gate:
            return await run.go()

    ended = Event()
    with raw_server(say) as server:
        run = prepared(server.url, ["S33"], examples=20)
        simple.append(run.plan.requests)
        results = asyncio.run(go())
        ended.set()
        assert len(server.requests) == simple[0] + 5
    assert [one.verdict for one in results] == [Verdict.INCOMPLETE]
    assert [one.end for one in run.followed] == ["not followed, as it was interrupted"]
