"""`safelight check`: judge a client, a server, or recorded traffic."""

import click

from safelight.cli._commands import Commands


@click.group(cls=Commands, package=__name__)
def command() -> None:
    """Judge one side of the wire, and say what it costs."""
