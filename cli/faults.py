"""`safelight faults`: what can go wrong on purpose."""

from __future__ import annotations

import sys
from dataclasses import fields
from itertools import groupby
from typing import Any

import click

from safelight.mockserver.faults.catalogue import faults, name_of


@click.command()
def command() -> None:
    """List the faults that plans can name, with what they do.

    A rule of a plan says which requests, and what goes wrong: `poll#2-4: http 503`, `submit#1: reset after`.
    """
    by_module = sorted(faults().values(), key=_module)
    for module, made in groupby(by_module, _module):
        click.echo(f"\n{sys.modules[module].__doc__}")
        for one in made:
            click.echo(f"  {form(one):<30}  {first_line(one)}")


def _module(made: Any) -> str:
    return str(made.__module__)


def form(made: Any) -> str:
    """A fault and its settings: `cut PERCENT`."""
    return " ".join([name_of(made), *(at.name.upper() for at in fields(made))])


def first_line(made: Any) -> str:
    """What a fault does."""
    return str(made.__doc__).partition("\n")[0].removesuffix(".")
