"""The run: each selected case against the client, several at a time."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from safelight.conformance.clients.case import Case, Trial
from safelight.conformance.clients.evidence import Ended, Evidence, Limits
from safelight.conformance.clients.judgement import findings, verdict
from safelight.conformance.clients.trying import try_client
from safelight.conformance.report.timeline import timeline
from safelight.conformance.results import Result, Tried
from safelight.conformance.verdicts import Verdict, worst
from safelight.contracts.wording import listed
from safelight.traffic.redaction import redacted


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does."""

    command: Sequence[str]
    cases: Sequence[Case]
    limits: Limits = field(default_factory=Limits)
    #: Cases that run at a time.
    jobs: int = 8
    #: How often each is run.
    repeat: int = 1


def run(plan: Plan, seen: Callable[[Result], None] = lambda _: None) -> list[Result]:
    """The results, in the order of the cases; `seen` gets each as it comes. Raises `CannotStart`."""
    with ThreadPoolExecutor(plan.jobs) as threads:
        waiting = [threads.submit(_of_case, plan, case, seen) for case in plan.cases]
        try:
            return [one.result() for one in waiting]
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def _of_case(plan: Plan, case: Case, seen: Callable[[Result], None]) -> Result:
    rounds = [[_tried(plan, case, trial) for trial in case.trials] for _ in range(plan.repeat)]
    said = [worst(tried.verdict for tried in trials) for trials in rounds]
    result = Result(
        **{name: getattr(case, name) for name in ("id", "group", "fact", "severity", "does", "good", "why")},
        verdict=said[0] if len(set(said)) == 1 else Verdict.FLAKY,
        trials=[tried for trials in rounds for tried in trials],
        again=f"safelight check client --only {shlex.quote(case.id)} -- {shlex.join(plan.command)}",
    )
    seen(result)
    return result


def _tried(plan: Plan, case: Case, trial: Trial) -> Tried:
    evidence = try_client(plan.command, trial, plan.limits)
    found = findings(trial, evidence)
    hide = partial(redacted, key=evidence.key)
    return Tried(
        name=trial.name,
        verdict=verdict(case, evidence, found),
        findings=found,
        timeline=timeline(evidence.exchanges),
        output=hide(evidence.output.strip()),
        ended=listed([_how(one) for one in evidence.ended]),
        seconds=max(one.seconds for one in evidence.ended),
        remark=_remark(evidence),
    )


def _how(one: Ended) -> str:
    if one.code is None:
        return "ended by force"
    return f"signal {-one.code}" if one.code < 0 else f"exit code {one.code}"


def _remark(evidence: Evidence) -> str:
    if not evidence.undelivered:
        return ""
    return f"planned and never delivered: {listed([str(one) for one in evidence.undelivered])}"
