"""Paid tasks, from their submit to their end, and others that have to be followed there."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from safelight.conformance.servers.answers import came
from safelight.conformance.servers.checks.results import url_of
from safelight.conformance.servers.gate import Gate, NotAllowed
from safelight.conformance.servers.harvest import Harvest
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.plan import Order
from safelight.conformance.servers.probe import Probe, balance, poll
from safelight.conformance.servers.taken import Created, is_taken, task_id_of
from safelight.contracts.wording import shown
from safelight.traffic.exchange import Exchange, object_of

#: Polls that are sent fast, and at once.
POLLS: Final = 10

#: Polls after the end.
_SETTLED: Final = 5

#: Those at once are sent so often: the first time they wait for connections.
_ROUNDS = 2

#: Polls in a row that are no answer about the task; then it is given up.
_MAX_UNKNOWN = 20


async def submitted(gate: Gate, order: Order, *, with_balance: bool) -> Harvest:
    """Submit a paid task, with the balance before and after. Raises `NoBudget`."""
    harvest = Harvest(order.operation, order.document, order.probe, order.check)
    if with_balance:
        harvest.balances.append(await gate.send(balance("balance before")))
    harvest.submitted = await gate.send(order.probe)
    harvest.task_id = task_id_of(harvest.submitted)
    if harvest.task_id is None:
        harvest.obstacle = _why_there_is_none(order.probe, harvest.submitted)
    if with_balance:
        harvest.balances.append(await gate.send(balance("balance after")))
    return harvest


def _why_there_is_none(probe: Probe, submitted: Exchange) -> str:
    """Why there is no task after a submit, in a sentence."""
    if submitted.status == HTTPStatus.PAYMENT_REQUIRED:
        return "the account has too few credits"
    if is_taken(probe, submitted) is False:
        return f"the submit was refused: {came(submitted)}"
    return f"the answer to the submit was lost, so that it counts as paid: {came(submitted)}"


async def harvested(gate: Gate, harvest: Harvest, options: Options, *, is_whole: bool) -> Harvest:
    """Follow a task to its end. Where `is_whole`, also with fast polls, polls at once, and some after the end."""
    if harvest.task_id is None:
        return harvest
    probe = poll(harvest.task_id)
    harvest.polls.append(await gate.send(probe))
    if is_whole and options.burst is not None:
        steps = (_later(gate, probe, number * options.burst / POLLS) for number in range(POLLS))
        harvest.burst += await asyncio.gather(*steps)
        harvest.polls += harvest.burst
    await to_the_end(gate, harvest, options)
    if harvest.given_up:
        harvest.obstacle = f"the task had {harvest.given_up}"
        return harvest
    if is_whole and options.burst is not None:
        for _ in range(_ROUNDS):
            harvest.parallel += await asyncio.gather(*(_later(gate, probe, 0) for _ in range(POLLS)))
    await _fetch(gate, harvest)
    if not harvest.is_done:
        harvest.obstacle = "the task failed, so that there is no result"
    if is_whole:
        for _ in range(_SETTLED):
            await asyncio.sleep(options.settle / _SETTLED)
            harvest.settled.append(await gate.send(probe))
    return harvest


async def _later(gate: Gate, probe: Probe, seconds: float) -> Exchange:
    """A poll after so many seconds, whatever the rate."""
    await asyncio.sleep(seconds)
    return await gate.send(probe, in_burst=True)


async def to_the_end(gate: Gate, harvest: Harvest, options: Options) -> None:
    """Poll a task until it has ended, or is given up."""
    assert harvest.task_id is not None
    until = time.monotonic() + options.deadline
    while harvest.last is None and time.monotonic() < until:
        await asyncio.sleep(options.interval)
        harvest.polls.append(await gate.send(poll(harvest.task_id)))
        if _is_lost(harvest.polls):
            harvest.given_up = f"not been heard of in {_MAX_UNKNOWN} polls"
            return
    if harvest.last is None:
        harvest.given_up = f"not ended after {options.deadline:g} s"


def _is_lost(polls: list[Exchange]) -> bool:
    """Nothing was heard of the task for so long that nothing will be."""
    last = polls[-_MAX_UNKNOWN:]
    return len(last) == _MAX_UNKNOWN and all(object_of(one.answer).get("success") is not True for one in last)


async def _fetch(gate: Gate, harvest: Harvest) -> None:
    url = url_of(harvest)
    if harvest.is_done and isinstance(url, str):
        try:
            harvest.picture, harvest.file = await gate.fetch(url)
        except NotAllowed as refused:
            harvest.obstacle = str(refused)
        except ValueError as error:  # S56 says that the URL is none
            harvest.no_url = str(error)


@dataclass(frozen=True, slots=True)
class Followed:
    """A task that was made, and how it ended."""

    created: Created
    #: The phase, or in words why none is known.
    end: str

    def __str__(self) -> str:
        name = shown(self.created.task_id) if self.created.task_id else "perhaps one more"
        return f"{name}, by {self.created.probe.what}: {self.end}; {self.created.price:g} credits"


async def followed(gate: Gate, created: Created, options: Options) -> Followed:
    """Follow a task that was not meant to its end, as far as its id is known."""
    if created.task_id is None:
        return Followed(created, "its answer was lost")
    harvest = Harvest("", {}, created.probe, "", task_id=created.task_id)
    await to_the_end(gate, harvest, options)
    return Followed(created, end_of(harvest))


def end_of(harvest: Harvest) -> str:
    """How a task ended, in a word or two; empty where nobody has waited for that."""
    return str(harvest.last.phase) if harvest.last is not None else harvest.given_up
