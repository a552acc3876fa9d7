"""What a client sends, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf
from statistics import median
from typing import Any
from urllib.parse import parse_qs, urlsplit

from safelight.conformance.clients.evidence import Evidence
from safelight.conformance.clients.expectations import expectation
from safelight.conformance.clients.sight import (
    TOLERANCE,
    fetches,
    gaps,
    kind_of,
    polls,
    polls_by_task,
    submits,
)
from safelight.contracts.wording import counted, shown
from safelight.traffic.exchange import Exchange, object_of


@expectation()
def sends(evidence: Evidence, *, at_most: int) -> Iterator[str]:
    """At most {at_most} submits are sent, accepted or not."""
    if len(submits(evidence)) > at_most:
        yield f"{counted(len(submits(evidence)), 'submit')} came in; {at_most} was the most that makes sense"


@expectation()
def asks(evidence: Evidence, *, at_least: int = 0, at_most: float = inf) -> Iterator[str]:
    """From {at_least} to {at_most} polls are sent."""
    count = len(polls(evidence))
    if not at_least <= count <= at_most:
        wanted = f"{at_least} or more" if count < at_least else f"{at_most} at most"
        yield f"{counted(count, 'poll')} came in; {wanted} were due"


@expectation()
def is_bounded(evidence: Evidence, *, requests: int = 20) -> Iterator[str]:
    """At most {requests} requests are sent."""
    if len(evidence.exchanges) > requests:
        yield f"{len(evidence.exchanges)} requests came in; {requests} is the bound"


@expectation()
def waits(evidence: Evidence, *, kind: str, number: int, seconds: float) -> Iterator[str]:
    """After {kind} {number}, the next {kind} comes {seconds} s later or more."""
    same = [one for one in evidence.exchanges if kind_of(one) == kind]
    for gap in gaps(same)[number - 1 : number]:
        if gap < seconds - TOLERANCE:
            yield f"the {kind} after {kind} {number} came {gap:.2f} s later; {seconds:g} s were asked for"


@expectation()
def gaps_grow(evidence: Evidence, *, kind: str) -> Iterator[str]:
    """The gaps after failed {kind}s grow from one to the next."""
    same = [one for one in evidence.exchanges if kind_of(one) == kind]
    failed = [after.at - before.at for before, after in pairwise(same) if before.fault]
    if len(failed) > 1 and not failed[-1] > failed[0] * 1.3:
        yield f"the gaps after failed {kind}s do not grow: {_seconds(failed)}"


@expectation()
def is_paced(evidence: Evidence, *, share: float = 0.9) -> Iterator[str]:
    """The median gap between polls is at least {share} of the interval given."""
    for same in polls_by_task(evidence):
        if len(same) > 1 and median(gaps(same)) < share * evidence.limits.poll - TOLERANCE:
            yield f"the median gap of polls is {median(gaps(same)):.3f} s; the interval is {evidence.limits.poll:g} s"


@expectation()
def is_no_burst(evidence: Evidence) -> Iterator[str]:
    """The median gap between polls is at least 0.1 s."""
    for same in polls_by_task(evidence):
        if len(same) > 1 and median(gaps(same)) < 0.1 - TOLERANCE:
            yield f"the median gap between polls is {median(gaps(same)):.3f} s: that is no pace, it is a burst"


def _seconds(found: Sequence[float]) -> str:
    return ", ".join(f"{one:.2f}" for one in found) + " s"


@expectation()
def returns_the_id(evidence: Evidence) -> Iterator[str]:
    """Each poll has the id of the submit's answer, character by character."""
    ids = {task.id for task in evidence.tasks}
    for one in polls(evidence):
        sent = parse_qs(urlsplit(one.target).query, keep_blank_values=True).get("task_id", [""])[-1]
        if sent not in ids:
            yield f"the task is {shown(next(iter(ids), ''))}, and the client polled {shown(sent)}"
            return
    if not polls(evidence):
        yield "no poll came in"


@expectation()
def submits_well(evidence: Evidence) -> Iterator[str]:
    """The submit is a POST with `endpoint` in the query, a JSON body that is called so, and the key in a header."""
    for one in submits(evidence)[:1]:
        yield from _how(one)
    if not submits(evidence):
        yield "no submit came in"


def _how(submit: Exchange) -> Iterator[str]:
    stated = submit.headers.get("content-type", "")
    if stated.partition(";")[0].strip().casefold() != "application/json":
        yield f"the content type of the submit is {shown(stated)}; the body is JSON"
    if not object_of(submit.body):
        yield "the body of the submit is no JSON object"
    if not {"x-api-key", "authorization"} & submit.headers.keys():
        yield "the submit has the key in no header"


@expectation()
def keeps_the_prefix(evidence: Evidence) -> Iterator[str]:
    """Each request to the API is below the prefix of the base URL."""
    entry = urlsplit(evidence.url).path
    outside = [one for one in evidence.exchanges if kind_of(one) != "image" and not one.target.startswith(entry)]
    if outside or not evidence.exchanges:
        yield f"the base URL ends in {entry}, and {shown(outside[0].target) if outside else 'nothing'} was asked for"


@expectation()
def sends_parameters(evidence: Evidence) -> Iterator[str]:
    """Each parameter arrives with the value and the type it was given."""
    for one in submits(evidence)[:1]:
        sent = object_of(one.body)
        for name, value in evidence.request.items():
            if name not in sent:
                yield f"{name} was not sent; it was to be {shown(value)}"
            elif not _is_same(sent[name], value):
                yield f"{name} arrived as {shown(sent[name])}; it was to be {shown(value)}"


def _is_same(sent: Any, given: Any) -> bool:
    """JSON has one type of number: 0 is 0.0, and true is not 1."""
    return isinstance(sent, bool) is isinstance(given, bool) and bool(sent == given)


@expectation()
def fetches_again(evidence: Evidence) -> Iterator[str]:
    """A picture that was not there is asked for once more."""
    if len(fetches(evidence)) <= 1:
        yield f"the picture was asked for {counted(len(fetches(evidence)), 'time')}; it was there a little later"
