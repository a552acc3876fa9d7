"""`safelight replay FILE -- CMD`: run a client in a story that was found."""

from __future__ import annotations

from pathlib import Path

import click

from safelight.cli._fuzzing import show, trier
from safelight.cli._unusable import Stopped, Unusable
from safelight.conformance.clients.fuzzing import story_in
from safelight.conformance.clients.process import CannotStart


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("cmd", metavar="[--] CMD...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, /, file: Path, cmd: tuple[str, ...]) -> None:
    """Run CMD in the story of FILE, which `safelight fuzz` has kept, and say whether it survives."""
    try:
        story = story_in(file)
        result = trier(cmd[cmd[0] == "--" :])(story)
    except (ValueError, CannotStart) as error:
        raise Unusable(str(error)) from None
    except KeyboardInterrupt:
        raise Stopped("stopped before the story was over") from None
    show(story, result)
    click.echo(f"it {'does not survive' if result.findings else 'survives'}")
    ctx.exit(1 if result.findings else 0)
