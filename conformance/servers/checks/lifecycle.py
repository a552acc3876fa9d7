"""What a paid task does, from its submit to its end."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from safelight.conformance.checks import CHECKS
from safelight.conformance.oracle.oracle import Oracle
from safelight.conformance.servers.answers import came, first_problem
from safelight.conformance.servers.check import Broken, Cost, harvesting
from safelight.conformance.servers.harvest import Harvest
from safelight.conformance.servers.options import Options
from safelight.contracts.wording import counted
from safelight.traffic.exchange import object_of


@harvesting("S50", of="submitted")
def _submit_minimal(harvest: Harvest, _: Options) -> Iterator[Broken]:
    submitted = harvest.submitted
    if submitted is None or submitted.status in (0, HTTPStatus.PAYMENT_REQUIRED):
        return  # nothing is known of it
    if submitted.status != HTTPStatus.OK:
        yield Broken("a valid submit is not answered with 200", "200", came(submitted), probe=harvest.probe)
    elif problem := first_problem(harvest.variant, submitted):
        where = (problem.rule, problem.pointer)
        yield Broken(problem.message, harvest.variant, came(submitted), *where, harvest.probe)


@harvesting("S51")
def _read_your_write(harvest: Harvest, _: Options) -> Iterator[Broken]:
    unseen = [one for one in harvest.polls if one.status == HTTPStatus.NOT_FOUND]
    known = next((one for one in harvest.polls if one.status == HTTPStatus.OK), None)
    if unseen and harvest.submitted:
        late = f"{known.at - harvest.submitted.at:.1f} s" if known else "never"
        yield Broken(f"{counted(len(unseen), 'poll')} did not know the task; it was known after {late}", "200", "404")


@harvesting("S52")
def _legal_lifecycle(harvest: Harvest, options: Options) -> Iterator[Broken]:
    yield from impossible("S52", harvest, options)


def impossible(check: str, harvest: Harvest, options: Options) -> Iterator[Broken]:
    """What the oracle says of the task that this check is about."""
    oracle = Oracle(options.vocabulary)
    submitted = [harvest.submitted] if harvest.submitted else []
    for exchange in sorted([*submitted, *harvest.reads], key=lambda one: one.at):
        for one in oracle.see(exchange):
            if one.check == check:
                yield Broken(one.sentence, CHECKS[check].fact, came(exchange))


@harvesting("S53", of="polls")
def _liveness(harvest: Harvest, _: Options) -> Iterator[Broken]:
    if harvest.given_up:
        yield Broken(f"the task had {harvest.given_up}", "a final phase", came(harvest.polls[-1]))


@harvesting("S54", of="settled", requests=5)
def _terminal_stable(harvest: Harvest, options: Options) -> Iterator[Broken]:
    found = list(impossible("S54", harvest, options))
    yield from found
    if harvest.last is None or found:
        return
    end = object_of(harvest.last.answer)
    for one in (*harvest.parallel, *harvest.settled):
        if object_of(one.answer) != end:
            late = f"{one.at - harvest.last.at:.1f} s after its end"
            yield Broken(f"the answer changed {late}", came(harvest.last), came(one))


@harvesting("S55")
def _status_schema(harvest: Harvest, options: Options) -> Iterator[Broken]:
    schema = f"task_status.response.{options.vocabulary}"
    for one in harvest.reads:
        if one.status == HTTPStatus.OK and (problem := first_problem(schema, one)):
            yield Broken(problem.message, schema, came(one), problem.rule, problem.pointer)
    yield from impossible("S55", harvest, options)


@harvesting("S57")
def _progress(harvest: Harvest, options: Options) -> Iterator[Broken]:
    yield from impossible("S57", harvest, options)


@harvesting("S58", of="burst", requests=10)
def _fast_polls(harvest: Harvest, _: Options) -> Iterator[Broken]:
    for one in harvest.burst:
        if one.status == HTTPStatus.TOO_MANY_REQUESTS:
            if "retry-after" not in one.answer_headers:
                yield Broken("a poll was throttled without Retry-After", "Retry-After", came(one))
        elif one.status != HTTPStatus.OK:
            yield Broken(f"a poll among ten fast ones: {came(one)}", "200 or 429", came(one))


@harvesting("S59", of="parallel", requests=20)
def _parallel_reads(harvest: Harvest, _: Options) -> Iterator[Broken]:
    for one in harvest.parallel:
        if one.status not in (HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS):
            yield Broken(f"a poll among ten at once: {came(one)}", "200", came(one))
    told = {one.answer for one in harvest.parallel if one.status == HTTPStatus.OK}
    if len(told) > 1:
        yield Broken(f"ten polls at once got {len(told)} different answers", "one answer", f"{len(told)} answers")


@harvesting("S61", Cost.MORE, of="picture")
def _both_variants(harvest: Harvest, options: Options) -> Iterator[Broken]:
    from safelight.conformance.servers.check import checks  # noqa: PLC0415 - the registry is full only then

    for name in ("S50", "S51", "S52", "S53", "S54", "S55", "S56", "S57"):
        judge = checks()[name].judge
        assert judge
        yield from judge(harvest, options)
