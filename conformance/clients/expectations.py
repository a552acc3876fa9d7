"""What cases expect of a client, by name: each expectation is a generator that yields what it saw instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from itertools import pairwise
from math import inf
from statistics import median
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from safelight.conformance.clients.evidence import Ended, Evidence
from safelight.conformance.clients.sight import (
    TOLERANCE,
    accepted,
    fetches,
    gaps,
    kind_of,
    polls,
    polls_by_task,
    submits,
)
from safelight.contracts.wording import counted, either, listed, shown
from safelight.traffic.exchange import Exchange, object_of

Look = Callable[..., Iterator[str]]


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expectation: its name, what it expects in a sentence, and the function that looks."""

    name: str
    fact: str
    look: Look
    #: It looks at processes and files, and not only at what the fake saw.
    needs_process: bool

    def fact_with(self, given: Mapping[str, Any]) -> str:
        """The sentence, with what the expectation is given."""
        usual = {name: one.default for name, one in signature(self.look).parameters.items()}
        return self.fact.format_map({**usual, **{name: _shown(value) for name, value in given.items()}})


def _shown(value: Any) -> str:
    return either([str(one) for one in value]) if isinstance(value, list) else str(value)


_REGISTRY: Final[dict[str, Expectation]] = {}


def expectation(*, needs_process: bool = False) -> Callable[[Look], Look]:
    """Register an expectation under its name; the first line of its docstring is its documentation."""

    def register(look: Look) -> Look:
        name, fact = look.__name__, (look.__doc__ or "").partition("\n")[0]
        _REGISTRY[name] = Expectation(name, fact, look, needs_process)
        return look

    return register


def expectations() -> Mapping[str, Expectation]:
    """Name -> expectation."""
    return _REGISTRY


@expectation(needs_process=True)
def exits(evidence: Evidence, *, codes: Sequence[int]) -> Iterator[str]:
    """The client ends with exit code {codes}."""
    for one in evidence.ended:
        if one.code is not None and one.code not in codes:
            yield f"the client ended with {_code(one)}; {either([str(code) for code in codes])} was due"


@expectation(needs_process=True)
def fails(evidence: Evidence) -> Iterator[str]:
    """The client does not end with 0."""
    if any(one.code == 0 for one in evidence.ended):
        yield "the client ended with exit code 0; it was to say that it failed"


def _code(one: Ended) -> str:
    return f"signal {-one.code}" if one.code is not None and one.code < 0 else f"exit code {one.code}"


@expectation(needs_process=True)
def saves_picture(evidence: Evidence) -> Iterator[str]:
    """The picture of its task stands in its folder, whole."""
    wanted = list(evidence.pictures.values())
    for files in evidence.files:
        if not files:
            yield "no picture was saved"
        elif not any(contents in wanted for contents in files.values()):
            sizes = listed([f"{shown(path)} of {len(contents):,} bytes" for path, contents in files.items()])
            yield f"what was saved is not the picture of the task: {sizes}"


@expectation(needs_process=True)
def saves_nothing(evidence: Evidence) -> Iterator[str]:
    """No file is left, not even an empty one."""
    for files in evidence.files:
        for path, contents in files.items():
            yield f"the file {shown(path)} of {len(contents):,} bytes was left, and there was no picture"


#: How files end that are no pictures and claim to be none.
_NO_PICTURES: Final = (".json", ".txt", ".log", ".part", ".tmp")


@expectation(needs_process=True)
def saves_only_pictures(evidence: Evidence) -> Iterator[str]:
    """What is saved as a picture is one, whole."""
    for files in evidence.files:
        for path, contents in files.items():
            if contents not in evidence.pictures.values() and not path.endswith(_NO_PICTURES):
                yield f"{shown(path)} of {len(contents):,} bytes is not the picture of the task"


@expectation(needs_process=True)
def does_not_use_the_first_answer(evidence: Evidence) -> Iterator[str]:
    """The first answer to a poll is not taken for the last."""
    if len(polls(evidence)) == 1 and any(one.code == 0 for one in evidence.ended):
        yield "the client took the first answer, which was about another task"


@expectation(needs_process=True)
def is_honest(evidence: Evidence) -> Iterator[str]:
    """Exit code 0 means that the picture of the task was saved."""
    if any(one.code == 0 for one in evidence.ended):
        for sentence in saves_picture(evidence):
            yield f"the client ended with 0, and {sentence}"


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


