"""Every case catches a bad client that it is about, every bad client is caught, and a good one passes all cases.

All pairs of bad client and case are run by `python tests/matrix.py`, which writes the page of the docs.
"""

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

import run_liar  # noqa: F401 - registers them
from liars.clients.liar import ABOUT, LIARS
from safelight.conformance.clients.case import Case, cases, selected
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.runner import Plan, run
from safelight.conformance.results import Result
from safelight.conformance.verdicts import Verdict

TESTS: Final = Path(__file__).parents[2]
#: The standard library alone, without what is installed: a client starts in 40 ms.
PYTHON: Final = (sys.executable, "-S", "-E")
GOOD: Final = (*PYTHON, str(TESTS / "good_client.py"))
#: Trials at a time: they mostly wait.
JOBS: Final = 12

QUICK: Final = Limits(poll=0.1, request=0.8, deadline=4.0)


def command(name: str) -> list[str]:
    return [*PYTHON, str(TESTS / "run_liar.py"), name]


@pytest.fixture(scope="module")
def results() -> Mapping[str, list[Result]]:
    """Bad client -> the results of the cases that are about it."""

    def judged(name: str) -> list[Result]:
        return run(Plan(command(name), selected(ABOUT[name]), QUICK, jobs=1))

    with ThreadPoolExecutor(JOBS) as threads:
        return dict(zip(LIARS, threads.map(judged, LIARS), strict=True))


@pytest.mark.parametrize("name", LIARS)
def test_a_bad_client_is_caught_by_each_case_that_is_about_it(name: str, results: Mapping[str, list[Result]]) -> None:
    missed = [result.id for result in results[name] if not is_caught(result)]
    assert missed == []


def is_caught(result: Result) -> bool:
    """The case has something to say; one that is INFO never fails."""
    return result.verdict in (Verdict.FAIL, Verdict.NON_STRICT) or bool(result.findings)


@pytest.mark.parametrize("case", list(cases().values()), ids=lambda case: case.id)
def test_every_case_has_a_bad_client(case: Case) -> None:
    assert any(case.id in about for about in ABOUT.values())


def test_a_good_client_passes_every_case() -> None:
    found = run(Plan(GOOD, list(cases().values()), Limits(poll=0.1, request=0.8, deadline=5.0), jobs=JOBS))
    assert {result.id: result.verdict for result in found if result.verdict not in (Verdict.PASS, Verdict.INFO)} == {}
    assert [finding for result in found for finding in result.findings] == []
