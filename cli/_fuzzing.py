"""What `fuzz` and `replay` have in common: how a story is tried on a command, and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import click

from safelight.cli._signals import on_ending
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.runner import of_story
from safelight.conformance.clients.story import Story
from safelight.conformance.clients.trying import try_client
from safelight.conformance.clients.waiting import await_all
from safelight.conformance.results import Tried
from safelight.contracts.wording import printable

#: What a command is given to keep: short, as a search takes many runs.
LIMITS = Limits(poll=0.1, request=0.5, deadline=4.0)


def trier(command: Sequence[str], limits: Limits = LIMITS) -> Callable[[Story], Tried]:
    """Tries a story on a command. Raises `CannotStart`."""
    on_ending()
    return lambda story: _tried(command, story, limits)


def _tried(command: Sequence[str], story: Story, limits: Limits) -> Tried:
    """The command runs beside this thread, which a signal can then interrupt at once."""
    stop = Event()
    with ThreadPoolExecutor(1) as threads:
        try:
            running = threads.submit(try_client, command, story.trial(), limits, stop)
            await_all([running])
            return of_story(story, running.result())
        finally:
            stop.set()


def show(story: Story, result: Tried) -> None:
    """Print a story that a client does not survive, and how that was seen."""
    click.echo(f"  the story   {printable(str(story))}")
    for row in result.timeline:
        fault = f"   fault: {row['fault']}" if row["fault"] else ""
        answer = f"{row['answer']} {row['word']}".rstrip()
        click.echo(f"  {row['at']:8.2f} s  {row['kind'] or row['request']:<8} {answer}{printable(fault)}")
    click.echo(f"  ended with  {result.ended}")
    for finding in result.findings:
        click.echo(f"  {finding.rule:<11} {printable(finding.sentence)} ({finding.severity})")
