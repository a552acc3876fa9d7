"""Histories that no server has which keeps the contract, each with what is said of it, and those that one may have."""

from collections.abc import Sequence
from typing import Final

import pytest

from histories import LOST, balance, done, error, failed, poll, running, submit, success, unknown
from safelight.conformance.checks import CHECKS
from safelight.conformance.oracle.oracle import Impossible, Oracle
from safelight.conformance.verdicts import Severity
from safelight.contracts import Phase
from safelight.traffic.exchange import Exchange


def impossible(history: Sequence[Exchange], oracle: Oracle | None = None) -> list[Impossible]:
    return (oracle or Oracle()).all(history)


#: A history -> the check that its last exchange breaks, and what of before is named.
IMPOSSIBLE: Final[dict[str, tuple[list[Exchange], str, str]]] = {
    "done, then running": (
        [done(10), running(12)],
        "S54",
        "poll 2 at 2.0 s said running, 0 %; poll 1 at 0.0 s had said done",
    ),
    "failed, then queued": ([failed(0), poll(2)], "S54", "poll 1 at 0.0 s had said failed (out of memory)"),
    "done, then failed": ([done(0), failed(2)], "S54", "final is final"),
    "failed, then done": ([failed(0), done(2)], "S54", "final is final"),
    "done and failed at once": ([done(0, took=5), failed(1, took=5)], "S54", "final is final"),
    "another result": ([done(0), done(2, "https://pictures.example/2.png")], "S54", "/2.png"),
    "another result at once": ([done(0, took=5), done(1, "https://a.example/2.png", took=5)], "S54", "/2.png"),
    "another reason": ([failed(0), failed(2, "out of luck")], "S54", "out of luck"),
    "running, then queued": ([running(0, 5), poll(2)], "S52", "no task goes from running to queued"),
    "running, then queued, much later": ([running(0), poll(1, **LOST), poll(99)], "S52", "poll 1 at 0.0 s"),
    "an unknown word": ([poll(0, "COMPLETED")], "S52", '"COMPLETED", which is no status word'),
    "progress falls": ([running(0, 50), running(2, 49)], "S57", "49 %; poll 1 at 0.0 s had said running, 50 %"),
    "progress falls below the highest": ([running(0, 50), running(2, 60), running(4, 55)], "S57", "poll 2 at 2.0 s"),
    "progress is over 100": ([running(0, 101)], "S57", "progress 101"),
    "progress is negative": ([running(0, -1)], "S57", "progress -1"),
    "progress is a text": ([running(0, "50")], "S57", 'progress "50"'),
    "progress is true": ([running(0, True)], "S57", "progress true"),
    "progress is a fraction": ([running(0, 0.5)], "S57", "progress 0.5"),
    "another task": ([poll(0, data={"id": "other"})], "S55", 'another task, "other"'),
    "unknown after queued": ([poll(0), unknown(2)], "S52", "no such task; poll 1 at 0.0 s had said queued"),
    "unknown after done": ([done(0), unknown(2)], "S54", "had said done"),
    "unknown long after the submit": ([submit(0), unknown(9)], "S51", "submit 1 at 0.0 s had been given its id 8.9 s"),
    "one id for two": ([submit(0), submit(1)], "S63", "submit 1 at 0.0 s had been given too"),
    "an id that was known": ([poll(0), submit(1)], "S63", "poll 1 at 0.0 s had known already"),
    "paid twice": ([balance(0, 100), submit(1), balance(2, 80)], "S60", "said 80; balance 1 at 0.0 s had said 100"),
    "paid never": ([balance(0, 100), submit(1), done(2), balance(3, 100)], "S60", "it is 90"),
    "another price": (
        [balance(0, 100), submit(1, operation="image_editing"), balance(2, 90)],
        "S60",
        "it is 100 or 80",
    ),
    "paid though it was refused": (
        [balance(0, 100), submit(1, status=400, answer=error()), balance(2, 90)],
        "S60",
        "it is 100",
    ),
    "a lost submit is paid twice": (
        [balance(0, 100), submit(1, **LOST), balance(2, 80)],
        "S60",
        "it is 100 or 90",
    ),
    "not paid back": ([balance(0, 100), submit(1), failed(2), balance(3, 90)], "S60", "it is 100"),
    "paid back after it was done": (
        [balance(0, 100), submit(1), done(2), balance(3, 90), balance(4, 100)],
        "S60",
        "balance 2 at 3.0 s had said 90",
    ),
    "paid back once more": ([balance(0, 90), failed(1), balance(2, 91)], "S60", "said 91"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_history_is_told_with_what_shows_it(name: str) -> None:
    history, check, said = IMPOSSIBLE[name]
    (found,) = impossible(history)
    assert (found.check, found.severity) == (check, CHECKS[check].severity)
    assert said in found.sentence
    assert found.exchange is history[-1]


#: What the oracle says something about.
OF_ORACLE: Final = {"S51", "S52", "S54", "S55", "S57", "S60", "S63"}


def test_each_check_of_the_oracle_has_a_history_that_breaks_it() -> None:
    assert {check for _, check, _ in IMPOSSIBLE.values()} == OF_ORACLE


#: What a server that keeps the contract may have said.
POSSIBLE: Final[dict[str, list[Exchange]]] = {
    "all of a life": [submit(0), poll(1), running(2, 0), running(3, 99), done(4), done(5)],
    "phases that nobody saw": [submit(0), poll(1), done(2), submit(3, "7"), failed(4, task_id="7")],
    "done at once": [submit(0, "grok_1"), done(0, task_id="grok_1")],
    "the plain words": [poll(0, "queued"), poll(1, "running", data={"progress": 1}), poll(2, "done")],
    "a task that is older than the record": [running(0, 70), done(1)],
    "a poll that overtakes another": [running(0, 80, took=9), running(1, 20, took=0.1)],
    "done overtakes running": [done(1, took=1), running(1.5, 5, took=9)],
    "queued is answered after running": [running(1, 5, took=0.1), poll(0, took=9)],
    "a poll is lost": [running(0, 5), poll(1, **LOST), running(2, 6)],
    "a poll is refused": [done(0), unknown(1, status=401), unknown(2, status=429), unknown(3, status=503)],
    "a gateway's page": [done(0), poll(1, status=404, answer=b"<html>"), poll(2, status=200, answer=b"<html>")],
    "no phase": [done(0), poll(1, answer=success(status=None))],
    "a lag after the submit": [submit(0), unknown(0.2), unknown(1), poll(2)],
    "an id that nobody was given": [unknown(0), submit(1), unknown(2, "other")],
    "a poll that began before the submit was answered": [submit(0, took=5), unknown(3), unknown(4.9)],
    "known and unknown at once": [poll(0, took=5), unknown(1, took=5)],
    "a percent with a point": [running(0, 45.0), running(1, 45)],
    "a percent that is gone": [running(0, 45), poll(1, "processing"), running(2, 45)],
    "a balance": [balance(0, 100), submit(1), balance(2, 90), submit(3, "7", "video_generation"), balance(4, -110)],
    "fractions of credits": [balance(0, 0.3), submit(1), balance(2, 0.3 - 10)],
    "a lost submit was booked": [balance(0, 100), submit(1, **LOST), balance(2, 90)],
    "a lost submit was not": [balance(0, 100), submit(1, **LOST), balance(2, 100)],
    "a lost submit is booked late": [balance(0, 100), submit(1, **LOST), balance(2, 100), balance(3, 90)],
    "a submit without an id": [balance(0, 100), submit(1, answer=success()), balance(2, 90)],
    "an answer that is none": [balance(0, 100), submit(1, status=502, answer=b"<html>"), balance(2, 90)],
    "a balance during the submit": [balance(0, 100), submit(1, took=9), balance(2, 90), balance(3, 90)],
    "and before it was booked": [balance(0, 100), submit(1, took=9), balance(2, 100)],
    "paid back": [balance(0, 100), submit(1), balance(2, 90), failed(3), balance(4, 100)],
    "paid back before anybody asked": [balance(0, 100), submit(1), balance(2, 100), failed(3), balance(4, 100)],
    "paid back for an older task": [balance(0, 100), poll(1), balance(2, 110)],
    "another account": [balance(0, 100), balance(1, 5, key="other"), balance(2, 100)],
    "another key": [done(0), unknown(1, key="other")],
    "no operation": [done(0)._replace(target="/"), poll(1)._replace(method="POST")],
}


@pytest.mark.parametrize("name", POSSIBLE)
def test_a_possible_history_is_accepted(name: str) -> None:
    assert impossible(POSSIBLE[name]) == []


def test_it_narrows_what_a_task_can_be() -> None:
    oracle = Oracle()
    assert oracle.phases("7", 0) == set(Phase)
    oracle.see(running(0, task_id="7"))
    assert oracle.phases("7", 0.05) == set(Phase)  # the poll is under way
    assert oracle.phases("7", 1) == {Phase.RUNNING, Phase.DONE, Phase.FAILED}
    oracle.see(done(1, task_id="7"))
    assert oracle.phases("7", 2) == {Phase.DONE}


def test_a_lag_is_recorded() -> None:
    oracle = Oracle()
    assert impossible([submit(0), unknown(1.1), poll(2)], oracle) == []
    assert [(task.lag, task.end) for _, task in oracle.tasks()] == [(1.0, None)]


def test_it_counts_what_was_accepted_and_what_may_have_been() -> None:
    oracle = Oracle()
    impossible([submit(0), submit(1, **LOST), submit(2, status=400, answer=error())], oracle)
    assert (oracle.accepted, oracle.lost) == (1, 1)


def test_a_server_is_held_to_one_vocabulary() -> None:
    (found,) = impossible([poll(0, "completed")], Oracle(vocabulary="plain"))
    assert "one is queued, running, done or failed" in found.sentence


def test_the_task_that_was_seen_longest_ago_is_forgotten_and_counted() -> None:
    oracle = Oracle(max_tasks=2)
    history = [done(0, task_id="1"), done(1, task_id="2"), done(2, task_id="1"), done(3, task_id="3")]
    assert impossible(history, oracle) == []
    assert oracle.forgotten == 1
    assert oracle.task("2") is None
    assert [found.check for found in impossible([running(4, task_id="1"), running(5, task_id="2")], oracle)] == ["S54"]


def test_what_costs_nobody_anything_is_no_must() -> None:
    assert CHECKS["S63"].severity is Severity.INFO
