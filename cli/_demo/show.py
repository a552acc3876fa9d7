"""The demo from its first line to its last, on one console."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from safelight.cli._demo.client import PAUSE, Job, develop, orders
from safelight.cli._demo.display import display, print_ledger, print_timelines
from safelight.cli._demo.sheet import write_sheet
from safelight.mockserver.model.clock import RealClock
from safelight.testing.safelight import Safelight

#: Service seconds that tasks wait and run; grok is there at once.
_QUEUED: Final = "2..9"
_RUNNING: Final = "9..34"

_SHEET: Final = "contact-sheet.png"
#: Where to go from here: at a desk, and in a test.
_NEXT: Final = """
[bold]next[/]      [yellow]safelight serve[/]
            a fake at your desk; it prints a curl line to paste
          [yellow]from safelight import Safelight[/]
            `with Safelight() as api:` is the same in a test of yours"""


def show(console: Console, out: Path, *, speed: float, seed: int) -> None:
    """Run it, save the pictures and the contact sheet, and say what happened and where things are."""
    jobs = [Job(order) for order in orders()]
    console.print(Text(_greeting(len(jobs), speed)), end="\n\n")
    with Safelight(queued=_QUEUED, running=_RUNNING, seed=seed, clock=RealClock(speed)) as api:
        for job in jobs:
            api.next(fail=job.order.doom)
        with display(console, jobs, api.clock.now) as changed:
            asyncio.run(develop(api.url, api.api_key, jobs, out, pause=PAUSE / speed, changed=changed))
    console.print()
    print_timelines(console, jobs, api.journal)
    console.print()
    print_ledger(console, api.ledger)
    write_sheet(jobs, out / _SHEET, title=f"safelight demo --seed {seed}")
    _print_folder(console, jobs, out)


def _greeting(count: int, speed: float) -> str:
    if speed == 1:
        return f"{count} tasks at once, over HTTP, to a fake as slow as the service."
    times = f"{count} tasks at once, over HTTP, to a fake at {speed:g} times the service's speed."
    return f"{times}\nSeconds are the service's: 40 of them take {40 / speed:.2g} here."


def _print_folder(console: Console, jobs: Sequence[Job], out: Path) -> None:
    count = sum(job.picture is not None for job in jobs)
    where = f"  {count} in {click.format_filename(out)}, all on "
    console.print(Text.assemble(("pictures", "bold"), where, (_SHEET, "yellow")), soft_wrap=True)
    console.print(_NEXT)
