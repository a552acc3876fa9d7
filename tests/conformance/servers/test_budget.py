"""No run costs more than it may, whatever the server does."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checking import checked, prepared
from raw_server import Saying, answer, envelope, raw_server
from run_bad_server import DEFECTS, bad_server
from safelight.conformance.results import Result
from safelight.conformance.servers.budget import Budget, NoBudget
from safelight.conformance.servers.harvest import Harvest
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.plan import plan, selected
from safelight.conformance.servers.preflight import NotThisApi
from safelight.conformance.servers.probe import Pocket
from safelight.conformance.servers.running import ServerRun
from safelight.conformance.servers.sending import ServerGone
from safelight.conformance.verdicts import Verdict
from safelight.traffic.exchange import Exchange

#: Checks that could cost something, and no more of them than a test has time for.
COSTLY = ("S10", "S11", "S20", "S22", "S23", "S31", "S33", "S34", "S50", "S63")

COUNTS = st.integers(0, 3)


@given(COUNTS, COUNTS, st.lists(st.tuples(st.sampled_from(Pocket), st.booleans())))
def test_a_budget_never_pays_for_more_than_it_has(
    max_paid: int, max_surprise: int, steps: list[tuple[Pocket, bool]]
) -> None:
    budget, spent = Budget(max_paid, max_surprise), dict.fromkeys(Pocket, 0)
    for pocket, is_refused in steps:
        try:
            budget.take(pocket)
        except NoBudget:
            continue
        if is_refused:
            budget.give_back(pocket)
        else:
            spent[pocket] += 1
    assert spent[Pocket.PAID] <= max_paid
    assert spent[Pocket.SURPRISE] <= max_surprise


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(DEFECTS)), COUNTS, COUNTS)
def test_no_bad_server_makes_more_tasks_than_are_allowed(name: str, max_paid: int, max_surprise: int) -> None:
    with bad_server(name) as server:
        _quietly(server.url, max_paid, max_surprise)
    assert server.tasks <= max_paid + max_surprise


def _quietly(url: str, max_paid: int, max_surprise: int) -> ServerRun | None:
    """A run; None where it could not begin."""
    try:
        return checked(
            url, COSTLY, max_paid=max_paid, max_surprise=max_surprise, examples=2, timeout=0.5, deadline=0.3
        ).run
    except (ServerGone, NotThisApi):
        return None


def _takes_everything(connection: socket.socket, head: bytes, _: bytes) -> None:
    is_question = head.startswith(b"GET") and b"image_" not in head and b"video_" not in head
    data = {"balance": 1} if is_question else {"id": "7", "status": "queued"}
    connection.sendall(answer(envelope(data)))


def _loses_what_it_takes(connection: socket.socket, head: bytes, body: bytes) -> None:
    if b"image_" not in head and b"video_" not in head:
        _takes_everything(connection, head, body)


def _fails_after_it_took(connection: socket.socket, head: bytes, body: bytes) -> None:
    if b"image_" in head or b"video_" in head:
        connection.sendall(answer(b"<html>oops</html>", "500 Internal Server Error"))
    else:
        _takes_everything(connection, head, body)


@pytest.mark.parametrize("say", [_takes_everything, _loses_what_it_takes, _fails_after_it_took])
@pytest.mark.parametrize(("max_paid", "max_surprise"), [(0, 0), (0, 1), (2, 0), (2, 2)])
def test_a_server_that_takes_everything_is_asked_no_more_than_is_allowed(
    say: Saying, max_paid: int, max_surprise: int
) -> None:
    with raw_server(say) as server:
        run = _quietly(server.url, max_paid, max_surprise)
    risky = [head for head, _ in server.requests if head.startswith(b"POST") or b"image_" in head or b"video_" in head]
    unnamed = [head for head in risky if b"image_" not in head and b"video_" not in head]
    assert len(risky) - (len(unnamed) if say is not _takes_everything else 0) <= max_paid + max_surprise
    assert run
    assert len(run.followed) == min(len(risky), max_paid + max_surprise)


def test_an_answer_that_is_lost_counts_as_paid_and_the_report_says_so() -> None:
    with raw_server(_loses_what_it_takes) as server:
        found = checked(server.url, ["S50", "S33"], max_paid=1, max_surprise=1)
    paid, surprise = map(str, found.run.followed)
    assert paid == "perhaps one more, by image_generation for S50: its answer was lost; 10 credits"
    assert surprise.startswith("perhaps one more, by ")
    assert found.verdicts() == {"S33": Verdict.INCOMPLETE, "S50": Verdict.INCOMPLETE}
    remarks = {one.id: one.trials[0].remark for one in found.results}
    assert "so that it counts as paid" in remarks["S50"]
    assert "may have been taken" in remarks["S33"]


def test_without_surprises_nothing_is_sent_that_could_be_one() -> None:
    with bad_server("good") as server:
        found = checked(server.url, max_paid=0, max_surprise=0)
    assert {exchange.method for exchange in found.run.gate.exchanges} == {"GET"}
    assert set(found.verdicts().values()) == {Verdict.PASS, Verdict.NOT_ASKED}
    remarks = {one.id: one.trials[0].remark for one in found.results if one.verdict is Verdict.PASS}
    assert {name for name, remark in remarks.items() if "--max-surprise is 0" in remark} == {"S10", "S11", "S20"}


@pytest.mark.parametrize(
    ("max_paid", "options"),
    [(0, {}), (1, {}), (3, {}), (20, {}), (20, {"operations": ("image_generation", "image_editing")})],
)
def test_a_plan_is_what_is_sent_and_what_it_costs(max_paid: int, options: dict[str, Any]) -> None:
    about: dict[str, Any] = {"has_bank": False, "has_other_key": True}
    made = plan(selected(), Options(**options), max_paid=max_paid, max_surprise=1, **about)
    with bad_server("good") as server:
        found = checked(server.url, max_paid=max_paid, **options)
        assert (server.tasks, server.credits) == (len(made.orders), sum(order.price for order in made.orders))
    sent = [exchange for exchange in found.run.gate.exchanges if exchange.operation != "upload"]
    harvested = [exchange for harvest in found.run.harvests for exchange in _of(harvest)]
    assert len(sent) == made.requests + len(harvested)


@pytest.mark.parametrize(
    ("only", "max_paid", "extent"), [((), 0, "free"), (("S50",), 1, "paid"), ((), 1, "paid"), ((), 20, "full")]
)
def test_a_run_is_full_where_all_is_asked_that_a_paid_task_shows(
    only: tuple[str, ...], max_paid: int, extent: str
) -> None:
    about: dict[str, Any] = {"max_surprise": 1, "has_bank": False, "has_other_key": False}
    assert plan(selected(only), Options(), max_paid=max_paid, **about).extent == extent


def _of(harvest: Harvest) -> list[Exchange]:
    return [one for one in (harvest.submitted, *harvest.reads, *harvest.balances) if one]


def test_a_run_that_is_interrupted_names_what_it_made_and_is_incomplete() -> None:
    def say(connection: socket.socket, head: bytes, body: bytes) -> None:
        if b"endpoint=task_status&task_id=7" in head:
            loops[0].call_soon_threadsafe(run.interrupt)
        _takes_everything(connection, head, body)

    async def go() -> Sequence[Result]:
        loops.append(asyncio.get_running_loop())
        async with run.gate:
            return await run.go()

    loops = list[asyncio.AbstractEventLoop]()
    with raw_server(say) as server:
        run = prepared(server.url, ["S50", "S42"], max_paid=1, deadline=60)
        results = asyncio.run(go())
    assert [str(one) for one in run.followed] == [
        '"7", by image_generation for S50: not followed, as it was interrupted; 10 credits'
    ]
    assert {one.verdict for one in results} <= {Verdict.INCOMPLETE, Verdict.FAIL}


def test_a_server_that_goes_away_ends_the_run_and_leaves_it_incomplete() -> None:
    def say(connection: socket.socket, head: bytes, body: bytes) -> None:
        if b"endpoint=task_status&task_id=7" in head:
            server.close()
        _takes_everything(connection, head, body)

    with raw_server(say) as server:
        found = checked(server.url, ["S50", "S42", "S20"], max_paid=1, deadline=60)
    assert "the server cannot be reached" in found.run.stopped
    assert "not followed, as the server cannot be reached" in str(found.run.followed[0])
    assert found.verdicts()["S42"] is Verdict.INCOMPLETE
