"""The run: each selected case against the client, several at a time."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Final

from safelight.conformance.clients.case import Case, Trial
from safelight.conformance.clients.evidence import Ended, Evidence, Limits
from safelight.conformance.clients.judgement import findings, verdict
from safelight.conformance.clients.story import Story
from safelight.conformance.clients.trying import MOST_READ, try_client
from safelight.conformance.clients.waiting import await_all
from safelight.conformance.report.timeline import timeline
from safelight.conformance.results import Result, Tried
from safelight.conformance.verdicts import Finding, Verdict, verdict_of, worst
from safelight.contracts.secrets import NO_KEYS, redacted, with_keys
from safelight.contracts.wording import counted, listed

#: Cases at a time, unless somebody says otherwise: most of them wait most of the time.
USUAL_JOBS: Final = 2 * (os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class ClientRun:
    """What a run does."""

    command: Sequence[str]
    cases: Sequence[Case]
    limits: Limits = field(default_factory=Limits)
    jobs: int = USUAL_JOBS
    #: How often each case is run.
    repeat: int = 1
    #: Once it is set, what runs is ended, and the rest is not begun.
    stop: Event = field(default_factory=Event)


def run(planned: ClientRun, seen: Callable[[Result], None] = lambda _: None) -> list[Result]:
    """The results, in the order of the cases; `seen` gets each as it comes. Raises `CannotStart`."""
    with ThreadPoolExecutor(planned.jobs) as threads:
        waiting = [threads.submit(_of_case, planned, case, seen) for case in planned.cases]
        try:
            await_all(waiting)
            return [one.result() for one in waiting]
        except BaseException:
            planned.stop.set()
            raise


def _of_case(planned: ClientRun, case: Case, seen: Callable[[Result], None]) -> Result:
    command = ["safelight", "check", "client", "--only", case.id, "--", *planned.command]
    result = result_of(case, [_round(planned, case) for _ in range(planned.repeat)], again=shlex.join(command))
    seen(result)
    return result


def result_of(case: Case, rounds: Sequence[Sequence[Tried]], *, again: str) -> Result:
    """What the rounds of a case come to: the worst verdict of its trials, and FLAKY where rounds differ."""
    said = {worst(tried.verdict for tried in trials) for trials in rounds}
    return Result(
        **{name: getattr(case, name) for name in ("id", "group", "fact", "severity", "does", "good", "why")},
        verdict=said.pop() if len(said) == 1 else Verdict.FLAKY,
        trials=[tried for trials in rounds for tried in trials],
        again=again,
    )


def _round(planned: ClientRun, case: Case) -> list[Tried]:
    """All trials of a case once; none of what had to be stopped in the middle."""
    found = []
    for trial in case.trials:
        if planned.stop.is_set():
            return []
        evidence = try_client(planned.command, trial, planned.limits, planned.stop)
        found.append(tried(case, trial, evidence))
    return [] if planned.stop.is_set() else found


def tried(case: Case, trial: Trial, evidence: Evidence) -> Tried:
    """What there is to say of one trial."""
    return _said(trial, evidence, partial(verdict, case, evidence))


def _said(trial: Trial, evidence: Evidence, decided: Callable[[list[Finding]], Verdict]) -> Tried:
    found = findings(trial, evidence)
    return Tried(
        name=trial.name,
        verdict=decided(found),
        findings=found,
        timeline=timeline(evidence.exchanges),
        output=redacted(evidence.output.strip(), with_keys(NO_KEYS, evidence.key)),
        ended=listed([how_it_ended(one) for one in evidence.ended]) if evidence.ended else "",
        seconds=max((one.seconds for one in evidence.ended), default=0),
        remark=remark_on(evidence),
    )


def of_story(story: Story, evidence: Evidence) -> Tried:
    """What there is to say of one story."""
    return _said(story.trial(), evidence, verdict_of)


def how_it_ended(one: Ended) -> str:
    """In words."""
    if one.code is None:
        return "ended by force"
    return f"signal {-one.code}" if one.code < 0 else f"exit code {one.code}"


def remark_on(evidence: Evidence) -> str:
    """What is in the way of a verdict, in a sentence."""
    remarks = []
    if evidence.undelivered:
        remarks.append(f"planned and never delivered: {listed([str(one) for one in evidence.undelivered])}")
    if evidence.unread:
        remarks.append(f"not looked through for the key: {counted(evidence.unread, 'file')} beyond {MOST_READ}")
    return "; ".join(remarks)
