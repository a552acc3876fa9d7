"""The pages about the pytest plugin say what the registries say; `python tests/write.py` writes that."""

import sys
from collections.abc import Iterator
from dataclasses import fields
from inspect import signature
from itertools import groupby
from typing import Any, Final

from parts import DOCS, Part, check_fresh, table
from safelight.mockserver.faults.catalogue import faults, first_line, form, written
from safelight.mockserver.faults.scenarios import Scenario, scenarios
from safelight.testing.safelight import Safelight
from safelight.traffic.expectations import JUDGED

#: The client that the pages test, and the pages that show it.
CLIENT: Final = DOCS.parent / "examples" / "first" / "client.py"
PAGES: Final = ("faults.md", "other-server.md", "pytest.md", "scenarios.md", "sockets.md")


def parts() -> list[Part]:
    return [
        Part("fault-rules.md", "faults", lambda: "\n\n".join(_tables_of_faults())),
        Part("scenarios.md", "scenarios", _table_of_scenarios),
        Part("expectations.md", "expectations", _table_of_expectations),
        Part("first-test.md", "client", _client),
        *(Part(page, "client", _folded_client) for page in PAGES),
    ]


def _client() -> str:
    return f"This is the client under test:\n\n<!-- file: client.py -->\n\n```python\n{CLIENT.read_text('utf-8')}```"


def _folded_client() -> str:
    heading = "<summary>The client under test, <code>client.py</code></summary>"
    return f'<details markdown="1">\n{heading}\n\n{_client()}\n\n</details>'


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


def test_the_pages_have_every_fault_every_scenario_and_the_client() -> None:
    check_fresh(parts())
