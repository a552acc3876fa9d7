"""docs/commands.md has the help of every command; `python tests/write.py` writes it."""

from collections.abc import Iterator
from typing import Final

import click
from click.testing import CliRunner

from parts import Part, check_fresh
from safelight.cli.main import main

#: How many columns of code a page shows on a laptop, with room to spare.
COLUMNS: Final = 90


def parts() -> list[Part]:
    return [Part("commands.md", "commands", lambda: "\n\n".join(_helps()))]


def _helps() -> Iterator[str]:
    for words in _commands(main, ()):
        said = CliRunner().invoke(main, [*words, "--help"], prog_name="safelight", terminal_width=COLUMNS)
        lines = "\n".join(line.rstrip() for line in said.stdout.strip().splitlines())
        yield f"## safelight {' '.join(words)}\n\n```text\n{lines}\n```"


def _commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of each command that is no group, from the top."""
    if not isinstance(command, click.Group):
        yield words
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from _commands(found, (*words, name))


def test_the_page_has_the_help_of_every_command() -> None:
    check_fresh(parts())
