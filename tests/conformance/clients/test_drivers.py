"""The drivers that ship pass; all their verdicts stand in docs/matrix.md, which `python tests/matrix.py` writes."""

import os
from typing import Final

import pytest

from matrix import DRIVERS, ROOT
from safelight.conformance.clients.case import selected
from safelight.conformance.clients.runner import ClientRun, run
from safelight.conformance.verdicts import Verdict

#: A few of each kind: CI need not run all four through everything.
CASES: Final = ("1.1", "1.5", "2.4", "3.7", "3.9", "4.5", "4.7", "4.13", "5.1", "5.4", "6.4", "7.1")


@pytest.mark.needs("node")
@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_passes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    results = run(ClientRun(DRIVERS[name], selected(CASES), jobs=2 * (os.cpu_count() or 1)))
    assert {result.id: [one.sentence for one in result.findings] for result in results if result.findings} == {}
    assert {result.verdict for result in results} == {Verdict.PASS}
