"""`safelight serve`: the fake as a local backend, until it is stopped."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli._config import ConfiguredCommand
from safelight.cli._log import LOGS
from safelight.cli._options import Fake, fake_of, fake_options
from safelight.cli._unusable import Unusable

if TYPE_CHECKING:
    import socket


@click.command(cls=ConfiguredCommand)
@fake_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8123, show_default=True, help="0 takes a free port.")
@click.option("--ready-file", type=click.Path(dir_okay=False), help="Write URL and key here as JSON, once it answers.")
@click.option("--log", type=click.Choice(list(LOGS)), default="readable", show_default=True, help="A line an exchange.")
@click.pass_context
def command(ctx: click.Context, /, host: str, port: int, ready_file: str | None, log: str, **options: Any) -> None:
    """Serve the API on this machine, with real pictures and no credits spent."""
    from safelight.mockserver.server import AppServer, CannotListen, listen  # noqa: PLC0415 - not for `--help`

    fake = fake_of(ctx, options, LOGS[log])
    try:
        bound = listen(host, port)
    except CannotListen as error:
        raise Unusable(str(error)) from None
    AppServer(fake.app, bound, ready=lambda: _announce(fake, bound, ready_file)).run()


def _announce(fake: Fake, bound: socket.socket, ready_file: str | None) -> None:
    from safelight.mockserver.server import entry_of  # noqa: PLC0415 - not for `--help`

    url = entry_of(bound)
    if ready_file:
        _write_whole(Path(ready_file), json.dumps({"url": url, "api_key": fake.key}))
    click.echo(_BANNER.format(url=click.style(url, bold=True), key=fake.key, seed=fake.seed, curl=_curl(url, fake.key)))


_BANNER: Final = """\
Safelight answers at  {url}
with the API key      {key}
and the seed          {seed}

Paste this to submit a picture:
  {curl}
"""


def _curl(url: str, key: str) -> str:
    """A line that submits, for a shell."""
    parts = f"{url}?endpoint=image_generation", "-H", f"x-api-key: {key}", "-H", "content-type: application/json"
    return shlex.join(["curl", *parts, "-d", json.dumps({"prompt": "a lighthouse at dusk"})])


def _write_whole(path: Path, text: str) -> None:
    """Write a file that nobody ever sees half of."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text + "\n", "utf-8")
    part.replace(path)
