"""The tables of docs/pytest.md are what the registries say; `python tests/write.py` writes them."""

import sys
from collections.abc import Iterator
from dataclasses import fields
from inspect import signature
from itertools import groupby
from typing import Any

from parts import Part, check_fresh, table
from safelight.mockserver.faults.catalogue import faults, first_line, form, written
from safelight.mockserver.faults.scenarios import Scenario, scenarios
from safelight.testing.safelight import Safelight
from safelight.traffic.expectations import JUDGED


def parts() -> list[Part]:
    return [
        Part("pytest.md", "faults", lambda: "\n\n".join(_tables_of_faults())),
        Part("pytest.md", "scenarios", _table_of_scenarios),
        Part("pytest.md", "expectations", _table_of_expectations),
    ]


def _tables_of_faults() -> Iterator[str]:
    """A sentence and a table for each module, which is a kind of fault."""
    by_module = sorted(faults().values(), key=lambda made: str(made.__module__))
    for module, made in groupby(by_module, lambda made: str(made.__module__)):
        yield str(sys.modules[module].__doc__)
        yield table(("fault", "what it does", "without settings"), map(_row, made))


def _row(made: Any) -> tuple[str, str, str]:
    return f"`{form(made)}`", first_line(made), f"`{written(made())}`" if fields(made) else ""


def _table_of_scenarios() -> str:
    rows = [(f"`{name}`", scenario.description, _options(scenario)) for name, scenario in scenarios().items()]
    return table(("scenario", "the fact", "options and plan"), rows)


def _options(scenario: Scenario) -> str:
    options = ", ".join(f"`{name}={value!r}`" for name, value in scenario.options.items())
    return ", ".join([options, *(f"`{rule}`" for rule in scenario.plan)])


def _table_of_expectations() -> str:
    rows = [_row_of(name) for name in vars(Safelight) if name.startswith("assert_")]
    return table(("expectation", "what holds", "judges every test"), rows)


def _row_of(name: str) -> tuple[str, str, str]:
    method = getattr(Safelight, name)
    given = [parameter for parameter in signature(method).parameters.values() if parameter.name != "self"]
    form = ", ".join(f"**{one.name}" if one.kind is one.VAR_KEYWORD else f"{one.name}=..." for one in given)
    switch = next((switch for switch, one in JUDGED.items() if name == f"assert_{one.holds.__name__}"), "")
    always = "yes" if name in ("assert_plan_delivered", "assert_client_ended") else ""
    return f"`{name}({form})`", first_line(method), f"unless `{switch}=False`" if switch else always


def test_the_page_has_every_fault_and_every_scenario() -> None:
    check_fresh(parts())