@expectation(needs_process=True)
def names_the_task(evidence: Evidence) -> Iterator[str]:
    """The output names the id of the task: without it what was paid for cannot be fetched later."""
    for task_id in [*accepted(evidence), *evidence.given][:1]:
        if task_id not in evidence.output:
            yield f"the output does not name the task {shown(task_id)}"


@expectation(needs_process=True)
def says(evidence: Evidence, *, text: str) -> Iterator[str]:
    """The output says `{text}`, in capitals or not."""
    if text.casefold() not in evidence.output.casefold():
        yield f"the output does not say {shown(text)}"


#: What a runtime prints of a program that has crashed, or text that no person was meant to see.
_TRACES: Final = (
    (re.compile(r"Traceback \(most recent call last\)"), "a traceback"),
    (
        re.compile(r"^\s+at .+[:(]\S*:\d+:\d+\)?$|Unhandled(Promise)?Rejection|triggerUncaughtException", re.MULTILINE),
        "a stack trace",
    ),
    (re.compile(r"^panic: |goroutine \d+ \[|^thread '.*' panicked", re.MULTILINE), "a panic"),
    (re.compile(r"Exception in thread |^Caused by: |\bat [\w.$]+\([\w.]+\.java:\d+\)", re.MULTILINE), "a stack trace"),
    (re.compile(r"core dumped|Segmentation fault", re.IGNORECASE), "a crash"),
)


@expectation(needs_process=True)
def has_no_trace(evidence: Evidence) -> Iterator[str]:
    """The output has no stack trace: the client says what happened in its own words."""
    for pattern, what in _TRACES:
        if pattern.search(evidence.output):
            yield f"the output has {what}"
            return


@expectation(needs_process=True)
def is_readable(evidence: Evidence) -> Iterator[str]:
    """The output says something, and nothing such as `[object Object]` or `undefined`."""
    if not evidence.output.strip():
        yield "the client says nothing"
    for text in ("[object Object]", "undefined", "NaN"):
        if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", evidence.output):
            yield f"the output says {text}"


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
    if len(failed) > 1 and not all(after > before * 1.2 for before, after in pairwise(failed)):
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
    return type(sent) is type(given) and sent == given


@expectation()
def fetches_again(evidence: Evidence) -> Iterator[str]:
    """A picture that was not there is asked for once more."""
    if len(fetches(evidence)) <= 1:
        yield f"the picture was asked for {counted(len(fetches(evidence)), 'time')}; it was there a little later"


@expectation(needs_process=True)
def stays_in_its_folder(evidence: Evidence) -> Iterator[str]:
    """Nothing is written outside of the folder that was given."""
    if evidence.stray:
        yield f"{shown(evidence.stray[0])} was written outside of the folder that was given"


@expectation(needs_process=True)
def takes_memory(evidence: Evidence, *, at_most_megabytes: int) -> Iterator[str]:
    """The process takes at most {at_most_megabytes} MB of memory."""
    for one in evidence.ended:
        if one.memory > at_most_megabytes * 1_000_000:
            yield f"the client took {one.memory // 1_000_000} MB of memory; {at_most_megabytes} MB is the bound"


@expectation(needs_process=True)
def falls_silent(evidence: Evidence, *, within: float = 2.0) -> Iterator[str]:
    """{within} seconds after it was interrupted, the client sends nothing any more."""
    if evidence.interrupted is None:
        yield "the client was never interrupted: it sent no poll"
        return
    late = [one for one in evidence.exchanges if one.at > evidence.interrupted + within]
    if late:
        yield f"{counted(len(late), 'request')} came more than {within:g} s after the interrupt"


@expectation(needs_process=True)
def passes_no_escapes(evidence: Evidence) -> Iterator[str]:
    """No control character of an answer reaches the terminal."""
    if "\x1b" in evidence.output or "\x07" in evidence.output:
        yield "the output has escape sequences of the answer in it"


@expectation(needs_process=True)
def saves_own_pictures(evidence: Evidence) -> Iterator[str]:
    """Each process has the picture of its own prompt."""
    for number, files in enumerate(evidence.files, 1):
        own = [task for task in evidence.tasks if str(task.request["prompt"]).endswith(f", picture {number}")]
        wanted = [evidence.pictures[task.id] for task in own]
        if not any(contents in wanted for contents in files.values()):
            others = [task for task in evidence.tasks if evidence.pictures[task.id] in files.values()]
            what = f"the picture of {shown(others[0].request['prompt'])}" if others else "no picture of this run"
            yield f"process {number} has {what}, not its own"
