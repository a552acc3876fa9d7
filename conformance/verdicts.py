"""What a judge says: findings with their severity, and the verdict that they come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How bad a finding is."""

    #: It costs money or leaks the key.
    MUST_MONEY = "MUST-$"
    #: A wrong result, a crash or a hang.
    MUST = "MUST"
    SHOULD = "SHOULD"
    INFO = "INFO"


class Verdict(StrEnum):
    """What became of a case or of a check."""

    PASS = "PASS"  # noqa: S105 - no password
    #: A SHOULD is broken.
    NON_STRICT = "NON-STRICT"
    #: A MUST is broken.
    FAIL = "FAIL"
    #: Recorded, not judged.
    INFO = "INFO"
    #: Outside of the plan: no money, bank or key was given for it.
    NOT_ASKED = "NOT-ASKED"
    #: The driver says that it does not implement the case.
    UNIMPLEMENTED = "UNIMPLEMENTED"
    #: The planned fault was never delivered.
    INCONCLUSIVE = "INCONCLUSIVE"
    #: Selected, and not run.
    INCOMPLETE = "INCOMPLETE"
    #: It differs from repetition to repetition.
    FLAKY = "FLAKY"


#: Severities that make a verdict of FAIL.
MUSTS: Final = frozenset({Severity.MUST_MONEY, Severity.MUST})


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen that should not be."""

    #: `U1`, or the name of the expectation.
    rule: str
    severity: Severity
    #: What was seen, in a sentence without its full stop.
    sentence: str
    #: Credits that were spent for nothing.
    lost: float = 0
    #: Where in a document, as a JSON Pointer, and who says so: the provenance of the rule.
    pointer: str = ""
    provenance: str = ""
    #: What the contract wants, and what came.
    expected: str = ""
    got: str = ""
    #: The request as a command to paste; the key is a variable in it.
    curl: str = ""


def verdict_of(findings: Iterable[Finding], *, is_info: bool = False) -> Verdict:
    """The verdict of what was run to its end. In an INFO case only what costs money counts."""
    severities = {finding.severity for finding in findings}
    if severities & (MUSTS if not is_info else {Severity.MUST_MONEY}):
        return Verdict.FAIL
    if is_info:
        return Verdict.INFO
    return Verdict.NON_STRICT if Severity.SHOULD in severities else Verdict.PASS


#: The worst first: the verdict of several trials of one case is the worst of theirs.
WORST_FIRST: Final = (
    *(Verdict.FAIL, Verdict.INCOMPLETE, Verdict.INCONCLUSIVE, Verdict.FLAKY),
    *(Verdict.NON_STRICT, Verdict.UNIMPLEMENTED, Verdict.NOT_ASKED, Verdict.INFO, Verdict.PASS),
)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several verdicts; without any, `INCOMPLETE`."""
    return min(verdicts, key=WORST_FIRST.index, default=Verdict.INCOMPLETE)
