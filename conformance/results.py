"""What a judge says of one case or check, as a value: every report is made of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from safelight.conformance.verdicts import Finding, Severity, Verdict


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial: what was seen, and what there is to say of it."""

    name: str
    verdict: Verdict
    findings: Sequence[Finding]
    #: The exchanges, each as JSON, without keys; see `report.document`.
    timeline: Sequence[Mapping[str, Any]] = ()
    #: What the client wrote, without keys.
    output: str = ""
    #: How it ended, in words.
    ended: str = ""
    seconds: float = 0
    #: What is in the way of a verdict, in a sentence.
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One case or check: its verdict is the worst of its trials'."""

    id: str
    fact: str
    severity: Severity
    verdict: Verdict
    #: The title of its group.
    group: str = ""
    #: What was done to the judged, and what a good one does about it.
    does: str = ""
    good: str = ""
    why: str = ""
    trials: Sequence[Tried] = field(default=())
    #: The command that runs this alone again.
    again: str = ""
    #: Why a waiver lets it pass.
    waived: str = ""

    @property
    def findings(self) -> list[Finding]:
        """Of all trials."""
        return [finding for tried in self.trials for finding in tried.findings]
