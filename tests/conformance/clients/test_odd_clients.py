"""A good client passes, whatever its habits."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from matrix import PYTHON, ROOT
from odd_client import ODD, SHOWS
from safelight.conformance.clients.case import selected
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.runner import Plan, run
from safelight.conformance.results import Result
from safelight.conformance.verdicts import Verdict

LIMITS: Final = Limits(poll=0.1, request=0.8, deadline=5.0)


@pytest.fixture(scope="module")
def results() -> Mapping[str, list[Result]]:
    """Client -> the results of the cases in which its habit shows."""

    def judged(name: str) -> list[Result]:
        return run(Plan([*PYTHON, str(ROOT / "tests" / "odd_client.py"), name], selected(SHOWS[name]), LIMITS, jobs=2))

    with ThreadPoolExecutor(6) as threads:
        return dict(zip(ODD, threads.map(judged, ODD), strict=True))


@pytest.mark.parametrize("name", ODD)
def test_a_good_client_passes_whatever_its_habits(name: str, results: Mapping[str, list[Result]]) -> None:
    assert [f"{one.rule}: {one.sentence}" for result in results[name] for one in result.findings] == []
    assert {result.verdict for result in results[name]} <= {Verdict.PASS, Verdict.INFO}
