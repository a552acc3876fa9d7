"""What is read out of evidence again and again: submits, polls, who was told what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from itertools import groupby, pairwise
from typing import Final

from safelight.conformance.clients.evidence import Evidence
from safelight.contracts import FINAL
from safelight.traffic.exchange import Exchange
from safelight.traffic.request_kinds import REQUEST_KINDS

#: Seconds that sleeps and clocks may differ by.
TOLERANCE: Final = 0.02


def kind_of(exchange: Exchange) -> str:
    """`submit`, `poll`, `image`, `balance`, or nothing."""
    return REQUEST_KINDS.get(exchange.operation or "", "")


def submits(evidence: Evidence) -> list[Exchange]:
    """The submits, accepted or not."""
    return [one for one in evidence.exchanges if kind_of(one) == "submit"]


def polls(evidence: Evidence) -> list[Exchange]:
    """The polls, of whatever id."""
    return [one for one in evidence.exchanges if kind_of(one) == "poll"]


def fetches(evidence: Evidence) -> list[Exchange]:
    """The requests for files."""
    return [one for one in evidence.exchanges if kind_of(one) == "image"]


def polls_by_task(evidence: Evidence) -> list[list[Exchange]]:
    """The polls of each task, in the order in which they came in."""
    ordered = sorted(polls(evidence), key=lambda one: (one.task_id or "", one.at))
    return [list(same) for _, same in groupby(ordered, key=lambda one: one.task_id)]


def gaps(exchanges: Sequence[Exchange]) -> list[float]:
    """Seconds from the beginning of each request to that of the next."""
    return [after.at - before.at for before, after in pairwise(exchanges)]


def end_of(exchange: Exchange) -> float:
    """When its answer had ended."""
    return exchange.at + (exchange.took or 0)


def arrived(exchange: Exchange) -> bool:
    """The client had the whole answer, as far as the fake can tell."""
    return not exchange.wire


def told_final(exchange: Exchange) -> bool:
    """The client was told that the task has ended, in an answer that no fault has changed."""
    return arrived(exchange) and exchange.status == HTTPStatus.OK and exchange.phase in FINAL and not exchange.fault


def accepted(evidence: Evidence) -> list[str]:
    """The ids of the tasks that were paid for, in the order of their submits, without those that were given."""
    return [task.id for task in evidence.tasks if task.id not in evidence.given]
