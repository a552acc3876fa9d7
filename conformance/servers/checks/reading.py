"""What every answer keeps, and what reading a task gives, however often."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from safelight.conformance.checks import CHECKS
from safelight.conformance.recordings.checks import RECORDED, Asked
from safelight.conformance.recordings.speech import Speech
from safelight.conformance.servers.answers import came
from safelight.conformance.servers.bank import Banked
from safelight.conformance.servers.check import Broken, Cost, asking, probing, watching
from safelight.conformance.servers.gate import ECHOED, Gate
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.probe import Probe, Risk, Wanted, poll, query
from safelight.conformance.servers.samples import NEVER_ISSUED
from safelight.contracts import problems
from safelight.contracts.dialects import ERRORS
from safelight.contracts.lifecycle import FINAL
from safelight.contracts.wording import counted
from safelight.traffic.exchange import Exchange, object_of

Answered = Sequence[tuple[Probe, Exchange]]


@watching("S13")
def _error_shape(answered: Answered, options: Options) -> Iterator[Broken]:
    return _as_recorded("S13", answered, options)


@watching("S14")
def _not_a_5xx(answered: Answered, options: Options) -> Iterator[Broken]:
    return _as_recorded("S14", answered, options)


def _as_recorded(name: str, answered: Answered, options: Options) -> Iterator[Broken]:
    """What the check of the same id says of recorded traffic."""
    check, speech, fact = RECORDED[name], Speech(options.vocabulary, options.errors), CHECKS[name].fact
    for probe, exchange in answered:
        recorded = Asked(exchange, speech)
        for breach in check.breaches(recorded) if check.is_asked(recorded) else ():
            rule = breach.rule if breach.rule != name else ""
            near = _form(exchange.answer, options) if name == "S13" else ""
            yield Broken(f"{breach.sentence}{near}", fact, came(exchange), rule, probe=probe)


def _form(answer: bytes, options: Options) -> str:
    """The form of an error that is not the one asked for, where it is another that is known."""
    known = [name for name, schema in ERRORS.items() if not problems(schema, answer)]
    return "" if options.errors in known else "".join(f", as with --errors {name}" for name in known[:1])


@watching("S15")
def _key_not_reflected(answered: Answered, _: Options) -> Iterator[Broken]:
    for probe, exchange in answered:
        for place in exchange.leaks:
            yield Broken(f"the key stands in {place or ECHOED}", CHECKS["S15"].fact, came(exchange), probe=probe)


@probing("S40", Cost.FREE)
def _unknown_id(_: Options) -> Iterator[Probe]:
    for what, task_id in {
        "a UUID": NEVER_ISSUED,
        "digits": "9007199254740993",
        "0": "0",
        "-1": "-1",
        "2^64": str(2**64),
        "300 characters": "a" * 300,
        "quotes": "' OR '1'='1",
        "double quotes": '"";--',
        "a path": "../../etc/passwd",
        "null": "null",
        "undefined": "undefined",
        "a NUL": "\0",
        "another letter": "\N{SNOWMAN}",
    }.items():
        yield poll(task_id, f"a poll of {what}", wanted=Wanted((404, 400)), risk=Risk.MISSING)
    yield poll("", "a poll of an empty id", wanted=Wanted((400, 404)), risk=Risk.MISSING)


#: Bad requests that are free, in words, and their queries: each is sent twice.
_TWICE: Final = {
    "a poll of an id that was never issued": query("task_status", task_id=NEVER_ISSUED),
    "an unknown endpoint": query("safelight_knows_none"),
    "a poll without an id": query("task_status"),
}


@probing("S36", Cost.FREE)
def _consistency(_: Options) -> Iterator[Probe]:
    for what, text in _TWICE.items():
        for time in ("once", "once more"):
            yield Probe(f"{what}, {time}", query=text, is_compared=True)


_READS: Final = 5


@asking("S42", requests=_READS)
async def _final_is_final(gate: Gate, task: Banked, _: Options) -> AsyncIterator[Broken]:
    probe = poll(task.task_id)
    reads = [await gate.send(probe) for _ in range(_READS)]
    documents = [object_of(one.answer) for one in reads]
    odd = [one for one, document in zip(reads, documents, strict=True) if document != documents[0]]
    if lively := [one for one in reads if one.phase not in FINAL]:
        yield Broken("a task that was finished is not any more", "as it had ended", came(lively[0]), probe=probe)
    if odd:
        yield Broken(
            f"{counted(len(odd), 'read')} of {_READS} differ from the first", came(reads[0]), came(odd[0]), probe=probe
        )


@asking("S44", requests=1)
async def _no_shared_cache(gate: Gate, task: Banked, options: Options) -> AsyncIterator[Broken]:
    probe = poll(task.task_id)
    for one in _as_recorded("S44", [(probe, await gate.send(probe))], options):
        yield one
