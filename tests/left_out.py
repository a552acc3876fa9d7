"""A test that needs a tool this machine lacks is left out by name and counted aloud."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

#: The npm packages that tests run, as `package.json` there lists them; the commands are there after `npm ci`.
NPM: Final = Path(__file__).parent / "tools"
_COMMANDS: Final = NPM / "node_modules" / ".bin"

#: The property of a report that names the tool that is missing.
LEFT_OUT = "left out for want of"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs(*tools): left out, by name and aloud, where one of the commands is missing"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for tool in (tool for mark in item.iter_markers("needs") for tool in mark.args):
        if found(tool) is None:
            item.user_properties.append((LEFT_OUT, tool))
            pytest.skip(f"needs {tool}, which is missing")


def found(tool: str) -> str | None:
    """Where a command is: on the path, or among those of the npm packages."""
    return shutil.which(tool) or shutil.which(tool, path=os.fspath(_COMMANDS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    by_tool = left_out(terminalreporter.stats.get("skipped", []))
    if by_tool:
        terminalreporter.section("left out")
    for tool, names in sorted(by_tool.items()):
        number = f"{len(names)} test{'s' if len(names) > 1 else ''}"
        terminalreporter.write_line(f"left out: {number}, because {tool} is missing: {', '.join(names)}")


def left_out(skipped: Iterable[pytest.TestReport]) -> dict[str, list[str]]:
    """The names of the tests left out, by the tool that was missing."""
    by_tool = defaultdict(list)
    for report in skipped:
        for name, tool in report.user_properties:
            if name == LEFT_OUT:
                by_tool[str(tool)].append(report.nodeid)
    return by_tool
