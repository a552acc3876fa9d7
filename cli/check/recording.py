"""`safelight check recording FILE`: does the server in recorded traffic keep the contract?"""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic
from typing import Any

import click

from safelight.cli._judged import DIALECT, dialect_options, waivers_of, waivers_option
from safelight.cli._recordings import name_of, read
from safelight.cli._report import REPORTS, report_options, typed, write_reports
from safelight.conformance.checks import CHECKS, EDITION
from safelight.conformance.recordings.judging import Judging
from safelight.conformance.recordings.speech import Speech
from safelight.conformance.report.document import Kind, Run, document
from safelight.conformance.report.waivers import applied
from safelight.contracts.wording import printable


@click.command("recording")
@click.option("--strict", is_flag=True, help="What is assumed, and nowhere published, counts too.")
@waivers_option
@dialect_options(any_of=["vocabulary"])
@report_options
@click.argument("file", metavar="FILE")
@click.pass_context
def command(ctx: click.Context, /, file: str, **options: Any) -> None:
    """Hold recorded traffic against the contract. Nothing is sent.

    FILE is an archive of a browser or a proxy (HAR 1.2), or a journal of Safelight (NDJSON), compressed by gzip or not;
    `-` reads standard input. Each exchange is held against its schemas, and what was told of each task against its
    lifecycle.
    """
    waivers = waivers_of(options["waivers"], CHECKS)
    began, at = datetime.now(UTC), monotonic()
    judging = Judging(Speech(**{name: options[name] for name in DIALECT}), options["strict"])
    read(file, judging.all)
    click.echo(f"{printable(name_of(file))}: {judging.summary()}\n")
    command = typed(ctx, without=(*REPORTS, "waivers"))
    found, used = applied(waivers, judging.results(command), began.date())
    whole = Run(Kind.RECORDING, name_of(file), command, EDITION, began, monotonic() - at, found, used)
    report = document(whole)
    write_reports([report], **{name: options[name] for name in REPORTS})
    ctx.exit(report["exit_code"])
