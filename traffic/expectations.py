"""What a test expects of a client: pure functions over the exchanges of a journal or a recording.

Each gives an `UnmetExpectation` where it does not hold, and nothing where it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts import FINAL, operations, schema
from safelight.contracts.secrets import redacted
from safelight.contracts.wording import counted, did_you_mean, listed, shown
from safelight.traffic.exchange import abridged_text, object_of
from safelight.traffic.request_kinds import REQUEST_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from safelight.traffic.exchange import Exchange

#: What stands in the journal in the place of a key.
_MARK: Final = "sk-..."

_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class Missed(NamedTuple):
    """A fault rule whose fault was never delivered, and why."""

    #: The fault rule, as it reads.
    rule: str
    #: The kind of request that it is about.
    kind: str
    reason: str
    #: A request came that it was to strike, and nothing came of it: the reason says why.
    was_due: bool = False

    def __str__(self) -> str:
        return f"{self.rule} ({self.reason})"


@dataclass(eq=False)
class UnmetExpectation(AssertionError):
    """An expectation about the client does not hold."""

    __module__ = "safelight"  # pytest prints it in front of the name: this is where people import it from

    sentence: str
    #: The exchanges that show it; none: all there are.
    exchanges: Sequence[Exchange] = ()
    #: The same as a table of text.
    transcript: str = ""

    def __str__(self) -> str:
        return redacted(f"{self.sentence}\n\n{self.transcript}".rstrip())


class Undelivered(UnmetExpectation):
    """A fault that was planned was never delivered."""

    __module__ = "safelight"


def submitted_once(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """One submit was accepted: each further one is paid for."""
    submits = [exchange for exchange in seen if _is_submit(exchange)]
    accepted = [exchange for exchange in submits if exchange.task_id]  # also those whose answer was lost
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
    submits = [exchange for exchange in seen if _is_submit(exchange)]
    if not submits:
        return UnmetExpectation("the client never submitted anything")
    differences = [list(_differences(wanted, exchange)) for exchange in submits]
    nearest = min(differences, key=len)
    if not nearest:
        return None
    which = "the submit" if len(submits) == 1 else f"the nearest of {len(submits)} submits"
    return UnmetExpectation(f"in {which}, {listed(nearest)}", submits)


def polled(seen: Iterable[Exchange], at_least: int) -> UnmetExpectation | None:
    """Tasks of this session were polled so many times or more."""
    polls = [exchange for exchange in seen if _is_poll(exchange)]
    if len(polls) >= at_least:
        return None
    return UnmetExpectation(f"the client polled {counted(len(polls), 'time')}; expected were {at_least} or more", polls)


def no_poll_after_end(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """A client that was answered that a task is done or failed did not poll it again."""
    ended: dict[str | None, str] = {}
    late = []
    polls = [exchange for exchange in seen if _is_poll(exchange)]
    for exchange in polls:
        if exchange.task_id in ended:
            late.append(exchange)
        elif exchange.phase in FINAL and not exchange.fault:
            ended[exchange.task_id] = str(exchange.phase)
    if not late:
        return None
    task_id = late[0].task_id
    times = counted(sum(exchange.task_id == task_id for exchange in late), "time")
    return UnmetExpectation(
        f"the client was told that task {shown(task_id)} is {ended[task_id]}, and polled it {times} more",
        [poll for poll in polls if poll.task_id == task_id],
    )


def key_only_in_headers(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """No URL and no body had a key in it: those end up in logs."""
    for exchange in seen:
        place = "URL" if _MARK in exchange.target else "body" if _MARK.encode() in exchange.body else ""
        if place:
            what = f"{exchange.method} {exchange.operation or exchange.target}"
            return UnmetExpectation(f"the {place} of {what} has a key in it; a key belongs in a header", [exchange])
    return None


def contract_kept(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """Each request was one of the API's, and fitted its schema."""
    broken = [exchange for exchange in seen if exchange.violations or exchange.operation is None]
    if not broken:
        return None
    first = broken[0]
    what = f"{first.method} {first.operation or first.target}"
    how = f"breaks {first.outcome}" if first.violations else "is no request of the API"
    others = f" (the first of {len(broken)})" if len(broken) > 1 else ""
    return UnmetExpectation(f"the client broke the contract: {what} {how}{others}", broken)


def plan_delivered(seen: Iterable[Exchange], undelivered: Sequence[Missed]) -> UnmetExpectation | None:
    """Each fault of the plan was delivered: one that never came has tested nothing."""
    if not undelivered:
        return None
    first, *others = undelivered
    came = sum(first.kind in {exchange.operation, REQUEST_KINDS.get(exchange.operation or "")} for exchange in seen)
    never = f"it never struck: the client sent {counted(came, first.kind)}"
    why = first.reason if first.was_due else never
    more = f"; nor did {listed(missed.rule for missed in others)} strike" if others else ""
    return Undelivered(f"planned was {first.rule}, and {why}{more}")


def _is_submit(exchange: Exchange) -> bool:
    operation = operations().get(exchange.operation or "")
    return operation is not None and operation.is_submit


def _is_poll(exchange: Exchange) -> bool:
    """A poll of a task that exists, whatever became of the answer; where a redirect leads, it is another exchange."""
    is_redirect = exchange.status in _REDIRECTS
    was_struck = bool(exchange.fault and exchange.task_id and not is_redirect)
    return exchange.operation == "task_status" and (exchange.status == _OK or was_struck)


def _differences(wanted: Mapping[str, Any], submit: Exchange) -> Iterator[str]:
    """What a submit has otherwise than expected, as parts of a sentence."""
    sent = object_of(submit.body)
    known = schema(f"{submit.operation}.request")["properties"]
    for name, value in wanted.items():
        if name not in sent:
            yield f"{name} was not sent" + ("" if name in known else did_you_mean(name, {**sent, **known}).rstrip("?"))
        elif not _same(abridged_text(value), abridged_text(sent[name])):
            yield f"{name} was {shown(sent[name])}, not {shown(value)}"


def _same(wanted: Any, sent: Any) -> bool:
    """Equal as JSON: `true` is not 1. What is wanted may also be anything that knows what it equals."""
    return bool(wanted == sent) and not (
        isinstance(sent, bool) and isinstance(wanted, int | float) and wanted is not sent
    )
