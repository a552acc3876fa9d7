"""A run: the paid tasks live in the background while the free requests go out, in order of risk."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from safelight.conformance.results import Result
from safelight.conformance.servers.bank import Banked, owner_of
from safelight.conformance.servers.budget import NoBudget
from safelight.conformance.servers.following import Followed, end_of, followed, harvested, submitted
from safelight.conformance.servers.gate import Gate, ServerGone, is_taken
from safelight.conformance.servers.harvest import Harvest
from safelight.conformance.servers.judging import Seen, judged, of_pair, of_probe
from safelight.conformance.servers.plan import Plan
from safelight.conformance.servers.preflight import preflight
from safelight.conformance.servers.probe import Pocket, balance
from safelight.contracts.lifecycle import Phase
from safelight.traffic.exchange import Exchange

#: Checks whose tasks are looked at in every way.
_WHOLE: Final = frozenset({"S50", "S61"})


@dataclass(slots=True)
class Run:
    """One run, as it goes on."""

    gate: Gate
    plan: Plan
    bank: Sequence[Banked] = ()
    #: Id of a check -> what it saw.
    seen: dict[str, Seen] = field(default_factory=lambda: defaultdict(Seen))
    harvests: list[Harvest] = field(default_factory=list)
    followed: list[Followed] = field(default_factory=list)
    #: Why it ended before its time.
    stopped: str = ""

    async def go(self, told: Callable[[Result], None] = lambda _: None) -> list[Result]:
        """The results, in the order of the checks; `told` gets each as it comes. Raises what `preflight` does."""
        await preflight(self.gate)
        try:
            await self._all()
        except ServerGone as gone:
            self.stopped = str(gone)
        except asyncio.CancelledError:
            self.stopped = "it was interrupted"
        results = [judged(check, self.seen[check.id], self) for check in self.plan.checks]
        for result in results:
            told(result)
        return results

    async def _all(self) -> None:
        await self._submit()
        async with asyncio.TaskGroup() as group:
            for harvest in self.harvests:
                is_whole = harvest.check in _WHOLE
                group.create_task(harvested(self.gate, harvest, self.plan.options, is_whole=is_whole))
            group.create_task(self._probe())
        await self._read()
        await self._follow()
        await self._settle()

    async def _submit(self) -> None:
        for order in self.plan.orders:
            harvest = await submitted(self.gate, order, with_balance=order.check == "S50")
            twins = [one for one in self.harvests if one.document == order.document]
            harvest.twin = twins[0].task_id if twins else None
            self.harvests.append(harvest)

    async def _probe(self) -> None:
        """The probes in order of risk; a family ends with the first that was wrongly taken."""
        before: dict[str, Exchange] = {}
        for check, probe in self.plan.probes():
            seen = self.seen[check.id]
            if seen.has_ended:
                seen.left += 1
                continue
            began = time.monotonic()
            try:
                exchange = await self.gate.send(probe)
            except NoBudget as spent:
                seen.left += 1
                seen.remark = str(spent)
                continue
            seen.add(exchange, time.monotonic() - began)
            if probe.is_compared:
                seen.broken += of_pair(probe, before.pop(check.id, None), exchange)
                before[check.id] = exchange
            else:
                seen.broken += of_probe(probe, exchange)
            if probe.pocket is Pocket.SURPRISE and is_taken(exchange) is not False:
                seen.has_ended = True
                seen.remark = "the family ended with the first request that was wrongly taken"

    async def _read(self) -> None:
        """The checks that read finished tasks."""
        tasks = [*self._finished(), *reversed(self.bank)]
        own = [task for task in tasks if task.owner == owner_of(self.gate.key)]
        for check in self.plan.asked:
            if check.ask and own:
                began, count = time.monotonic(), len(self.gate.exchanges)
                self.seen[check.id].broken += [one async for one in check.ask(self.gate, own[0], self.plan.options)]
                for exchange in self.gate.exchanges[count:]:
                    self.seen[check.id].add(exchange, 0)
                self.seen[check.id].seconds = time.monotonic() - began
            elif check.ask:
                self.seen[check.id].remark = "there is no finished task of this key to read"
                self.seen[check.id].left += 1

    def _finished(self) -> list[Banked]:
        owner = owner_of(self.gate.key)
        return [
            Banked(one.task_id, one.operation, owner, one.last.at)
            for one in self.harvests
            if one.last is not None and one.task_id is not None
        ]

    @property
    def finished(self) -> list[Banked]:
        """The tasks that the run has finished, for the bank."""
        return self._finished()

    async def _follow(self) -> None:
        """Each task that was made is followed to its end."""
        own = {one.task_id: one for one in self.harvests if one.task_id is not None}
        for created in self.gate.created:
            if created.task_id in own:
                self.followed.append(Followed(created, end_of(own[created.task_id], self.plan.options)))
            else:
                self.followed.append(await followed(self.gate, created, self.plan.options))

    async def _settle(self) -> None:
        """The balance at the end, and what it should have come to: what a task that failed cost was returned."""
        paid = [one for one in self.harvests if one.balances]
        if not paid:
            return
        end = await self.gate.send(balance("balance at the end"))
        for harvest in paid:
            began = harvest.balances[0].at
            for one in self.followed:
                is_later, has_failed = one.created.at >= began, one.end == Phase.FAILED
                harvest.lost += one.created.price if is_later and one.created.task_id is None else 0
                harvest.spent += one.created.price if is_later and one.created.task_id and not has_failed else 0
                harvest.returned += one.created.price if has_failed and not is_later else 0
            harvest.balances.append(end)
