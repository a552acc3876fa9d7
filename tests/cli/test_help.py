"""Help in terminals of every width, and what is said of a command that there is none of."""

import subprocess
from collections.abc import Iterator
from typing import Any, Final

import click
import pytest
from click.testing import CliRunner

from safelight.cli.main import main
from safelight.mockserver.faults.catalogue import faults
from serving import SAFELIGHT


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of a group and of all that it has."""
    yield path
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))
        else:
            yield (*path, name)


PATHS: Final = list(commands(main))


def help_of(path: tuple[str, ...], width: int) -> str:
    """What `--help` prints in so many columns."""
    done = CliRunner().invoke(main, [*path, "--help"], terminal_width=width)
    assert done.exit_code == 0, done.output
    return done.stdout


def words(text: str) -> list[str]:
    """The words of a text; those of a form, such as `[reject|clamp]`, one by one."""
    return text.replace("|", "| ").split()


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_is_as_wide_as_it_may_be_and_has_each_word_whole(path: tuple[str, ...]) -> None:
    whole = words(help_of(path, 1_000))
    for width in range(38, 101):
        shown = help_of(path, width)
        assert max(map(len, shown.splitlines())) <= width, width
        assert words(shown) == whole, width


@pytest.mark.parametrize(("columns", "widest"), [("30", 38), ("40", 38), ("64", 62), ("200", 98)])
def test_help_fits_the_terminal_that_it_is_asked_for_in(columns: str, widest: int) -> None:
    command = [str(SAFELIGHT), "check", "server", "--help"]
    done = subprocess.run(command, env={"COLUMNS": columns}, capture_output=True, text=True, check=True, timeout=60)
    assert widest - 8 < max(map(len, done.stdout.splitlines())) <= widest


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_each_command_says_what_it_does(path: tuple[str, ...]) -> None:
    usage, blank, sentence = help_of(path, 1_000).splitlines()[:3]
    assert usage.startswith("Usage: ")
    assert not blank
    assert sentence.strip()
    assert "CMD...  " not in help_of(path, 1_000), "an argument is no option"


MISTAKES: Final[dict[str, tuple[list[str], str]]] = {
    "a command": (["srve"], "there is no command 'srve'; did you mean serve?"),
    "a command of a group": (["check", "clent"], "there is no command 'clent'; did you mean client?"),
    "a command of another make of group": (["schema", "exprt"], "there is no command 'exprt'; did you mean export?"),
    "one that is near none": (["check", "zzz"], "there is no command 'zzz'; there are client, recording and server"),
    "a text for the terminal": (["\x1b[2J"], r"there is no command '\x1b[2J'; there are check, demo, "),
    "a fault": (["faults", "htp"], "no fault is called 'htp'; did you mean http?"),
    "no fault": (["faults", "--reset"], "No such option"),
}


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_what_is_near_is_suggested(arguments: list[str], sentence: str) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert sentence in done.stderr


def test_an_option_of_the_group_is_still_its_own() -> None:
    assert ", version " in CliRunner().invoke(main, ["--version"]).stdout
    assert "No such option" in CliRunner().invoke(main, ["--versio"]).stderr


@pytest.mark.parametrize("name", faults())
def test_a_fault_can_be_looked_up_by_its_name(name: Any) -> None:
    _, heading, line, *rest = CliRunner().invoke(main, ["faults", name]).stdout.split("\n")
    assert heading.startswith("Faults ")
    assert line.split()[0] == name
    assert rest == [""]
