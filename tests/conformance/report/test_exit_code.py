"""The exit code of a run."""

from dataclasses import replace

import pytest

from reports import result
from safelight.conformance.report.exit_code import exit_code
from safelight.conformance.results import Result
from safelight.conformance.verdicts import Severity, Verdict

PASS = result()
FAIL = result(Verdict.FAIL)
OPEN = [result(verdict) for verdict in (Verdict.UNIMPLEMENTED, Verdict.INCONCLUSIVE, Verdict.INCOMPLETE)]


@pytest.mark.parametrize("severity", Severity)
def test_what_is_broken_of_a_must_fails_the_run_in_whichever_case(severity: Severity) -> None:
    assert exit_code([PASS, result(Verdict.FAIL, severity=severity)]) == 1


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.NON_STRICT, Verdict.INFO])
def test_what_is_run_and_breaks_no_must_lets_it_pass(verdict: Verdict) -> None:
    assert exit_code([result(verdict)]) == 0


@pytest.mark.parametrize("one", OPEN, ids=lambda one: one.verdict)
def test_a_must_without_a_verdict_leaves_the_run_undecided_and_a_should_does_not(one: Result) -> None:
    assert exit_code([PASS, one]) == 3
    assert exit_code([PASS, replace(one, severity=Severity.SHOULD)]) == 0


@pytest.mark.parametrize("one", OPEN, ids=lambda one: one.verdict)
def test_a_failure_wins_over_what_is_undecided(one: Result) -> None:
    assert exit_code([one, FAIL]) == exit_code([FAIL, one]) == 1


def test_a_case_that_differs_over_its_repetitions_fails_where_one_of_them_does() -> None:
    once = replace(PASS, verdict=Verdict.FLAKY)
    assert exit_code([once]) == 0
    assert exit_code([replace(once, trials=[*PASS.trials, *FAIL.trials])]) == 1


@pytest.mark.parametrize("one", [FAIL, *OPEN], ids=lambda one: one.verdict)
def test_what_is_waived_lets_it_pass(one: Result) -> None:
    assert exit_code([replace(one, waived="known")]) == 0
