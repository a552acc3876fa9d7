"""How a client ends, and what it says: exit code, output, memory, interrupts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import unquote

from safelight.conformance.clients.evidence import Ended, Evidence
from safelight.conformance.clients.expectations import expectation
from safelight.conformance.clients.sight import accepted
from safelight.contracts.wording import counted, either, shown
from safelight.traffic.exchange import object_of


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
def names_the_task(evidence: Evidence) -> Iterator[str]:
    """The output names the id of the task: without it what was paid for cannot be fetched later."""
    for task_id in [*accepted(evidence), *evidence.given][:1]:
        if _folded(task_id) not in _said(evidence):
            yield f"the output does not name the task {shown(task_id)}"


@expectation(needs_process=True)
def says(evidence: Evidence, *, text: str) -> Iterator[str]:
    """The output says `{text}`, in capitals or not."""
    if _folded(text).casefold() not in _said(evidence).casefold():
        yield f"the output does not say {shown(text)}"


def _said(evidence: Evidence) -> str:
    """The output as it stands, as JSON that a line of it is, and as URLs that it has: however its lines break."""
    lines = evidence.output.splitlines()
    inside = [text for line in lines for text in _texts(object_of(line.encode("utf-8", "replace")))]
    return _folded("\n".join([evidence.output, *inside, unquote(evidence.output)]))


def _folded(text: str) -> str:
    return " ".join(text.split())


def _texts(value: Any) -> Iterator[str]:
    """The texts in a JSON value."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as members:
                waiting += members.values()
            case list() as items:
                waiting += items


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
    """A client that fails says why, and says nothing such as `[object Object]` or `undefined` last."""
    for one in evidence.ended:
        if one.code != 0 and not one.output.strip():
            yield "the client says nothing"
        for reason in (_said_last(one.stdout), _said_last(one.stderr)):
            yield from (f"the client says {found[0]}" for found in _UNREADABLE.finditer(reason))


#: What a runtime makes of a value that is none.
_UNREADABLE: Final = re.compile(r"\[object Object\]|\b(?:undefined|NaN)\b")


def _said_last(output: str) -> str:
    """The last line, or the reason in it where it is JSON: a log above it may say anything."""
    line = output.rstrip().rpartition("\n")[2]
    form = object_of(line.encode("utf-8", "replace"))
    return str(form.get("reason", "")) if form else line


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
    """No escape sequence of an answer reaches the terminal."""
    texts = [text for one in evidence.exchanges for text in _texts(object_of(one.answer))]
    if any(found[0] in evidence.output for text in texts for found in _ESCAPE.finditer(text)):
        yield "the output has escape sequences of the answer in it"


#: An escape, and enough of what follows to tell it from one of the client's own.
_ESCAPE: Final = re.compile(r"[\x1b\x9b].{3,6}", re.DOTALL)
