"""What holds in every case, U1 to U9: each rule is a generator that yields what it saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from urllib.parse import parse_qs, urlsplit

from safelight.conformance.clients.case import Trial
from safelight.conformance.clients.evidence import Evidence
from safelight.conformance.clients.sight import (
    TOLERANCE,
    accepted,
    end_of,
    kind_of,
    polls_by_task,
    submits,
    told_final,
)
from safelight.conformance.clients.trying import MAX_LATE_SECONDS
from safelight.conformance.verdicts import Finding, Severity
from safelight.contracts.wording import counted, shown
from safelight.traffic.exchange import Exchange
from safelight.traffic.leaks import how_held


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that holds in every case."""

    id: str
    severity: Severity
    #: The rule, as a sentence.
    fact: str
    look: Callable[[Trial, Evidence], Iterator[Finding]]


_REGISTRY: Final[dict[str, Rule]] = {}

Look = Callable[[Trial, Evidence], Iterator[Finding]]


def rule(name: str, severity: Severity) -> Callable[[Look], Look]:
    """Register a rule; the first line of its docstring is its documentation."""

    def register(look: Look) -> Look:
        fact = (look.__doc__ or "").partition("\n")[0]
        _REGISTRY[name] = Rule(name, severity, fact, look)
        return look

    return register


def universal() -> Mapping[str, Rule]:
    """Id -> rule."""
    return _REGISTRY


def judged(trial: Trial, evidence: Evidence) -> Iterator[Finding]:
    """What every rule has to say of one trial."""
    for one in _REGISTRY.values():
        yield from one.look(trial, evidence)


def _finding(name: str, sentence: str, severity: Severity | None = None, lost: float = 0) -> Finding:
    return Finding(name, severity or _REGISTRY[name].severity, sentence, lost)


@rule("U1", Severity.MUST_MONEY)
def jobs_are_paid_once(trial: Trial, evidence: Evidence) -> Iterator[Finding]:
    """Accepted submits equal the jobs intended: no double billing."""
    ids, (least, most) = accepted(evidence), trial.accepted
    if len(ids) > most:
        lost = -sum(float(entry.credits) for entry in evidence.ledger if entry.task_id in ids[int(most) :])
        yield _finding("U1", f"{len(ids)} accepted, {most} wanted: {lost:g} credits lost", lost=lost)
    if len(ids) < least:
        refused = len(submits(evidence))
        why = f"{counted(refused, 'submit')} came in" if refused else "nothing was submitted"
        yield _finding("U1", f"{len(ids)} accepted, {least} wanted: {why}", Severity.MUST)


@rule("U2", Severity.SHOULD)
def the_end_is_the_end(_: Trial, evidence: Evidence) -> Iterator[Finding]:
    """No request is sent for a task after its first final answer, downloads aside."""
    for same in polls_by_task(evidence):
        ends = [number for number, one in enumerate(same, 1) if told_final(one)]
        if ends and (late := len(same) - ends[0]):
            word = same[ends[0] - 1].phase
            yield _finding("U2", f"poll {ends[0]} said {word}, and {counted(late, 'poll')} more came in")


@rule("U3", Severity.MUST_MONEY)
def the_key_stays_in_headers(_: Trial, evidence: Evidence) -> Iterator[Finding]:
    """The key is only in headers, and goes only to the API's origin."""
    away = [one for one in evidence.exchanges if one.is_at_second_origin and one.leaks]
    for one in away[:1]:
        yield _finding("U3", f"{_name(one)} took the key to another origin")
    found = [(one, place) for one in evidence.exchanges for place in one.leaks if not place.startswith("the header ")]
    for one, place in found[: 0 if away else 1]:
        yield _finding("U3", f"{place} of {_name(one)} has the key in it", Severity.SHOULD)


def _name(request: Exchange) -> str:
    return f"{request.method} {kind_of(request) or shown(request.target)}"


