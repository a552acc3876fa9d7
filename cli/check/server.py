"""`safelight check server URL`: does a server keep the contract? It spends no more than allowed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from time import monotonic
from typing import Any, Final

import click

from safelight.cli._completion import offered
from safelight.cli._hypothesis import keep_in_cache
from safelight.cli._judged import DIALECT, dialect_options, waivers_of, waivers_option
from safelight.cli._keys import KEY, OTHER_KEY, key_of
from safelight.cli._report import REPORTS, console, report_options, typed, writable, write_reports
from safelight.cli._signals import on_ending
from safelight.cli._unusable import Unusable
from safelight.conformance.checks import CHECKS, EDITION
from safelight.conformance.memory import last_failed, remember
from safelight.conformance.report.document import Kind, Run, document
from safelight.conformance.report.exit_code import UNDECIDED
from safelight.conformance.report.terminal import Watch
from safelight.conformance.report.waivers import Waiver, applied
from safelight.conformance.results import Result
from safelight.conformance.servers import bank
from safelight.conformance.servers.budget import Budget
from safelight.conformance.servers.check import ServerCheck, checks
from safelight.conformance.servers.entry import Entry, entry
from safelight.conformance.servers.following import POLLS
from safelight.conformance.servers.gate import USUAL_RATE, Gate
from safelight.conformance.servers.generated import broken_rules
from safelight.conformance.servers.options import LOOPBACK_INTERVAL, USUAL_INTERVAL, Options
from safelight.conformance.servers.plan import ServerPlan, plan, selected
from safelight.conformance.servers.preflight import NotThisApi
from safelight.conformance.servers.running import ServerRun
from safelight.conformance.servers.searching import MAX_SMALLER
from safelight.conformance.servers.sending import ServerGone
from safelight.contracts.operations import operations
from safelight.contracts.rules import rules
from safelight.contracts.wording import counted

_PATH = click.Path(path_type=Path)
_SUBMITS = [operation.name for operation in operations().values() if operation.is_submit]

#: How a shell completes the id of a check.
_CHECKS: Final = offered(lambda _: {check_id: row.fact for check_id, row in CHECKS.items()})


@click.command("server")
@click.argument("url", metavar="URL", required=False)
@click.option("--plan", "is_plan", is_flag=True, help="Say what would be asked and what it can cost; send nothing.")
@click.option("--max-paid", type=click.IntRange(0, 100), help="Tasks that may be paid for.  [default: 0]")
@click.option("--max-surprise", type=click.IntRange(0, 1_000), default=1, show_default=True,
              help="Tasks that may be billed because a wrong request was taken.")  # fmt: skip
@click.option("--bank", "bank_file", type=_PATH, callback=writable, metavar="FILE",
              help="Finished tasks that cost nothing to read.")  # fmt: skip
@click.option("--operation", "paid", multiple=True, type=click.Choice(_SUBMITS), help="Pay for this too.  Repeatable.")
@click.option("--only", multiple=True, metavar="CHECK", shell_complete=_CHECKS,
              help="Run these checks alone: S33, 'S3*'.  Repeatable.")  # fmt: skip
@click.option("--skip", multiple=True, metavar="CHECK", shell_complete=_CHECKS, help="Leave these out.  Repeatable.")
@click.option("--last-failed", is_flag=True, help="Run what did not pass the last time on this server.")
@click.option("--examples", type=click.IntRange(1, 1_000), default=1, show_default=True,
              help="Requests for each rule: the simplest; with more, a search.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, help="Draws the same requests again.")
@click.option("--strict", "is_strict", is_flag=True, help="What is only assumed counts as much as what is published.")
@click.option("--rate", type=click.FloatRange(0.01), help="Requests a second.  [default: 2; on loopback, no limit]")
@click.option("--timeout", type=click.FloatRange(0.1, 600), default=10.0, show_default=True, help="Seconds a request.")
@click.option("--deadline", type=click.FloatRange(1, 86_400), default=300.0, show_default=True,
              help="Seconds in which a task ends.")  # fmt: skip
@click.option("--settle", type=click.FloatRange(0, 3_600), default=30.0, show_default=True,
              help="Seconds over which a finished task has to stay as it is.")  # fmt: skip
@click.option("--interval", type=click.FloatRange(0.01, 600), help="Seconds between polls.  [default: 2; here: 0.2]")
@click.option("--allow-host", multiple=True, metavar="HOST", help="Fetch pictures from there too.  Repeatable.")
@click.option("--key-file", type=_PATH, metavar="FILE", help=f"Holds the key; else {KEY} does.")
@click.option("--other-key-file", type=_PATH, metavar="FILE", help=f"Holds another key, for S43; else {OTHER_KEY}.")
@waivers_option
@click.option("--list", "is_list", is_flag=True, help="List the checks, and send nothing.")
@dialect_options()
@report_options
@click.pass_context
def command(ctx: click.Context, /, url: str | None, **options: Any) -> None:
    """Check whether the server at URL keeps the contract, without spending more than allowed.

    URL is the whole entry point, such as https://HOST/v1/index.php. The key comes from SAFELIGHT_API_KEY, or from
    --key-file. Without --max-paid nothing is bought.
    """
    keep_in_cache()
    if options["is_list"]:
        _show_list(_chosen(options, []))
        return
    if url is None:
        raise click.UsageError("there is no URL to check: give the whole entry point, https://HOST/v1/index.php", ctx)
    where = _entry(url)
    chosen = _chosen(options, _last_failed(where) if options["last_failed"] else [])
    made, banked = _plan(chosen, where, options)
    if options["is_plan"]:
        _show_plan(made)
        return
    waivers = waivers_of(options["waivers"], CHECKS)
    run = _prepared(ctx, where, replace(made, known=_known_rules(waivers)), banked)
    began, at = datetime.now(UTC), monotonic()
    found = _results(run)
    remember(found, _judged(where))
    results, states = applied(waivers, found, began.date())
    whole = Run(
        Kind.SERVER,
        name=where.url,
        command=typed(ctx, without=REPORTS),
        edition=EDITION,
        began=began,
        seconds=monotonic() - at,
        results=results,
        waivers=states,
        extent=made.extent,
        tasks=[str(followed) for followed in run.followed],
    )
    report = document(whole)
    try:
        write_reports([report], **{name: options[name] for name in REPORTS})
    finally:  # what is paid for is named, and kept, whatever cannot be written
        if options["bank_file"]:
            _write_bank(options["bank_file"], where, [*banked, *run.finished])
    ctx.exit(report["exit_code"])


def _show_list(chosen: Sequence[ServerCheck]) -> None:
    for check in chosen:
        click.echo(f"{check.id:<5}  {check.about.severity:<7}  {check.cost:<11}  {check.about.fact}")


def _entry(url: str) -> Entry:
    try:
        return entry(url)
    except ValueError as error:
        raise Unusable(str(error)) from None


def _prepared(ctx: click.Context, where: Entry, made: ServerPlan, banked: Sequence[bank.Banked]) -> ServerRun:
    """A run that is ready to go. Raises `Unusable` where there is no key, or nobody has said what may be paid."""
    key = key_of(ctx.params["key_file"], KEY)
    _agreed(ctx.params)
    own = [one for one in banked if one.owner == bank.owner_of(key)]
    again = typed(ctx, without=(*REPORTS, *_SELECTING))
    return ServerRun(_gate(where, key, ctx.params), made, own, command=again)


def _judged(where: Entry) -> str:
    """What a server is called among what is remembered."""
    return f"server {where.url}"


def _last_failed(where: Entry) -> list[str]:
    found = [check for check in last_failed(_judged(where)) if check in checks()]
    if not found:
        raise Unusable("no check is known to have failed on this server, in runs from here: run without --last-failed")
    return found


def _chosen(options: Mapping[str, Any], further: Sequence[str]) -> list[ServerCheck]:
    try:
        chosen = selected([*options["only"], *further], options["skip"])
    except ValueError as error:
        raise Unusable(str(error)) from None
    if not chosen:
        raise Unusable("no check is left: --skip leaves out all that --only names")
    return chosen


def _plan(
    chosen: Sequence[ServerCheck], where: Entry, options: Mapping[str, Any]
) -> tuple[ServerPlan, list[bank.Banked]]:
    """The plan, and the tasks of the bank."""
    try:
        banked = bank.read(options["bank_file"], where.url) if options["bank_file"] else []
    except bank.NoBank as error:
        raise Unusable(str(error)) from None
    paid = dict.fromkeys(("image_generation", *options["paid"]))
    asked = Options(
        operations=tuple(paid),
        interval=options["interval"] or (LOOPBACK_INTERVAL if where.is_loopback else USUAL_INTERVAL),
        burst=None if options["rate"] and options["rate"] < POLLS else 1,
        **{name: options[name] for name in _SAME},
    )
    made = plan(
        chosen,
        asked,
        max_paid=options["max_paid"] or 0,
        max_surprise=options["max_surprise"],
        has_bank=bool(banked),
        has_other_key=bool(options["other_key_file"] or os.environ.get(OTHER_KEY)),
        keeps_examples=True,
    )
    return made, banked


#: Options of the command that are those of the checks.
_SAME: Final = ("examples", "seed", "is_strict", "settle", "deadline", *DIALECT)


def _show_plan(made: ServerPlan) -> None:
    """Print what a run would ask, and the most that it can cost."""
    sent = Counter(check.id for check, _ in made.probes())
    for check in made.checks:
        why = made.not_asked.get(check.id)
        many = sent.get(check.id) or check.requests
        what = f"not asked: {why}" if why else counted(many, "request") if many else "no request of its own"
        click.echo(f"{check.id:<5}  {check.cost:<11}  {check.about.name:<18}  {what}")
    click.echo(f"\n{counted(made.requests, 'request')}, and the polls of each paid task; nothing was sent")
    if made.options.examples > 1:
        rules = counted(len(list(broken_rules(made.options))), "rule")
        click.echo(f"--examples      {made.options.examples} more for each of {rules}, and {MAX_SMALLER} for a finding")
    paid = sum(order.price for order in made.orders)
    click.echo(f"--max-paid      {counted(len(made.orders), 'task')}, at most {paid:g} credits")
    surprise = made.max_surprising_credits
    click.echo(
        f"--max-surprise  {counted(made.max_surprise, 'task')}, at most {surprise:g} credits, if it takes what is wrong"
    )


def _known_rules(waivers: Sequence[Waiver]) -> frozenset[str]:
    """The ids of the rules that waivers name."""
    globs = [waiver.rule for waiver in waivers if waiver.rule]
    ids = (rule.id for operation in operations().values() for rule in rules(operation.request))
    return frozenset(name for name in ids if any(fnmatchcase(name, glob) for glob in globs))


def _agreed(options: Mapping[str, Any]) -> None:
    """What is paid for has to be typed: `--operation` alone says what, and not how much."""
    if options["max_paid"] is None and options["paid"]:
        raise Unusable("--operation asks for paid tasks: say how many with --max-paid N; --plan says what they cost")


def _gate(where: Entry, key: str, options: Mapping[str, Any]) -> Gate:
    return Gate(
        where,
        key,
        key_of(options["other_key_file"], OTHER_KEY),
        Budget(options["max_paid"] or 0, options["max_surprise"]),
        rate=options["rate"] or (None if where.is_loopback else USUAL_RATE),
        timeout=options["timeout"],
        allowed_hosts=frozenset(options["allow_host"]),
    )


def _results(run: ServerRun) -> list[Result]:
    """The results of a run, which Ctrl-C ends with a report."""
    with Watch(console(), len(run.plan.checks)) as watch:
        try:
            return asyncio.run(_through(run, watch))
        except (ServerGone, NotThisApi) as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(UNDECIDED)


async def _through(run: ServerRun, watch: Watch) -> list[Result]:
    loop = asyncio.get_running_loop()
    on_ending(lambda *_: loop.call_soon_threadsafe(run.interrupt))
    async with run.gate:
        return await run.go(watch)


def _write_bank(path: Path, where: Entry, tasks: Sequence[bank.Banked]) -> None:
    try:
        bank.write(path, where.url, tasks)
    except bank.NoBank as error:
        raise Unusable(str(error)) from None


#: Options that select checks: what runs one of them again has its own.
_SELECTING: Final = ("only", "skip", "last_failed")
