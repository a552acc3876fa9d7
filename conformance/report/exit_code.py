"""The exit code of a run, and what each case makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from safelight.conformance.results import Result
from safelight.conformance.verdicts import MUSTS, Verdict

#: Each selected MUST passed or is waived; one failed; the run was not asked for rightly; one was not run to a verdict.
PASSED, FAILED, USAGE, UNDECIDED = 0, 1, 2, 3

#: Verdicts that leave open whether a case is kept.
OPEN: Final = frozenset({Verdict.UNIMPLEMENTED, Verdict.INCONCLUSIVE, Verdict.INCOMPLETE})


def code_of(result: Result) -> int:
    """What one case makes of the run: a repetition that failed counts, and a waiver lets everything pass."""
    verdicts = {result.verdict, *(tried.verdict for tried in result.trials)}
    if result.waived:
        return PASSED
    if Verdict.FAIL in verdicts:
        return FAILED
    return UNDECIDED if result.severity in MUSTS and verdicts & OPEN else PASSED


def exit_code(results: Iterable[Result]) -> int:
    """The exit code of a run: `FAILED` wins over `UNDECIDED`."""
    codes = {code_of(result) for result in results}
    return next((code for code in (FAILED, UNDECIDED) if code in codes), PASSED)
