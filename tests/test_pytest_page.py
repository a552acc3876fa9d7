"""The tables of docs/pytest.md are what the registries say. `python tests/test_pytest_page.py` writes them anew."""

from dataclasses import fields
from typing import Any

from parts import DOCS, Part, stale, table, write
from safelight.mockserver.faults import faults
from safelight.mockserver.options import OPTIONS
from safelight.mockserver.scenarios import Scenario, scenarios


def parts() -> list[Part]:
    """The faults and the scenarios."""
    page, writer = "pytest.md", "test_pytest_page.py"
    struck = [(f"`{_form(name, made)}`", _first_line(made)) for name, made in faults().items()]
    lives = [(f"`{name}`", scenario.description, _told(scenario)) for name, scenario in scenarios().items()]
    return [
        Part(page, "faults", writer, table(("fault", "what it does"), struck)),
        Part(page, "scenarios", writer, table(("scenario", "the fact", "life and plan"), lives)),
    ]


def _form(name: str, made: Any) -> str:
    return " ".join([name, *(at.name.upper() for at in fields(made))])


def _first_line(made: Any) -> str:
    return str(made.__doc__).partition("\n")[0].removesuffix(".")


def _told(scenario: Scenario) -> str:
    life = ", ".join(f"`{name}={value!r}`" for name, value in scenario.life.items())
    return ", ".join([life, *(f"`{rule}`" for rule in scenario.plan)])


def test_the_page_has_every_fault_and_every_scenario() -> None:
    assert stale(parts()) == [], "a table is stale: run `python tests/test_pytest_page.py`"


def test_the_page_has_every_option() -> None:
    page = (DOCS / "pytest.md").read_text("utf-8")
    assert [name for name in OPTIONS if f"{name}=" not in page] == []


if __name__ == "__main__":
    write(parts())
