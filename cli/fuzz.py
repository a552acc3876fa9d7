"""`safelight fuzz -- CMD`: search for the smallest story that a client does not survive."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from random import randrange
from typing import Any

import click

from safelight.cli._config import shown_path
from safelight.cli._database import shared_stories
from safelight.cli._fuzzing import show, trier
from safelight.cli._hypothesis import keep_in_cache
from safelight.cli._unusable import Stopped, Unusable
from safelight.conformance.clients.fuzzing import Search, keep, kept
from safelight.conformance.clients.process import CannotStart
from safelight.conformance.clients.stories import MAX_FAULTS

#: Where stories are kept that have broken a client.
CORPUS = Path(".safelight", "stories")


def _seconds(_: click.Context, option: click.Parameter, text: str) -> float:
    """`60s`, `5m` or a number of seconds."""
    unit = {"s": 1, "m": 60, "h": 3600}.get(text[-1:], 0)
    try:
        seconds = float(text[:-1] if unit else text) * (unit or 1)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 86_400:  # noqa: PLR2004 - a day
        raise click.BadParameter(f"{text!r} is no time to search: write 60s or 5m", param=option)
    return seconds


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("--for", "seconds", default="60s", show_default=True, callback=_seconds, metavar="TIME", help="How long.")
@click.option("--examples", type=click.IntRange(1), default=100_000, help="Stories at most.  [default: as time allows]")
@click.option("--seed", type=click.IntRange(0), help="Draws the same stories again.  [default: random]")
@click.option(
    "--max-faults", type=click.IntRange(0, 8), default=MAX_FAULTS, show_default=True, help="Faults of a story."
)
@click.option("--strict", is_flag=True, help="A SHOULD that is broken counts too.")
@click.option(
    "--corpus",
    type=click.Path(path_type=Path, file_okay=False),
    default=CORPUS,
    metavar="FOLDER",
    help="Stories found earlier, tried first.  [default: .safelight/stories]",
)
@click.option("--database", metavar="URL", help="Share stories with other searches: redis://HOST:PORT/0.")
@click.argument("cmd", metavar="[--] CMD...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, /, cmd: tuple[str, ...], seconds: float, corpus: Path, **options: Any) -> None:
    """Run CMD, a driver as for `safelight check client`, in stories that are drawn, until one breaks it.

    A story is a request, a task and what goes wrong. The one that is found is made small, shown and kept.
    """
    keep_in_cache()
    shared = shared_stories(options["database"]) if options["database"] else None
    seed = randrange(10**6) if options["seed"] is None else options["seed"]
    count = 0

    def seen(*_: object) -> None:
        nonlocal count
        count += 1
        if sys.stderr.isatty():
            click.echo(f"\rtried: {count} ", nl=False, err=True)

    search = Search(
        trier(cmd),
        seconds,
        options["examples"],
        seed,
        options["max_faults"],
        strict=options["strict"],
        news=shared.news if shared else tuple,
        seen=seen,
    )
    try:
        found = search.run(kept(corpus))
    except CannotStart as error:
        raise Unusable(str(error)) from None
    except KeyboardInterrupt:
        raise Stopped(f"stopped: no story broke it, {count} tried, with the seed {seed}") from None
    if found.story is None or found.result is None:
        click.echo(f"no story broke it: {found.tried} tried, with the seed {seed}")
        return
    click.echo(f"story {found.examples} broke it, with the seed {seed}; made smaller in {found.tried} runs:")
    if shared:
        shared.keep(found.story)
    show(found.story, found.result)
    try:
        file = keep(corpus, found.story, [finding.sentence for finding in found.result.findings])
        click.echo(f"  run it again  safelight replay {shlex.quote(str(file))} -- {shlex.join(cmd)}")
    except OSError as error:
        click.echo(f"  it is not kept: {shown_path(corpus)} cannot be written: {error.strerror}")
    ctx.exit(1)
