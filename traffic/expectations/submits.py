"""What is expected of submits: each that is accepted is paid for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from safelight.contracts import Phase, schema
from safelight.contracts.wording import counted, did_you_mean, listed, shown
from safelight.traffic.exchange import abridged_text, object_of
from safelight.traffic.expectations.equality import same
from safelight.traffic.expectations.requests import end_told, is_accepted, is_submit
from safelight.traffic.expectations.unmet import UnmetExpectation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from safelight.traffic.exchange import Exchange


def submitted_once(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """One submit was accepted: each further one is paid for."""
    submits = [exchange for exchange in seen if is_submit(exchange)]
    accepted = [exchange for exchange in submits if is_accepted(exchange)]  # also those whose answer was lost
    match len(accepted), len(submits):
        case 1, _:
            return None
        case 0, 0:
            return UnmetExpectation("the client never submitted anything")
        case 0, refused:
            return UnmetExpectation(f"no submit of the client was accepted; {refused} came in", submits)
        case times, _:
            return UnmetExpectation(f"the client submitted {times} times, and each submit is paid for", accepted)


def submitted(seen: Iterable[Exchange], wanted: Mapping[str, Any]) -> UnmetExpectation | None:
    """Some submit, accepted or not, was sent with these parameters."""
    submits = [exchange for exchange in seen if is_submit(exchange)]
    if not submits:
        return UnmetExpectation("the client never submitted anything")
    differences = [list(_differences(wanted, exchange)) for exchange in submits]
    nearest = min(differences, key=len)
    if not nearest:
        return None
    which = "the submit" if len(submits) == 1 else f"the nearest of {len(submits)} submits"
    return UnmetExpectation(f"in {which}, {listed(nearest)}", submits)


def results_fetched(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """Nothing is paid for and not fetched: each task was polled to its end, and the file of one that is done fetched.

    A submit whose answer a fault has spoiled is left out: its client may not know the id.
    """
    exchanges = list(seen)
    for submit in exchanges:
        if is_accepted(submit) and not submit.fault and (what := _left(exchanges, str(submit.task_id))):
            about = [exchange for exchange in exchanges if exchange.task_id == submit.task_id]
            return UnmetExpectation(f"task {shown(submit.task_id)} is paid for, and {what}", about)
    return None


def _left(exchanges: Sequence[Exchange], task_id: str) -> str:
    """What a client has left undone with a task."""
    about = [exchange for exchange in exchanges if exchange.task_id == task_id]
    polls = [exchange for exchange in about if exchange.operation == "task_status"]
    ends = {end_told(exchange) for exchange in polls} - {None}
    if not ends and not any(exchange.fault and exchange.phase in (Phase.DONE, Phase.FAILED) for exchange in polls):
        return f"was polled {counted(len(polls), 'time')}, and not to its end" if polls else "was never polled"
    is_fetched = any(exchange.operation == "upload" and exchange.method == "GET" for exchange in about)
    return "its file was never fetched" if Phase.DONE in ends and not is_fetched else ""


def _differences(wanted: Mapping[str, Any], submit: Exchange) -> Iterator[str]:
    """What a submit has otherwise than expected, as parts of a sentence."""
    sent = object_of(submit.body)
    known = schema(f"{submit.operation}.request")["properties"]
    for name, value in wanted.items():
        if name not in sent:
            yield f"{name} was not sent" + ("" if name in known else did_you_mean(name, {**sent, **known}).rstrip("?"))
        elif not same(abridged_text(value), abridged_text(sent[name])):
            yield f"{name} was {_exactly(sent[name], value)}, not {_exactly(value, sent[name])}"


def _exactly(value: Any, other: Any) -> str:
    """A value as a sentence has it: written out where otherwise two that differ would read the same."""
    return shown(value) if shown(value) != shown(other) else repr(value)
