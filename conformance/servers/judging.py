"""From what a check saw to its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from safelight.conformance.report.timeline import timeline
from safelight.conformance.results import Result, Tried
from safelight.conformance.servers.answers import came
from safelight.conformance.servers.check import Broken, Cost, ServerCheck
from safelight.conformance.servers.curl import curl
from safelight.conformance.servers.plan import COSTS
from safelight.conformance.servers.probe import Pocket, Probe
from safelight.conformance.servers.taken import is_taken, task_id_of
from safelight.conformance.verdicts import Finding, Severity, Verdict, verdict_of
from safelight.contracts.rules import Provenance
from safelight.contracts.rules import rule as rule_of
from safelight.contracts.wording import counted, shown
from safelight.traffic.exchange import Exchange, object_of

if TYPE_CHECKING:
    from safelight.conformance.servers.running import ServerRun

#: Findings of one check that a report has; the rest is counted.
MAX_FINDINGS: Final = 20

#: ... and findings of one rule.
MAX_OF_A_RULE: Final = 5


@dataclass(slots=True)
class Seen:
    """What one check saw."""

    exchanges: list[Exchange] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    seconds: float = 0
    #: Requests that were not sent, and why.
    left: int = 0
    remark: str = ""
    #: Why there was nothing to see, in a sentence.
    obstacle: str = ""
    #: One of its requests was wrongly taken: the rest is not sent.
    has_ended: bool = False

    def add(self, exchange: Exchange, seconds: float) -> None:
        """One more request."""
        self.exchanges.append(exchange)
        self.seconds += seconds


def of_probe(probe: Probe, exchange: Exchange) -> Iterator[Broken]:
    """What is wrong with the answer to a probe. An answer that did not come says nothing."""
    if probe.pocket is not Pocket.NONE and is_taken(probe, exchange):
        task = f" as task {shown(task_id_of(exchange))}"
        yield replace(_broken(f"{probe.what}: taken{task}", probe, exchange), lost=probe.price)
    elif probe.wanted and exchange.status and exchange.status not in probe.wanted.statuses:
        yield _broken(f"{probe.what}: answered with {exchange.status}", probe, exchange)


def _broken(sentence: str, probe: Probe, exchange: Exchange) -> Broken:
    wanted = str(probe.wanted) if probe.wanted else "an error"
    return Broken(sentence, wanted, came(exchange), probe.rule, probe.pointer, probe)


def of_pair(probe: Probe, before: Exchange | None, exchange: Exchange) -> Iterator[Broken]:
    """What is wrong where the same request was answered in two ways."""
    if before is None or before.target != exchange.target:
        return
    if (before.status, object_of(before.answer)) != (exchange.status, object_of(exchange.answer)):
        yield Broken(f"{probe.what}: another answer", came(before), came(exchange), probe=probe)


def judged(check: ServerCheck, seen: Seen, run: ServerRun) -> Result:
    """The result of a check."""
    if check.id in run.plan.not_asked:
        remark = run.plan.not_asked[check.id]
        return _result(check, run, Tried("", Verdict.NOT_ASKED, [], remark=remark))
    _judge(check, seen, run)
    found = [_finding(check, one, run) for one in seen.broken]
    verdict = verdict_of(found, is_info=check.about.severity is Severity.INFO and bool(found))
    remark = _remark(check, seen, run)
    lost = [one for one in seen.exchanges if not one.status and not check.judge]  # one of many polls may be
    if verdict not in (Verdict.FAIL, Verdict.NON_STRICT):
        verdict = Verdict.INCOMPLETE if _is_incomplete(check, seen, run) else Verdict.INCONCLUSIVE if lost else verdict
        remark = remark or (f"{counted(len(lost), 'request')} had no answer: {lost[0].wire}" if lost else "")
    shown_ones = _bounded(found)
    return _result(check, run, Tried("", verdict, shown_ones, timeline(seen.exchanges), "", "", seen.seconds, remark))


def _judge(check: ServerCheck, seen: Seen, run: ServerRun) -> None:
    """What only stands at the end: the judgement of paid tasks, and of all that went over the wire."""
    if check.watch:
        seen.broken += check.watch(run.gate.answered, run.plan.options)
    if check.judge:
        shared = "S50" if check.cost is Cost.SHARED else check.id
        for harvest in (one for one in run.harvests if one.check in (check.id, shared)):
            for one in check.judge(harvest, run.plan.options):
                seen.broken.append(one if one.probe else replace(one, probe=harvest.shown_by))
            seen.exchanges += [one for one in (harvest.submitted, *harvest.polls, harvest.picture) if one]
            if harvest.obstacle and (harvest.task_id is None or check.of == "picture"):
                seen.obstacle = harvest.obstacle
            elif not getattr(harvest, check.of):
                seen.obstacle = harvest.obstacle or f"there was nothing to judge: {harvest.end}"


def _is_incomplete(check: ServerCheck, seen: Seen, run: ServerRun) -> bool:
    return bool(seen.left or seen.obstacle or (run.stopped and not check.watch))


def _remark(check: ServerCheck, seen: Seen, run: ServerRun) -> str:
    if seen.left:
        return f"{counted(seen.left, 'request')} not sent: {seen.remark}"
    return run.stopped or seen.obstacle or seen.remark or (_HELD_BACK if run.plan.is_held_back(check) else "")


#: Why a check that is free has not sent all that it could.
_HELD_BACK: Final = "in part, as what they send could be billed if it is taken, and --max-surprise is 0"


def _bounded(found: list[Finding]) -> list[Finding]:
    """The worst findings, each sentence once; how many more there are stands in the last."""
    once = {(one.sentence, one.got): one for one in found}.values()
    unique = sorted(once, key=lambda one: list(Severity).index(one.severity))
    of_rule = Counter[str]()
    told = list[Finding]()
    for one in unique:
        of_rule[one.rule] += 1
        if of_rule[one.rule] <= MAX_OF_A_RULE and len(told) < MAX_FINDINGS - 1:
            told.append(one)
    rest = [one for one in unique if one not in told]
    more = [Finding(_MORE, rest[0].severity, f"and {len(rest):,} more of this check")] if rest else []
    return told + more


#: The rule of what stands for further findings: no waiver of one rule hides them.
_MORE: Final = "more"


def _finding(check: ServerCheck, broken: Broken, run: ServerRun) -> Finding:
    provenance = rule_of(broken.rule).provenance if broken.rule else None
    is_text = broken.rule.startswith("json.")  # that answers are JSON is published, what that means is assumed
    is_ours = provenance is Provenance.ASSUMED and not (run.plan.options.is_strict or is_text)
    probe = broken.probe
    return Finding(
        broken.rule or check.about.name,
        Severity.INFO if is_ours else check.about.severity,
        broken.sentence,
        lost=broken.lost,
        pointer=broken.pointer,
        provenance=str(provenance or ""),
        expected=broken.expected,
        got=broken.got,
        curl=curl(run.gate.entry.url, probe) if probe else "",
    )


def _result(check: ServerCheck, run: ServerRun, tried: Tried) -> Result:
    return Result(
        check.id,
        check.about.fact,
        check.about.severity,
        tried.verdict,
        group=check.about.group,
        does=f"{counted(len(tried.timeline), 'request')}, {COSTS[check.cost]}" if tried.timeline else COSTS[check.cost],
        trials=[tried],
        again=f"{run.command or f'safelight check server {run.gate.entry.url}'} --only {check.id}",
    )
