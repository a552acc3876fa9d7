"""The requests of a recording, sent again: submits first come, first served, and each task followed to its end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from safelight.conformance.recordings.drift import Comparison, Shown
from safelight.conformance.recordings.script import Again, Script
from safelight.conformance.recordings.shapes import Seen
from safelight.conformance.servers.budget import NoBudget
from safelight.conformance.servers.following import Followed, end_of, to_the_end
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.harvest import Harvest
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.preflight import preflight
from safelight.conformance.servers.probe import poll
from safelight.conformance.servers.sending import ServerGone
from safelight.conformance.servers.taken import task_id_of
from safelight.contracts import FINAL


@dataclass(slots=True)
class Resending:
    """One run against a server."""

    gate: Gate
    script: Script
    options: Options
    comparison: Comparison
    tasks: list[tuple[Again, Harvest]] = field(default_factory=list)

    async def go(self) -> None:
        """Send all again, and compare. Raises what `preflight` does."""
        await preflight(self.gate)
        asked = len(self.gate.exchanges)
        try:
            for again in self.script.requests:
                await self._send(again)
            await self._follow()
        except ServerGone as gone:
            self.comparison.missing[str(gone)] += 1
        except asyncio.CancelledError:
            self.comparison.missing["it was interrupted"] += 1
        for again, harvest in self.tasks:
            self._compare(again, harvest)
        self.comparison.kept(self.gate.exchanges[asked:])

    def made(self) -> list[str]:
        """Each task that was made, how it ended, and what it cost."""
        ends = {harvest.task_id: end_of(harvest) for _, harvest in self.tasks}
        return [str(Followed(one, ends.get(one.task_id) or "not followed")) for one in self.gate.created]

    async def _send(self, again: Again) -> None:
        try:
            exchange = await self.gate.send(again.probe)
        except NoBudget as error:
            self.comparison.missing[f"not sent, as {error}"] += 1
            return
        self.comparison.see(Shown(Seen(exchange, again.asked, again.task), again.probe))
        task_id = task_id_of(exchange) if again.task else None
        if task_id and again.is_polled:
            harvest = Harvest("", {}, again.probe, "", submitted=exchange, task_id=task_id)
            self.tasks.append((again, harvest))

    async def _follow(self) -> None:
        """Poll all tasks at one time: those whose end was recorded to their end, others once."""
        polling = [self._polled(again, harvest) for again, harvest in self.tasks]
        for one in await asyncio.gather(*polling, return_exceptions=True):
            if isinstance(one, BaseException):
                raise one

    async def _polled(self, again: Again, harvest: Harvest) -> None:
        assert harvest.task_id is not None
        if again.end in FINAL:
            await to_the_end(self.gate, harvest, self.options)
        else:
            harvest.polls.append(await self.gate.send(poll(harvest.task_id)))

    def _compare(self, again: Again, harvest: Harvest) -> None:
        assert harvest.task_id is not None
        probe = poll(harvest.task_id)
        shown = [Shown(Seen(one, f"polls of {again.task}", again.task), probe) for one in harvest.polls]
        for one in shown:
            self.comparison.see(one)
        if shown and again.end in FINAL and (harvest.last or harvest.given_up):
            self.comparison.end(again, harvest.last.phase if harvest.last else None, shown[-1])
