"""`safelight faults`: what can go wrong on purpose."""

from __future__ import annotations

import sys
from itertools import groupby
from shutil import get_terminal_size
from textwrap import fill
from typing import Any, Final

import click

from safelight.cli._unusable import Unusable
from safelight.contracts.wording import not_among
from safelight.mockserver.faults.catalogue import faults, first_line, form

#: Characters before what a fault does.
_INDENT: Final = 34


@click.command()
@click.argument("names", metavar="[FAULT]...", nargs=-1)
def command(names: tuple[str, ...]) -> None:
    """List the faults that plans can name, with what they do: all, or each FAULT.

    A rule of a plan says which requests, and what goes wrong: `poll#2-4: http 503`, `submit#1: reset after`.
    The plan of a fake that runs is changed by PUT /_safelight/plan.
    """
    for name in names:
        if name not in faults():
            raise Unusable(not_among("fault", name, faults()))
    by_module = sorted((made for name, made in faults().items() if name in (names or faults())), key=_module)
    for module, made in groupby(by_module, _module):
        click.echo(f"\n{sys.modules[module].__doc__}")
        for one in made:
            click.echo(_wrapped(f"  {form(one):<30}  {first_line(one)}"))


def _wrapped(line: str) -> str:
    """In lines of the terminal; whole for whoever reads it through a pipe."""
    if not sys.stdout.isatty():
        return line
    width = max(get_terminal_size().columns, 2 * _INDENT)
    return fill(line, width, subsequent_indent=" " * _INDENT, break_on_hyphens=False)


def _module(made: Any) -> str:
    return str(made.__module__)