@rule("U4", Severity.SHOULD)
def one_poll_at_a_time(_: Trial, evidence: Evidence) -> Iterator[Finding]:
    """Never are two polls in flight for one task."""
    for same in polls_by_task(evidence):
        for before, after in pairwise(same):
            if before.fault and not _is_only_late(before):  # a client may have left an answer that never ends
                continue
            # Of a client that has left, a server hears only when it answers: it waits no longer than it was told.
            end = min(end_of(before), before.at + evidence.limits.request)
            if after.at < end - TOLERANCE:
                overlap = end - after.at
                yield _finding("U4", f"a poll came {overlap:.2f} s before the one ahead of it was answered")
                return


def _is_only_late(poll: Exchange) -> bool:
    return poll.fault.partition(": ")[2].startswith(("hang ", "drip"))


@rule("U5", Severity.MUST)
def the_process_ends(_: Trial, evidence: Evidence) -> Iterator[Finding]:
    """The process ends by the deadline plus 5 s, with all that it started."""
    for one in evidence.ended:
        if one.code is None:
            late = evidence.limits.deadline + MAX_LATE_SECONDS
            yield _finding(
                "U5",
                f"the client had not ended {late:g} s after its start; its deadline was {evidence.limits.deadline:g} s",
            )
        if one.left:
            yield _finding("U5", f"the client ended and left {one.left} of its processes running")


@rule("U6", Severity.MUST)
def ids_are_the_issued_ones(_: Trial, evidence: Evidence) -> Iterator[Finding]:
    """No id is polled that was never issued, such as `null`, `undefined` or a rounded number."""
    issued = {task.id for task in evidence.tasks}
    asked = [
        parse_qs(urlsplit(one.target).query).get("task_id", [""])[-1]
        for same in polls_by_task(evidence)
        for one in same
    ]
    wrong = [task_id for task_id in asked if task_id not in issued]
    if wrong:
        yield _finding("U6", f"{counted(len(wrong), 'poll')} for {shown(wrong[0])}, an id that was never issued")


@rule("U7", Severity.MUST)
def requests_are_the_apis(_: Trial, evidence: Evidence) -> Iterator[Finding]:
    """Each request is a known operation, and fits the request schema."""
    asked = [one for one in evidence.exchanges if one.method not in _ASK_FOR_NOTHING]
    broken = [one for one in asked if one.violations or one.operation is None]
    for one in broken[:1]:
        what = (
            one.violations[0].message
            if one.violations
            else f"{one.method} {shown(one.target)} is no request of the API"
        )
        others = f" (the first of {len(broken)})" if len(broken) > 1 else ""
        yield _finding("U7", f"{what}{others}")


#: Methods of requests that do nothing: a browser and some libraries send them by themselves.
_ASK_FOR_NOTHING: Final = frozenset({"HEAD", "OPTIONS"})


@rule("U8", Severity.SHOULD)
def polls_are_paced(_: Trial, evidence: Evidence) -> Iterator[Finding]:
    """Gaps between polls are at least half the interval given; a dead connection may be replaced at once, once."""
    least = evidence.limits.poll / 2 - TOLERANCE
    for same in polls_by_task(evidence):
        short = [gap for gap in _chosen_gaps(same) if gap < least]
        if short:
            yield _finding(
                "U8",
                f"{counted(len(short), 'gap')} between polls under {evidence.limits.poll / 2:g} s: {min(short):.3f} s",
            )


def _chosen_gaps(polls: Sequence[Exchange]) -> Iterator[float]:
    """Without the one after a connection that died: HTTP libraries send the same once more by themselves."""
    was_dead = False
    for before, after in pairwise(polls):
        is_dead = bool(before.wire) and not before.status
        if was_dead or not is_dead:
            yield after.at - before.at
        was_dead = is_dead


@rule("U9", Severity.MUST_MONEY)
def the_key_is_not_printed(_: Trial, evidence: Evidence) -> Iterator[Finding]:
    """The key is absent from output and files."""
    if (how := how_held(evidence.output.encode("utf-8", "replace"), evidence.key)) is not None:
        yield _finding("U9", f"the key stands in the output{how}")
    for files in evidence.files:
        for path, contents in files.items():
            if (how := how_held(contents, evidence.key)) is not None:
                yield _finding("U9", f"the key stands in the file {shown(path)}{how}")
