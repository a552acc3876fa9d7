"""U1 to U9: each rule sees what breaks it, and nothing in what a good client may do."""

import base64
import gzip
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence_by_hand import (
    ENTRY,
    ID,
    KEY,
    NONE_OR_ONE,
    ONE,
    OTHER,
    broken,
    dead,
    ended,
    evidence,
    fetch,
    paid,
    poll,
    sent,
    submit,
)
from safelight.conformance.clients.case import Trial
from safelight.conformance.clients.evidence import Evidence
from safelight.conformance.clients.universal import judged, universal
from safelight.contracts import Phase
from safelight.traffic.exchange import Exchange

DONE: Final = Phase.DONE
GOLDEN: Final = (submit(), poll(0.2), poll(0.4, DONE), fetch(0.5))


def found(seen: Evidence, trial: Trial = ONE) -> dict[str, list[str]]:
    """Rule and severity -> its sentences."""
    said: dict[str, list[str]] = {}
    for one in judged(trial, seen):
        said.setdefault(f"{one.rule} {one.severity}", []).append(one.sentence)
    return said


def after(*exchanges: Exchange, **more: Any) -> Evidence:
    """What came in after a submit."""
    return evidence(submit(), *exchanges, **more)


#: What was seen -> the rule that it breaks, its severity, and the sentence.
BAD: Final[dict[str, tuple[Evidence, str, str]]] = {
    "two submits accepted": (
        evidence(submit(), submit(1, task_id=OTHER), **paid(ID, OTHER)),
        "U1 MUST-$",
        "2 accepted, 1 wanted: 10 credits lost",
    ),
    "a submit refused": (evidence(submit(status=400), **paid()), "U1 MUST", "0 accepted, 1 wanted: 1 submit came in"),
    "no submit": (evidence(fetch(1), **paid()), "U1 MUST", "0 accepted, 1 wanted: nothing was submitted"),
    "a poll after done": (
        after(poll(1, DONE), poll(2, DONE)),
        "U2 SHOULD",
        "poll 1 said done, and 1 poll more came in",
    ),
    "polls after failed": (
        after(poll(1), poll(2, Phase.FAILED), poll(3), poll(4)),
        "U2 SHOULD",
        "poll 2 said failed, and 2 polls more came in",
    ),
    "the key at another origin": (
        after(poll(1)._replace(target=f"/elsewhere{ENTRY}?task_id={ID}", leaks=["another origin"])),
        "U3 MUST-$",
        "GET poll took the key to another origin",
    ),
    "the key at the host of the picture": (
        after(sent(1, "GET", "/elsewhere/uploads/x.png", operation="upload", leaks=["another origin"])),
        "U3 MUST-$",
        "GET image took the key to another origin",
    ),
    "the key in the query": (
        evidence(submit(leaks=["the query (as api_key)"])),
        "U3 SHOULD",
        "the query (as api_key) of POST submit has the key in it",
    ),
    "the key in the path": (
        after(sent(1, "HEAD", "/x/sk-...", leaks=["the path"])),
        "U3 SHOULD",
        'the path of HEAD "/x/sk-..." has the key in it',
    ),
    "a poll ahead of the answer": (
        after(poll(1, took=0.5), poll(1.25)),
        "U4 SHOULD",
        "a poll came 0.25 s before the one ahead of it was answered",
    ),
    "a poll ahead of a late answer": (
        after(poll(1, took=0.5, fault="poll: hang 0.6"), poll(1.25)),
        "U4 SHOULD",
        "a poll came 0.25 s before the one ahead of it was answered",
    ),
    "a process that had to be ended": (
        evidence(*GOLDEN, ended=[ended(None)]),
        "U5 MUST",
        "the client had not ended 11 s after its start; its deadline was 6 s",
    ),
    "processes left": (
        evidence(*GOLDEN, ended=[ended(0, left=2)]),
        "U5 MUST",
        "the client ended and left 2 of its processes running",
    ),
    "a rounded id": (
        evidence(submit(), poll(1, task_id="9007199254740992"), **paid(OTHER)),
        "U6 MUST",
        '1 poll for "9007199254740992", an id that was never issued',
    ),
    "an id that is none": (
        after(poll(1, task_id="undefined"), poll(2, task_id="undefined")),
        "U6 MUST",
        '2 polls for "undefined", an id that was never issued',
    ),
    "an id in other capitals": (
        after(poll(1, task_id=ID.upper())),
        "U6 MUST",
        f'1 poll for "{ID.upper()}", an id that was never issued',
    ),
    "a request out of bounds": (
        evidence(broken(submit(), "width is 9999; at most 2048"), broken(submit(1), "another")),
        "U7 MUST",
        "width is 9999; at most 2048 (the first of 2)",
    ),
    "an unknown request": (after(sent(1, "GET", "/v2/tasks")), "U7 MUST", 'GET "/v2/tasks" is no request of the API'),
    "polls in a burst": (
        after(poll(1), poll(1.01), poll(1.05), poll(1.3)),
        "U8 SHOULD",
        "2 gaps between polls under 0.1 s: 0.010 s",
    ),
    "a burst at a dead connection": (
        after(poll(1), dead(poll(1.2)), dead(poll(1.21)), poll(1.22)),
        "U8 SHOULD",
        "1 gap between polls under 0.1 s: 0.010 s",
    ),
    "a burst at a refusal": (
        after(poll(1, status=503), poll(1.01)),
        "U8 SHOULD",
        "1 gap between polls under 0.1 s: 0.010 s",
    ),
    "the key on standard error": (
        evidence(*GOLDEN, ended=[ended(1, "", f"curl -H 'x-api-key: {KEY}'")]),
        "U9 MUST-$",
        "the key stands in the output",
    ),
    "the key without its beginning": (
        evidence(*GOLDEN, ended=[ended(1, KEY.removeprefix("sk-"))]),
        "U9 MUST-$",
        "the key stands in the output",
    ),
    "the key as users are told it": (
        evidence(*GOLDEN, ended=[ended(1, base64.b64encode(f"user:{KEY}".encode()).decode())]),
        "U9 MUST-$",
        "the key stands in the output (in Base64)",
    ),
    "the key in a file": (
        evidence(*GOLDEN, files=[{"debug.log": f"x-api-key: {KEY}".encode()}]),
        "U9 MUST-$",
        'the key stands in the file "debug.log"',
    ),
    "the key in a packed file": (
        evidence(*GOLDEN, files=[{"log.gz": gzip.compress(KEY.encode(), mtime=0)}]),
        "U9 MUST-$",
        'the key stands in the file "log.gz"',
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_breaks_a_rule_is_found_by_that_rule_alone(name: str) -> None:
    seen, rule, sentence = BAD[name]
    assert found(seen) == {rule: [sentence]}


def test_every_rule_has_a_row() -> None:
    assert {rule.partition(" ")[0] for _, rule, _ in BAD.values()} == set(universal())


#: What a good client may do.
GOOD: Final[dict[str, Evidence]] = {
    "the golden path": evidence(*GOLDEN),
    "pictures after the end": evidence(*GOLDEN, fetch(0.6), fetch(0.7)),
    "polls of another task after the end": evidence(
        submit(), poll(1, DONE), poll(1.01, task_id=OTHER), **paid(ID, OTHER), given=frozenset({OTHER})
    ),
    "polls of two tasks side by side": evidence(
        submit(), poll(1, took=0.2), poll(1.01, task_id=OTHER, took=0.2), **paid(ID, OTHER), given=frozenset({OTHER})
    ),
    "a poll after an end that was lost": after(dead(poll(1, DONE)), poll(1.2, DONE)),
    "a poll after an end that a fault has changed": after(poll(1, DONE, fault="poll#1: word processing"), poll(2)),
    "a poll after a final word in an error": after(poll(1, DONE, status=500), poll(2)),
    "the key as another header": evidence(submit(leaks=["the header cookie"])),
    "another origin without the key": after(sent(1, "GET", "/elsewhere/uploads/x.png", operation="upload")),
    "a prompt that looks like a key": evidence(submit(body=b'{"prompt": "a key such as sk-..."}')),
    "a poll right after a slow answer": after(poll(1, took=0.5), poll(1.5)),
    "a poll after its own time-out": after(poll(1, took=9, fault="poll#1: hang"), poll(2)),
    "a poll after the time-out of a late answer": after(poll(1, took=9, fault="poll: hang 9"), poll(2)),
    "a poll while the end of a broken answer is under way": after(poll(1, took=3, fault="poll#1: stall"), poll(1.5)),
    "an id that needs encoding": evidence(submit(), poll(1, task_id="a b&c=d#é"), **paid("a b&c=d#é")),
    "a form's way to encode it": evidence(
        submit(),
        poll(1)._replace(target=f"{ENTRY}?task_id=a+b%26c%3Dd%23%C3%A9&endpoint=task_status"),
        **paid("a b&c=d#é"),
    ),
    "a browser's question": after(sent(1, "OPTIONS", f"{ENTRY}?endpoint=task_status", status=405)),
    "a question whether it is there": after(sent(1, "HEAD", ENTRY, status=405)),
    "the balance": after(sent(1, "GET", f"{ENTRY}?endpoint=user_balance", operation="user_balance")),
    "a new connection for a dead one": after(poll(1), dead(poll(1.2)), poll(1.21)),
    "gaps of half the interval": after(poll(1), poll(1.09), poll(1.19)),
    "the end of the key": evidence(*GOLDEN, ended=[ended(0, f"key sk-...{KEY[-4:]}")]),
    "the beginning of the key": evidence(*GOLDEN, ended=[ended(0, f"key {KEY[:9]}...")]),
    "a signal": evidence(*GOLDEN, ended=[ended(-15)]),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_a_good_client_may_do_breaks_no_rule(name: str) -> None:
    assert found(GOOD[name]) == {}


def test_a_submit_that_was_refused_may_be_sent_again() -> None:
    again = evidence(submit(task_id=None, status=503, fault="submit#1: http 503"), submit(1), poll(2, DONE), fetch())
    assert found(again) == {}
    assert found(evidence(submit(task_id=None, status=503), **paid()), NONE_OR_ONE) == {}


def test_a_task_that_was_given_is_not_paid_for() -> None:
    resumed = evidence(poll(1, DONE), fetch(), **paid(ID), given=frozenset({ID}))
    assert found(resumed, Trial("", {}, accepted=(0, 0))) == {}


def test_a_short_key_is_looked_for_nowhere() -> None:
    assert found(evidence(*GOLDEN, key="test", ended=[ended(0, "a test")])) == {}


@given(st.lists(st.floats(0.1, 2), max_size=8), st.lists(st.booleans(), min_size=9, max_size=9))
def test_a_client_that_keeps_its_interval_breaks_no_rule(gaps: list[float], deaths: list[bool]) -> None:
    polls, at = [], 1.0
    for gap, dies in zip([0.0, *gaps], deaths, strict=False):
        at += gap
        polls.append(dead(poll(at)) if dies else poll(at))
    assert found(after(*polls)) == {}


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_key_is_found_in_whatever_stands_around_it(before: bytes, behind: bytes) -> None:
    holding = evidence(*GOLDEN, files=[{"log": before + KEY.encode() + behind}])
    assert found(holding) == {"U9 MUST-$": ['the key stands in the file "log"']}
    assert found(evidence(*GOLDEN, files=[{"log": before + behind}])) == {}
