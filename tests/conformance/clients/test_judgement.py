"""From what was found to a verdict."""

from dataclasses import replace
from typing import Any, Final

import pytest

from evidence_by_hand import KEY, ONE, ended, evidence, fetch, paid, poll, submit
from safelight.conformance.clients.case import Case, cases
from safelight.conformance.clients.evidence import Evidence
from safelight.conformance.clients.judgement import findings, verdict
from safelight.conformance.clients.runner import tried
from safelight.conformance.verdicts import Verdict
from safelight.contracts import Phase
from safelight.traffic.expectations import Missed

GOLDEN: Final = (submit(), poll(0.2), poll(0.4), poll(0.6, Phase.DONE), fetch(0.7))
MISSED: Final = [Missed("poll#2: http 502", "poll", "no such request came")]


def judged(case: str, seen: Evidence) -> Verdict:
    """The verdict of the first trial of a case."""
    found: Case = cases()[case]
    return verdict(found, seen, findings(found.trials[0], seen))


#: Case, what was seen -> its verdict.
VERDICTS: Final[dict[str, tuple[str, Evidence, Verdict]]] = {
    "all is well": ("1.1", evidence(*GOLDEN), Verdict.PASS),
    "a SHOULD is broken": ("1.1", evidence(*GOLDEN, poll(0.8)), Verdict.NON_STRICT),
    "a MUST is broken": ("1.1", evidence(*GOLDEN, ended=[ended(1)]), Verdict.FAIL),
    "nothing is implemented": ("1.1", evidence(ended=[ended(89)], **paid()), Verdict.UNIMPLEMENTED),
    "the fault never came": ("1.1", evidence(*GOLDEN, undelivered=MISSED), Verdict.INCONCLUSIVE),
    "a SHOULD is broken, and the fault never came": (
        "1.1",
        evidence(*GOLDEN, poll(0.8), undelivered=MISSED),
        Verdict.INCONCLUSIVE,
    ),
    "a MUST is broken, and the fault never came": (
        "1.1",
        evidence(*GOLDEN, ended=[ended(1)], undelivered=MISSED),
        Verdict.FAIL,
    ),
    "files were not looked through": ("1.1", evidence(*GOLDEN, unread=2), Verdict.INCONCLUSIVE),
    "files were not looked through, and the key is in others": (
        "1.1",
        evidence(*GOLDEN, unread=2, files=[{"log": KEY.encode()}]),
        Verdict.FAIL,
    ),
    "an INFO case records what is no MUST-$": ("2.14", evidence(*GOLDEN, ended=[ended(1)]), Verdict.INFO),
    "an INFO case fails where the key leaks": ("2.14", evidence(*GOLDEN, ended=[ended(0, KEY)]), Verdict.FAIL),
    "nothing was sent": ("4.3", evidence(ended=[ended(1)], files=[{}], **paid()), Verdict.FAIL),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_the_verdict(name: str) -> None:
    case, seen, wanted = VERDICTS[name]
    assert judged(case, seen) == wanted


@pytest.mark.parametrize("case", cases().values(), ids=lambda case: case.id)
@pytest.mark.parametrize("code", [0, 1])
def test_that_nothing_was_sent_is_one_finding_in_every_case(case: Case, code: int) -> None:
    silent = evidence(ended=[ended(code)], files=[{}], **paid())
    for trial in case.trials:
        (finding,) = findings(trial, silent)
        assert finding.sentence == "nothing was sent to the fake, which is at SAFELIGHT_BASE_URL"


def test_who_sends_nothing_is_still_heard_and_ended() -> None:
    rules = [one.rule for one in findings(ONE, evidence(ended=[ended(None, KEY)], files=[{}], **paid()))]
    assert rules == ["U1", "U5", "U9"]


def test_expectations_of_processes_are_left_out_without_one() -> None:
    case = cases()["1.1"]
    assert findings(case.trials[0], evidence(*GOLDEN, ended=[], files=[])) == []


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({}, ""),
        ({"undelivered": MISSED}, "planned and never delivered: poll#2: http 502 (no such request came)"),
        ({"unread": 2}, "not looked through for the key: 2 files beyond 200,000 files or 32 MB"),
    ],
)
def test_what_is_in_the_way_of_a_verdict_is_said(more: dict[str, Any], part: str) -> None:
    case = cases()["1.1"]
    assert tried(case, case.trials[0], replace(evidence(*GOLDEN), **more)).remark == part
