"""`safelight faults`: what can go wrong on purpose."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import Any

import click

from safelight.mockserver.faults.catalogue import faults, first_line, form


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
