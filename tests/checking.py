"""Check a server within a test: the run that `safelight check server` makes, and what it came to."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from liars.servers.server import OTHER_KEY
from safelight.conformance.results import Result
from safelight.conformance.servers.budget import Budget
from safelight.conformance.servers.entry import entry
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.plan import plan, selected
from safelight.conformance.servers.running import ServerRun
from safelight.conformance.verdicts import Verdict
from safelight.mockserver.model.keys import FAKE_KEY

#: More than any run pays for.
ENOUGH = 20


@dataclass(frozen=True, slots=True)
class Checked:
    """What a run came to."""

    run: ServerRun
    results: Sequence[Result]

    def caught(self) -> list[str]:
        """The ids of the checks that say that something is wrong."""
        return [one.id for one in self.results if one.findings]

    def verdicts(self) -> dict[str, Verdict]:
        """Id of a check -> its verdict."""
        return {one.id: one.verdict for one in self.results}


def prepared(
    url: str,
    only: Sequence[str] = (),
    *,
    key: str = FAKE_KEY,
    other_key: str = OTHER_KEY,
    max_paid: int = ENOUGH,
    max_surprise: int = 3,
    timeout: float = 10,
    **options: Any,
) -> ServerRun:
    """A run against the server at an entry point, with these checks, or with all: ready to go."""
    wanted = Options(**({"interval": 0.02, "settle": 0, "deadline": 3, "burst": 0.1} | options))
    made = plan(
        selected(only),
        wanted,
        max_paid=max_paid,
        max_surprise=max_surprise,
        has_bank=False,
        has_other_key=bool(other_key),
    )
    return ServerRun(Gate(entry(url), key, other_key, Budget(max_paid, max_surprise), timeout=timeout), made)


def checked(url: str, only: Sequence[str] = (), **options: Any) -> Checked:
    """What such a run comes to. A mistake of Safelight is raised."""
    run = prepared(url, only, **options)

    async def go() -> list[Result]:
        async with run.gate:
            return await run.go()

    results = asyncio.run(go())
    if run.mistake:
        raise run.mistake
    return Checked(run, results)
