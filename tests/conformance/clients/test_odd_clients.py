"""A good client passes, whatever its habits."""

from collections.abc import Mapping

import pytest

from matrix import judged
from odd_client import ODD, SHOWS
from safelight.conformance.results import Result
from safelight.conformance.verdicts import Verdict


@pytest.fixture(scope="module")
def results() -> Mapping[str, list[Result]]:
    """Client -> the results of the cases in which its habit shows."""
    return judged(list(ODD), SHOWS, "odd_client.py")


@pytest.mark.parametrize("name", ODD)
def test_a_good_client_passes_whatever_its_habits(name: str, results: Mapping[str, list[Result]]) -> None:
    assert [f"{one.rule}: {one.sentence}" for result in results[name] for one in result.findings] == []
    assert {result.verdict for result in results[name]} <= {Verdict.PASS, Verdict.INFO}
