"""Every case catches a bad client that it is about, every bad client is caught, and a good one passes all cases.

All pairs of bad client and case are run by `python tests/matrix.py`, which writes the page of the docs.
"""

from collections.abc import Mapping
from typing import Final

import pytest

from liars.clients.liar import ABOUT, LIARS
from matrix import PYTHON, ROOT, is_caught, judged
from safelight.conformance.clients.case import Case, cases
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.runner import ClientRun, run
from safelight.conformance.results import Result
from safelight.conformance.verdicts import Verdict

GOOD: Final = (*PYTHON, str(ROOT / "tests" / "good_client.py"))
#: Trials at a time: they mostly wait.
JOBS: Final = 12


@pytest.fixture(scope="module")
def results() -> Mapping[str, list[Result]]:
    """Bad client -> the results of the cases that are about it."""
    return judged(list(LIARS), ABOUT)


@pytest.mark.parametrize("name", LIARS)
def test_a_bad_client_is_caught_by_each_case_that_is_about_it(name: str, results: Mapping[str, list[Result]]) -> None:
    missed = {name: [result.id for result in results[name] if not is_caught(result)]}
    # Gaps are real seconds, and a machine that does eleven other things makes them longer: once more, alone.
    alone = judged([name], missed)[name] if missed[name] else []
    assert [result.id for result in alone if not is_caught(result)] == []


@pytest.mark.parametrize("case", list(cases().values()), ids=lambda case: case.id)
def test_every_case_has_a_bad_client(case: Case) -> None:
    assert any(case.id in about for about in ABOUT.values())


def test_a_good_client_passes_every_case() -> None:
    found = run(ClientRun(GOOD, list(cases().values()), Limits(poll=0.1, request=0.8, deadline=5.0), jobs=JOBS))
    assert {result.id: result.verdict for result in found if result.verdict not in (Verdict.PASS, Verdict.INFO)} == {}
    assert [finding for result in found for finding in result.findings] == []
