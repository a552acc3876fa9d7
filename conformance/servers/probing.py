"""The wrong requests: the simplest of each kind in order of risk, then those that a search draws."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field

from safelight.conformance.servers.budget import NoBudget
from safelight.conformance.servers.check import Broken, ServerCheck
from safelight.conformance.servers.checks.requests import CHECKS
from safelight.conformance.servers.examples import keep, kept
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.generated import Drawn, broken_rules
from safelight.conformance.servers.judging import Seen, of_pair, of_probe
from safelight.conformance.servers.plan import ServerPlan, is_assumed
from safelight.conformance.servers.probe import Probe, query
from safelight.conformance.servers.searching import Stopped, smallest
from safelight.conformance.servers.sending import ServerGone
from safelight.conformance.servers.taken import is_taken
from safelight.contracts.rules import Rule
from safelight.traffic.exchange import Exchange


@dataclass(slots=True)
class Probing:
    """The probes of a run, as they go out."""

    gate: Gate
    plan: ServerPlan
    #: Id of a check -> what it saw.
    seen: Mapping[str, Seen]
    #: The answers to the compared ones of each check.
    _before: dict[str, Exchange] = field(default_factory=dict)
    #: Query and rule of what was answered wrongly.
    _wrong: set[tuple[str, str]] = field(default_factory=set)
    #: The drawn request that is under way, and what ended the search.
    _trying: asyncio.Task[object] | None = None
    _gone: ServerGone | None = None
    _has_stopped: bool = False

    async def simplest(self, probes: Iterable[tuple[ServerCheck, Probe]]) -> None:
        """The probes of the plan; a family ends with the first that was wrongly taken."""
        for check, probe in probes:
            self.seen[check.id].broken += await self._sent(check.id, probe)

    async def _sent(self, check: str, probe: Probe, *, is_drawn: bool = False) -> list[Broken]:
        """What is wrong with the answer; nothing where the probe may not be sent any more."""
        seen = self.seen[check]
        if seen.has_ended:
            seen.left += self._counts(probe)
            return []
        began = time.monotonic()
        try:
            exchange = await self.gate.send(probe)
        except NoBudget as spent:
            seen.left += self._counts(probe)
            seen.remark = seen.remark or str(spent)
            return []
        self._end_the_family(seen, probe, exchange)
        broken = self._judged(check, probe, exchange)
        if broken or not is_drawn or not exchange.status:
            seen.add(exchange, time.monotonic() - began)
        return broken

    def _judged(self, check: str, probe: Probe, exchange: Exchange) -> list[Broken]:
        if probe.is_compared:
            before, self._before[check] = self._before.get(check), exchange
            return list(of_pair(probe, before, exchange))
        broken = list(of_probe(probe, exchange))
        if broken and probe.rule:
            self._wrong.add((probe.query, probe.rule))
        return broken

    def _counts(self, probe: Probe) -> bool:
        """Without it a check is not complete: what is only assumed fails no run."""
        return self.plan.options.is_strict or not is_assumed(probe)

    def _end_the_family(self, seen: Seen, probe: Probe, exchange: Exchange) -> None:
        taken = is_taken(probe, exchange)
        if taken is not False:
            what = "was wrongly taken" if taken else "may have been taken, as nothing says that it was refused"
            seen.has_ended, seen.remark = True, f"the family ended with the first request that {what}"

    async def searched(self) -> None:
        """Of each rule of which nothing wrong is known yet: the smallest drawn request that shows something."""
        if self.plan.options.examples == 1:
            return
        try:
            for operation, rule in broken_rules(self.plan.options):
                if self._asked and (query(operation), rule.id) not in self._wrong:
                    await self._search(operation, rule)
        finally:
            await self._stop()

    @property
    def _asked(self) -> set[str]:
        """The ids of the checks whose requests are drawn, as far as they go on."""
        asked = {check.id for check in self.plan.asked} & set(CHECKS.values())
        return {check for check in asked if not self.seen[check].has_ended}

    async def _search(self, operation: str, rule: Rule) -> None:
        loop, broken = asyncio.get_running_loop(), dict[bytes, list[Broken]]()

        def is_wrong(drawn: Drawn) -> bool:
            if self._has_stopped:
                raise Stopped
            if CHECKS[drawn.risk] not in self._asked:
                return False
            try:
                found = asyncio.run_coroutine_threadsafe(self._tried(drawn), loop).result()
            except CancelledError:
                raise Stopped from None
            broken[drawn.request.body] = found
            return bool(found)

        server, keeps = self.gate.entry.url, self.plan.keeps_examples
        first = list(kept(server, operation, rule)) if keeps else []
        small = await asyncio.to_thread(smallest, operation, rule, is_wrong, self.plan.options, first=first)
        if self._gone:
            raise self._gone
        if small and keeps:
            keep(server, small)
        if small:
            one = CHECKS[small.risk]
            self.seen[one].broken += [found for found in broken[small.request.body] if not found.lost]

    async def _tried(self, drawn: Drawn) -> list[Broken]:
        """What is wrong with the answer to a drawn request. One that was taken is a finding, the smallest or not."""
        if self._has_stopped:
            return []
        self._trying = asyncio.current_task()
        check = CHECKS[drawn.risk]
        try:
            found = await self._sent(check, drawn.probe, is_drawn=True)
        except ServerGone as gone:
            self._gone, self._has_stopped = gone, True
            return []
        self.seen[check].broken += [one for one in found if one.lost]
        return found

    async def _stop(self) -> None:
        """Let no drawn request go out any more, and none be under way."""
        self._has_stopped = True
        if self._trying and not self._trying.done():
            self._trying.cancel()
            await asyncio.wait([self._trying])
