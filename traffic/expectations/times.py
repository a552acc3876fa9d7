"""What is expected of the seconds between requests. They are those of the exchanges: a clock that moves is needed."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from safelight.contracts.wording import shown
from safelight.traffic.expectations.requests import polled_id
from safelight.traffic.expectations.unmet import UnmetExpectation, judged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from safelight.traffic.exchange import Exchange

#: Seconds by which a timer may be early.
_TIMER_SECONDS: Final = 0.05

#: Seconds that a date does not tell.
_DATE_SECONDS: Final = 1


@judged("retry_after_kept", of_time=True)
def retry_after_kept(seen: Iterable[Exchange]) -> UnmetExpectation | None:
    """A request that was answered with `Retry-After` was not sent again before that time."""
    waiting: dict[tuple[str, str, str | bytes], tuple[float, Exchange]] = {}
    for exchange in seen:
        request = (exchange.key, exchange.operation or exchange.target, polled_id(exchange) or exchange.body)
        wait, told = waiting.pop(request, (0.0, exchange))
        after = exchange.at - told.at
        if after < wait - _TIMER_SECONDS:
            return UnmetExpectation(
                f"the client was told to wait {_wait_told(told)}, and sent the same request again after {after:.4g} s",
                [told, exchange],
            )
        if wait := 0 if exchange.wire else _wait(exchange.answer_headers):
            waiting[request] = (wait, exchange)
    return None


def polls_apart(seen: Iterable[Exchange], at_least: float) -> UnmetExpectation | None:
    """Between two polls of a task there were so many seconds or more."""
    before: dict[str, Exchange] = {}
    for exchange in seen:
        if task_id := polled_id(exchange):
            last = before.get(task_id, exchange)
            gap = exchange.at - last.at
            if last is not exchange and gap < at_least - _TIMER_SECONDS:
                return UnmetExpectation(
                    f"the client polled task {shown(task_id)} again after {gap:.4g} s; expected were {at_least:g} s or "
                    "more",
                    [last, exchange],
                )
            before[task_id] = exchange
    return None


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds that an answer tells to wait, at least; 0 where it says none, or nonsense."""
    told = headers.get("retry-after", "").strip()
    if told.isdecimal() and told.isascii():
        return float(told)
    try:
        until, now = (parsedate_to_datetime(text) for text in (told, headers.get("date", "")))
        return max(0.0, (until - now).total_seconds() - _DATE_SECONDS)
    except (ValueError, TypeError, OverflowError):  # one of the two is no date
        return 0.0


def _wait_told(exchange: Exchange) -> str:
    told = exchange.answer_headers["retry-after"].strip()
    return f"{told} s" if told.isdecimal() else f"until {told}"
