"""The demo from its first line to its last, on one console."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import click
from rich.text import Text

from safelight.cli._demo.client import PAUSE, Client, Job
from safelight.cli._demo.display import display
from safelight.cli._demo.orders import orders
from safelight.cli._demo.sheet import write_sheet
from safelight.cli._demo.timeline import print_ledger, print_timelines
from safelight.mockserver.model.clock import RealClock
from safelight.testing.safelight import Safelight

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

#: Service seconds that tasks wait and run; grok is there at once.
_QUEUED: Final = "2..9"
_RUNNING: Final = "9..34"

_SHEET: Final = "contact-sheet.png"

#: Where to go from here: at a desk, and in a test.
_NEXT: Final = """
[bold]next[/]      [yellow]safelight serve[/]
            a fake at your desk; it prints a curl line to paste
          [yellow]from safelight.mockserver.testing import Safelight[/]
            `with Safelight() as api:` is the same in a test of yours"""


def show(console: Console, out: Path, *, speed: float, seed: int) -> None:
    """Run it, save the pictures and the contact sheet, and say what happened and where things are."""
    jobs = [Job(order) for order in orders()]
    console.print(Text(_greeting(len(jobs), speed)), end="\n\n")
    with Safelight(queued=_QUEUED, running=_RUNNING, seed=seed, clock=RealClock(speed)) as api:
        for job in jobs:
            api.next(fail=job.order.doom)
        _develop(console, api, jobs, out, speed)
    console.print()
    print_timelines(console, jobs, api.journal)
    console.print()
    print_ledger(console, api.ledger)
    write_sheet(jobs, out / _SHEET, title=f"safelight demo --seed {seed}")
    _print_places(console, jobs, out)


def _develop(console: Console, api: Safelight, jobs: Sequence[Job], out: Path, speed: float) -> None:
    async def run() -> None:
        with display(console, jobs, api.clock.now) as told:
            async with Client(api.url, api.api_key, pause=PAUSE / speed, told=told) as client:
                await client.develop(jobs, out)

    asyncio.run(run())


def _greeting(count: int, speed: float) -> str:
    if speed == 1:
        return f"{count} tasks at once, over HTTP, to a fake as slow as the service."
    times = f"{count} tasks at once, over HTTP, to a fake at {speed:g} times the service's speed."
    return f"{times}\nSeconds are the service's: 40 of them take {40 / speed:.2g} here."


def _print_places(console: Console, jobs: Sequence[Job], out: Path) -> None:
    count = sum(job.picture is not None for job in jobs)
    places = Text.assemble(("pictures", "bold"), f"  {count} in {click.format_filename(out)}, all on ")
    console.print(places.append(_SHEET, "yellow"), soft_wrap=True)
    console.print(_NEXT)
