"""From evidence to a verdict: pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from safelight.conformance.clients.case import Case, Trial
from safelight.conformance.clients.evidence import Evidence
from safelight.conformance.clients.expectations import expectations
from safelight.conformance.clients.universal import judged
from safelight.conformance.verdicts import MUSTS, Finding, Severity, Verdict, verdict_of

#: The exit code of a driver that does not implement a case.
NOT_IMPLEMENTED = 89


def findings(trial: Trial, evidence: Evidence) -> list[Finding]:
    """All that was seen in one trial that should not have been: by the case's expectations, then by U1 to U9."""
    if _is_unimplemented(evidence):
        return []
    if not evidence.exchanges:
        return [NOTHING, *(one for one in judged(trial, evidence) if one.rule != NOTHING.rule)]
    return [*_own(trial, evidence), *judged(trial, evidence)]


#: All that there is to say of what a client has sent that has sent nothing.
NOTHING: Final = Finding("U1", Severity.MUST, "nothing was sent to the fake, which is at SAFELIGHT_BASE_URL")


def _own(trial: Trial, evidence: Evidence) -> Iterator[Finding]:
    for expected in trial.expect:
        known = expectations()[expected.name]
        if evidence.ended or not known.needs_process:
            for sentence in known.look(evidence, **expected.given):
                yield Finding(expected.name, expected.severity, sentence)


def _is_unimplemented(evidence: Evidence) -> bool:
    return any(one.code == NOT_IMPLEMENTED for one in evidence.ended)


def verdict(case: Case, evidence: Evidence, found: list[Finding]) -> Verdict:
    """The verdict of one trial."""
    if _is_unimplemented(evidence):
        return Verdict.UNIMPLEMENTED
    said = verdict_of(found, is_info=case.severity is Severity.INFO)
    is_proven = any(finding.severity in MUSTS for finding in found)
    if (evidence.undelivered or evidence.unread) and not (said is Verdict.FAIL and is_proven):
        return Verdict.INCONCLUSIVE
    return said
