"""`safelight check client -- CMD`: run it once for each case, against a fake that is slow, wrong, or gone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import click
from click.core import ParameterSource

from safelight.cli._fake import fake_of
from safelight.cli._judged import waivers_of, waivers_option
from safelight.cli._report import REPORTS, console, report_options, write_reports
from safelight.cli._settings import CommandOptions, SettingsCommand, announce_found, command_options, settings_options
from safelight.cli._signals import on_ending
from safelight.cli._unusable import Unusable
from safelight.cli.explain import CASES
from safelight.conformance.clients.case import Case, edition, selected
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.process import CannotStart
from safelight.conformance.clients.runner import USUAL_JOBS, ClientRun, run
from safelight.conformance.clients.walking import table, walk
from safelight.conformance.clients.watching import results, watch
from safelight.conformance.memory import last_failed, remember
from safelight.conformance.report.document import Kind, Run, document
from safelight.conformance.report.terminal import Watch
from safelight.conformance.report.waivers import applied
from safelight.conformance.results import Result
from safelight.mockserver.control.control import Control
from safelight.mockserver.sessions.table import EXEC
from safelight.mockserver.transports.server import CannotListen, in_thread

_SECONDS = click.FloatRange(0.01, 86_400)


def _part(_: click.Context, option: click.Parameter, text: str | None) -> tuple[int, None, int]:
    """`2/3`: the second, the fifth and so on."""
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text or "1/1")
    if not found or int(found[1]) > int(found[2]):
        raise click.BadParameter(f"{text!r} is no part: write 1/2 and 2/2 for the two halves", param=option)
    return int(found[1]) - 1, None, int(found[2])


@settings_options(EXEC, only=("seed", "speed", "queued", "running", "polls", "fail", "faults"))
@click.command("client", cls=SettingsCommand, context_settings={"allow_interspersed_args": False})
@click.option("--watch", is_flag=True, help="Run CMD once, as `exec` does, and judge all that it sends.")
@click.option("--server-only", is_flag=True, help="Start no CMD: your client walks through the cases, or you lead it.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Where --server-only listens.  [default: free]")
@click.option(
    "--only",
    multiple=True,
    metavar="CASE",
    shell_complete=CASES,
    help="Run these cases alone: 4.7, '4.*'.  Repeatable.",
)
@click.option("--skip", multiple=True, metavar="CASE", shell_complete=CASES, help="Leave these out.  Repeatable.")
@click.option("--last-failed", is_flag=True, help="Run what did not pass the last time.")
@click.option("--part", callback=_part, metavar="I/N", help="Run the I-th of N parts: each on a machine of its own.")
@click.option("--jobs", type=click.IntRange(1, 64), default=USUAL_JOBS, show_default=True, help="Cases at a time.")
@click.option("--repeat", type=click.IntRange(1, 100), default=1, help="Run each so often; what differs is FLAKY.")
@waivers_option
@click.option("--interval", type=_SECONDS, help="Seconds between polls that CMD is told.  [default: 0.2]")
@click.option("--request-timeout", type=_SECONDS, default=1.0, show_default=True, help="Seconds for one request.")
@click.option("--deadline", type=_SECONDS, default=6.0, show_default=True, help="Seconds after which CMD gives up.")
@click.option("--list", "is_list", is_flag=True, help="List the cases, and run nothing.")
@report_options
@click.argument("cmd", metavar="[--] CMD...", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, /, cmd: tuple[str, ...], **options: Any) -> None:
    """Run CMD once for each case against a fake that is slow, wrong, or gone, and judge it from outside.

    CMD is told by SAFELIGHT_BASE_URL, _API_KEY, _PARAMETERS, _PROMPT, _WORKFLOW, _OUT_DIR, _POLL_SECONDS,
    _REQUEST_TIMEOUT_SECONDS and _DEADLINE_SECONDS. It ends with 0 once the picture is saved, 1 where task or API
    failed, 3 where it gave up, 89 where it does not implement the case.
    """
    _check_watch(ctx, options)
    if cmd and options["server_only"]:
        raise click.UsageError("--server-only starts no CMD: leave CMD out, or leave out --server-only", ctx)
    if not cmd and not (options["is_list"] or options["server_only"]):
        raise click.UsageError("there is no CMD to judge: write `-- python my_client.py`", ctx)
    chosen = _chosen(options)
    if options["is_list"]:
        for case in chosen:
            click.echo(f"{case.id:<5}  {case.severity:<7}  {case.fact}")
        return
    limits = Limits(options["interval"] or 0.2, options["request_timeout"], options["deadline"])
    if limits.deadline < 3 * limits.request:
        raise click.UsageError("the deadline has to be three times the time for one request, or more", ctx)
    waivers = waivers_of(options["waivers"], [case.id for case in selected()])
    began, at = datetime.now(UTC), monotonic()
    code = 0
    if options["watch"]:
        told = command_options(ctx)
        announce_found(ctx)
        code, found = _watched(told, cmd, options["interval"] or 0)
    elif options["server_only"]:
        found = _walked(chosen, limits, options["port"])
    else:
        found = _run(ClientRun(cmd, chosen, limits, options["jobs"], options["repeat"]))
        remember(found)
    found, used = applied(waivers, found, began.date())
    whole = Run(
        Kind.CLIENT,
        name=_name_of(cmd) if cmd else "a client by itself",
        command=_command(cmd, watch=options["watch"]),
        edition=edition(),
        began=began,
        seconds=monotonic() - at,
        results=found,
        waivers=used,
    )
    report = document(whole)
    write_reports([report], **{name: options[name] for name in REPORTS})
    ctx.exit(report["exit_code"] or code)


def _command(cmd: Sequence[str], *, watch: bool) -> str:
    """What does the same, for a report."""
    how = ["--watch", "--", *cmd] if watch else ["--", *cmd] if cmd else ["--server-only"]
    return shlex.join(["safelight", "check", "client", *how])


def _check_watch(ctx: click.Context, options: dict[str, Any]) -> None:
    """The fake's settings are for `--watch`, as each case has its own; and what selects cases is not."""
    given = [name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    rows = [name for name in given if name in EXEC or name in ("config", "no_config")]
    cases = [
        name
        for name in given
        if name in ("only", "skip", "last_failed", "jobs", "repeat", "part", "waivers", "server_only", "port")
    ]
    if wrong := cases if options["watch"] else rows:
        wants = "which runs no cases" if options["watch"] else "as each case has settings of its own"
        there = "does not go with --watch" if options["watch"] else "needs --watch"
        raise click.UsageError(f"--{wrong[0].replace('_', '-')} {there}, {wants}", ctx)


def _watched(told: CommandOptions, cmd: Sequence[str], interval: float) -> tuple[int, list[Result]]:
    """The exit code of the program, and a result for each rule."""
    fake, stop = fake_of(told), Event()
    on_ending(lambda *_: stop.set())
    with in_thread(fake.app(Control()), path=fake.path) as server:
        try:
            ended, evidence = watch(fake.api, fake.key, server.url, cmd, interval=interval, stop=stop)
        except CannotStart as error:
            raise Unusable(str(error)) from None
    return (1 if ended.code is None else ended.code) % 256, results(evidence, _command(cmd, watch=True))


def _chosen(options: dict[str, Any]) -> list[Case]:
    only, part = list(options["only"]), slice(*options["part"])
    if options["last_failed"]:
        only += last_failed()
        if not only:
            raise Unusable("no case is known to have failed, in runs from this folder: run without --last-failed")
    try:
        chosen = selected(only, options["skip"])[part]
    except ValueError as error:
        raise Unusable(str(error)) from None
    if not chosen:
        raise Unusable("no case is left: --skip leaves out what --only names, or there are more parts than cases")
    return chosen


def _run(planned: ClientRun) -> list[Result]:
    on_ending(lambda *_: planned.stop.set())
    with Watch(console(), len(planned.cases)) as watch:
        try:
            return run(planned, watch)
        except CannotStart as error:
            raise Unusable(str(error)) from None


def _walked(chosen: Sequence[Case], limits: Limits, port: int) -> list[Result]:
    """The results of a walk through the cases, which ends with the last of them or with Ctrl-C."""
    stop = Event()
    on_ending(lambda *_: stop.set())
    try:
        with walk(chosen, limits, port) as walking:
            click.echo(table(walking))
            while not (stop.is_set() or walking.is_over.is_set()):
                walking.is_over.wait(0.1)
            return walking.results()
    except CannotListen as error:
        raise Unusable(str(error)) from None


def _name_of(cmd: Sequence[str]) -> str:
    """What a client is called in reports: its script, where it has one."""
    files = [word for word in cmd[1:] if Path(word).suffix and not word.startswith("-")]
    return Path((files or cmd)[0]).name
