"""What is expected of polls."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from safelight.contracts.wording import counted, shown
from safelight.traffic.expectations.requests import end_told, is_poll, polled_id
from safelight.traffic.expectations.unmet import UnmetExpectation, judged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safelight.traffic.exchange import Exchange


def polled(seen: Iterable[Exchange], at_least: int) -> UnmetExpectation | None:
    """Tasks of this session were polled so many times or more."""
    polls = [exchange for exchange in seen if is_poll(exchange)]
    if len(polls) >= at_least:
        return None
    return UnmetExpectation(f"the client polled {counted(len(polls), 'time')}; expected were {at_least} or more", polls)


def no_poll_after_end(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """A client that was answered that a task is done or failed did not poll it again."""
    ended: dict[str, str] = {}
    late = []
    polls = [exchange for exchange in seen if polled_id(exchange)]
    for exchange in polls:
        task_id = polled_id(exchange)
        if task_id in ended:
            late.append(task_id)
        elif phase := end_told(exchange):
            ended[task_id] = str(phase)
    if not late:
        return None
    task_id = late[0]
    return UnmetExpectation(
        f"the client was told that task {shown(task_id)} is {ended[task_id]}, and polled it "
        f"{counted(late.count(task_id), 'time')} more",
        [poll for poll in polls if polled_id(poll) == task_id],
    )


@judged("no_poll_after_401")
def no_poll_after_401(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """A task was not polled again with a key after that key was refused with 401."""
    polls = [exchange for exchange in seen if polled_id(exchange) and not exchange.is_at_second_origin]
    refused: dict[tuple[str, str], list[Exchange]] = {}
    for exchange in polls:
        pair = (exchange.key, polled_id(exchange))
        if pair in refused or (exchange.status == HTTPStatus.UNAUTHORIZED and not exchange.wire):
            refused.setdefault(pair, []).append(exchange)
    late = {pair: found for pair, found in refused.items() if len(found) > 1}
    for (_, task_id), found in late.items():
        times = counted(len(found) - 1, "time")
        return UnmetExpectation(
            f"a poll of task {shown(task_id)} was answered 401, and the client polled it {times} more with this key",
            found,
        )
    return None
