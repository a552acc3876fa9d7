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
from safelight.conformance.servers.check import ServerCheck
from safelight.conformance.servers.following import Followed, end_of, followed, harvested, submitted
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.harvest import Harvest
from safelight.conformance.servers.judging import Seen, judged
from safelight.conformance.servers.plan import ServerPlan
from safelight.conformance.servers.preflight import NotThisApi, preflight
from safelight.conformance.servers.probe import Probe, balance
from safelight.conformance.servers.probing import Probing
from safelight.conformance.servers.sending import ServerGone
from safelight.conformance.servers.taken import Created
from safelight.contracts.lifecycle import Phase

#: Checks whose tasks are looked at in every way.
_WHOLE: Final = frozenset({"S50", "S61"})


@dataclass(slots=True)
class ServerRun:
    """One run, as it goes on."""

    gate: Gate
    plan: ServerPlan
    bank: Sequence[Banked] = ()
    #: Id of a check -> what it saw.
    seen: dict[str, Seen] = field(default_factory=lambda: defaultdict(Seen))
    harvests: list[Harvest] = field(default_factory=list)
    followed: list[Followed] = field(default_factory=list)
    #: What was typed, for who wants to run one check again.
    command: str = ""
    #: Why it ended before its time.
    stopped: str = ""
    mistake: Exception | None = None
    _has_begun: bool = False
    _work: asyncio.Future[None] | None = None

    async def go(self, told: Callable[[Result], None] = lambda _: None) -> list[Result]:
        """The results, in the order of the checks; `told` gets each as it comes. Raises what `preflight` does."""
        self._work = asyncio.ensure_future(self._all())
        try:
            await self._work
        except asyncio.CancelledError:
            self.stopped = "it was interrupted"
        except NotThisApi:
            raise
        except ServerGone as gone:
            if not self._has_begun:
                raise
            self.stopped = str(gone)
        except Exception as mistake:  # noqa: BLE001 - what was made has to be named, whatever happens
            self.mistake = mistake
            self.stopped = f"Safelight made a mistake, please report it: {_innermost(mistake)!r}"
        self._name_the_rest()
        results = [judged(check, self.seen[check.id], self) for check in self.plan.checks]
        for result in results:
            told(result)
        return results

    def interrupt(self) -> None:
        """End it: no request goes out any more, and the results say so."""
        if self._work:
            self._work.cancel()

    async def _all(self) -> None:
        await preflight(self.gate)
        self._has_begun = True
        probes = self.plan.probes()  # drawing them takes seconds, in which no answer would be read
        await self._submit()
        gone: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for harvest in self.harvests:
                    is_whole = harvest.check in _WHOLE
                    group.create_task(harvested(self.gate, harvest, self.plan.options, is_whole=is_whole))
                group.create_task(self._probe(probes))
        except* ServerGone as group_of_one:
            gone = group_of_one.exceptions[0]
        if gone:
            raise gone
        await self._read()
        await self._follow()
        await self._settle()

    async def _submit(self) -> None:
        for order in self.plan.orders:
            harvest = await submitted(self.gate, order, with_balance=order.check == "S50")
            twins = [one for one in self.harvests if one.document == order.document]
            harvest.twin = twins[0].task_id if twins else None
            self.harvests.append(harvest)

    async def _probe(self, probes: Sequence[tuple[ServerCheck, Probe]]) -> None:
        probing = Probing(self.gate, self.plan, self.seen)
        await probing.simplest(probes)
        await probing.searched()

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
                self.seen[check.id].obstacle = "there is no finished task of this key to read"

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
        for created in self.gate.created:
            own = self._own(created)
            if own:
                self.followed.append(Followed(created, end_of(own)))
            else:
                self.followed.append(await followed(self.gate, created, self.plan.options))

    async def _settle(self) -> None:
        """The balance at the end, and what it should have come to: what a task that failed cost was returned."""
        for harvest in (one for one in self.harvests if one.balances):
            began = harvest.balances[0].at
            for one in self.followed:
                is_later, has_failed = one.created.at >= began, one.end == Phase.FAILED
                harvest.lost += one.created.price if is_later and one.created.task_id is None else 0
                harvest.spent += one.created.price if is_later and one.created.task_id and not has_failed else 0
                harvest.returned += one.created.price if has_failed and not is_later else 0
            harvest.balances.append(await self.gate.send(balance("balance at the end")))

    def _name_the_rest(self) -> None:
        """What was made, and not followed before the run was stopped, is at least named."""
        for created in self.gate.created[len(self.followed) :]:
            own = self._own(created)
            end = end_of(own) if own else ""
            self.followed.append(Followed(created, end or f"not followed, as {self.stopped}"))

    def _own(self, created: Created) -> Harvest | None:
        """The harvest of a task that was meant."""
        return next((one for one in self.harvests if created.task_id and one.task_id == created.task_id), None)


def _innermost(error: BaseException) -> BaseException:
    return _innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
