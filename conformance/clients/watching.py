"""A program that cannot be wrapped: it runs beside one fake, and all that it sends is judged by U1 to U9."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from math import inf
from secrets import token_hex
from threading import Event
from typing import Final

from safelight.conformance.clients.case import Trial
from safelight.conformance.clients.evidence import Ended, Evidence, Limits, Seen
from safelight.conformance.clients.judgement import NOTHING
from safelight.conformance.clients.process import run
from safelight.conformance.clients.runner import how_it_ended, remark_on
from safelight.conformance.clients.sight import arrived, submits
from safelight.conformance.clients.universal import Rule, universal
from safelight.conformance.report.timeline import timeline
from safelight.conformance.results import Result, Tried
from safelight.conformance.verdicts import Finding, Severity, Verdict, verdict_of
from safelight.contracts.secrets import NO_KEYS, redacted, with_keys
from safelight.mockserver.model.addresses import without_proxy
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.service.service import Service

#: As many submits as it likes: nobody knows how many jobs it has.
_ANY: Final = Trial("", {}, accepted=(0, inf))


def watch(
    service: Service, key: str, url: str, command: Sequence[str], *, interval: float, stop: Event
) -> tuple[Ended, Evidence]:
    """Run a program beside a fake that is there, and show what it writes. Raises `CannotStart`."""
    seen = Seen(fingerprint(key))
    name, mark = "SAFELIGHT_TRIAL", token_hex(16)
    told = {"SAFELIGHT_BASE_URL": url, "SAFELIGHT_API_KEY": key, name: mark}
    with service.watched(seen.begin, seen.end):
        ended = run(
            command,
            {**os.environ, **without_proxy(os.environ), **told},
            seconds=inf,
            mark=f"{name}={mark}",
            stop=stop,
            shows=True,
        )
    with service.sessions.enter(key) as session:
        tasks, ledger, undelivered = session.tasks, list(session.ledger), session.plan.undelivered()
    return ended, Evidence(
        key=key,
        url=url,
        request={},
        limits=Limits(interval, inf, inf),
        exchanges=seen.exchanges,
        ledger=ledger,
        tasks=tasks,
        pictures={},
        ended=[ended],
        files=[],
        undelivered=undelivered,
    )


def results(evidence: Evidence, again: str) -> list[Result]:
    """One result a rule, of all that a program has sent."""
    return [_result(rule, evidence, again) for rule in universal().values()]


def _paid_twice(evidence: Evidence) -> Iterator[Finding]:
    """A submit that was accepted, and whose answer was lost, is not sent again."""
    lost: dict[bytes, int] = {}
    for number, one in enumerate(submits(evidence), 1):
        if one.task_id and one.body in lost:
            price = -sum(float(entry.credits) for entry in evidence.ledger if entry.task_id == one.task_id)
            sentence = f"submit {number} repeats submit {lost[one.body]}, which was accepted: {price:g} credits lost"
            yield Finding("U1", Severity.MUST_MONEY, sentence, price)
        if one.task_id and (one.fault or not arrived(one)):
            lost[one.body] = number


def _verdict(evidence: Evidence, found: Sequence[Finding]) -> Verdict:
    """A fault that was planned and never came has tested nothing, and neither has a program that sent nothing."""
    if not evidence.exchanges:
        return Verdict.INCOMPLETE
    said = verdict_of(found)
    return Verdict.INCONCLUSIVE if evidence.undelivered and said is not Verdict.FAIL else said


def _result(rule: Rule, evidence: Evidence, again: str) -> Result:
    found = [*rule.look(_ANY, evidence), *(_paid_twice(evidence) if rule.id == "U1" else ())]
    tried = Tried(
        name="",
        verdict=_verdict(evidence, found),
        remark=remark_on(evidence) if evidence.exchanges else NOTHING.sentence,
        findings=found,
        timeline=timeline(evidence.exchanges),
        output=redacted(evidence.output.strip(), with_keys(NO_KEYS, evidence.key)),
        ended=", ".join(how_it_ended(one) for one in evidence.ended),
        seconds=max((one.seconds for one in evidence.ended), default=0),
    )
    return Result(
        id=rule.id,
        fact=rule.fact,
        severity=rule.severity,
        verdict=tried.verdict,
        group="What holds in every case",
        trials=[tried],
        again=again,
    )
