"""`safelight demo`: a picture of each workflow, from submit to PNG, made by a fake and a client in this process."""

import sys
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import click
from rich.console import Console

from safelight.cli._demo.cast import recorder, write_svg
from safelight.cli._demo.client import Trouble
from safelight.cli._demo.show import show
from safelight.cli._unusable import Unusable
from safelight.contracts.wording import echoed
from safelight.mockserver.transports.server import CannotListen

#: Times the service's speed. Beyond this, HTTP takes longer than the tasks do.
_MAX_SPEED: Final = 200


def _speed(_: click.Context, __: click.Parameter, text: str) -> float:
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0
    if not 1 <= speed <= _MAX_SPEED:
        raise click.BadParameter(f"{echoed(text)} is no speed for a demo: write 1x to {_MAX_SPEED}x")
    return speed


_FILE: Final = click.Path(path_type=Path)


@click.command()
@click.option(
    "--out", type=_FILE, default="safelight-demo", show_default=True, metavar="DIR", help="Where pictures go."
)
@click.option(
    "--speed", callback=_speed, default="10x", show_default=True, metavar="FACTOR", help="1x: as the service."
)
@click.option("--seed", type=int, default=21, show_default=True, help="Fixes ids, timelines and pictures.")
@click.option("--svg", type=_FILE, metavar="FILE", hidden=True, help="Save the output as SVG.")
def command(out: Path, speed: float, seed: int, svg: Path | None) -> None:
    """Watch a picture of each workflow being made, in five seconds.

    Starts the fake, submits one task for each workflow and one that is doomed, polls them as a client
    of the service would, saves the pictures, and prints what happened when.
    """
    try:
        _prepare(out)
        _run(out, speed, seed, svg)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _prepare(out: Path) -> None:
    """Make the folder, and see that files can be written there."""
    if out.is_file():
        raise Unusable(f"{click.format_filename(out)} is a file: give a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise Unusable(f"cannot write to {click.format_filename(out)}: {error.strerror}") from None


def _run(out: Path, speed: float, seed: int, svg: Path | None) -> None:
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what it cannot encode is escaped
    console = recorder() if svg else Console(highlight=False)
    try:
        show(console, out, speed=speed, seed=seed)
        if svg:
            write_svg(console, svg)
    except (Trouble, CannotListen) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        where = click.format_filename(error.filename or out)
        raise click.ClickException(f"cannot write {where}: {error.strerror}") from None
