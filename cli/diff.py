"""`safelight diff FILE URL`: where does a server differ from what was recorded?"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import click

from safelight.cli._judged import waivers_of, waivers_option
from safelight.cli._keys import KEY, key_of
from safelight.cli._recordings import name_of, read
from safelight.cli._report import REPORTS, report_options, typed, write_reports
from safelight.cli._signals import on_ending
from safelight.cli._unusable import Stopped, Unusable
from safelight.conformance.recordings.drift import DIFFERENCES, Comparison
from safelight.conformance.recordings.resending import Resending
from safelight.conformance.recordings.script import Script
from safelight.conformance.report.document import Kind, Run, document
from safelight.conformance.report.exit_code import UNDECIDED
from safelight.conformance.report.waivers import applied
from safelight.conformance.servers.budget import Budget
from safelight.conformance.servers.entry import entry
from safelight.conformance.servers.gate import USUAL_RATE, Gate
from safelight.conformance.servers.options import LOOPBACK_INTERVAL, USUAL_INTERVAL, Options
from safelight.conformance.servers.preflight import NotThisApi
from safelight.conformance.servers.sending import ServerGone
from safelight.contracts.wording import counted, printable

#: Of the differences: it changes where one says something else than before.
EDITION = "1"


@click.command("diff")
@click.argument("file", metavar="FILE")
@click.argument("url", metavar="URL")
@click.option("--max-paid", type=click.IntRange(0, 1_000), default=0, show_default=True,
              help="Tasks that may be paid for; each submit of the recording is one.")  # fmt: skip
@click.option("--interval", type=click.FloatRange(0.01, 600), help="Seconds between polls.  [default: 2; here: 0.2]")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds a request.")
@click.option("--deadline", type=click.FloatRange(1, 86_400), default=300.0, show_default=True,
              help="Seconds in which a task ends.")  # fmt: skip
@click.option("--key-file", type=click.Path(path_type=Path), metavar="FILE", help=f"Holds the key; else {KEY} does.")
@waivers_option
@report_options
@click.pass_context
def command(ctx: click.Context, /, file: str, url: str, **options: Any) -> None:
    """Send the requests of a recording to the server at URL again, and say where its answers differ.

    FILE is what `safelight check recording` reads: NDJSON or HAR. Answers are compared by status, fields, types, words
    and rules, and not by ids, times or bytes. The key comes from SAFELIGHT_API_KEY, or from --key-file. Without
    --max-paid no submit is sent.
    """
    waivers = waivers_of(options["waivers"], DIFFERENCES)
    gate, began, at = _gate(url, options), datetime.now(UTC), monotonic()
    script = _script(file)
    resending = Resending(gate, script, _asked(gate, options), Comparison(script, gate.entry.url))
    if script.requests:
        _run(resending)
    click.echo(f"{printable(name_of(file))}: {script.judging.summary()}; {_sent(script)}\n")
    again = typed(ctx, without=(*REPORTS, "waivers"))
    results, states = applied(waivers, resending.comparison.results(again), began.date())
    seconds, made = monotonic() - at, resending.made()
    whole = Run(Kind.DIFFERENCE, gate.entry.url, again, EDITION, began, seconds, results, states, tasks=made)
    report = document(whole)
    write_reports([report], **{name: options[name] for name in REPORTS})
    ctx.exit(report["exit_code"])


def _gate(url: str, options: dict[str, Any]) -> Gate:
    try:
        where = entry(url)
    except ValueError as error:
        raise Unusable(str(error)) from None
    rate = None if where.is_loopback else USUAL_RATE
    key = key_of(options["key_file"], KEY)
    return Gate(where, key, budget=Budget(options["max_paid"], 0), rate=rate, timeout=options["timeout"])


def _script(file: str) -> Script:
    script = Script()
    read(file, script.all)
    return script


def _asked(gate: Gate, options: dict[str, Any]) -> Options:
    usual = LOOPBACK_INTERVAL if gate.entry.is_loopback else USUAL_INTERVAL
    return Options(interval=options["interval"] or usual, deadline=options["deadline"])


def _sent(script: Script) -> str:
    left_out = f", and {counted(script.left_out, 'other')} cannot be" if script.left_out else ""
    unpolled = ""
    if script.unpolled and not script.judging.broken:  # else it is said already that the rest is missing
        why = "it is cut, or nobody polled; record again, until each has ended"
        unpolled = f"; of {counted(script.unpolled, 'task')} no poll was recorded: {why}"
    return f"{counted(len(script.requests), 'request')} of it can be sent again{left_out}{unpolled}"


def _run(resending: Resending) -> None:
    """Send all; Ctrl-C ends it with a report."""
    try:
        asyncio.run(_through(resending))
    except (ServerGone, NotThisApi) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(UNDECIDED)
    except asyncio.CancelledError:
        raise Stopped("stopped before anything was sent again") from None


async def _through(resending: Resending) -> None:
    work = asyncio.ensure_future(resending.go())
    loop = asyncio.get_running_loop()
    on_ending(lambda *_: loop.call_soon_threadsafe(work.cancel))
    async with resending.gate:
        await work
