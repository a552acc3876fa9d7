"""The tables of `docs/comparison.md`, from what `bad_servers.py` kept: `python tests/write.py` writes them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from parts import table
from run_bad_server import DEFECTS, GOOD

RESULTS: Final = Path(__file__).with_name("bad_servers.json")

#: The defects that are compared: those that some check is about.
COMPARED: Final = [one for one in DEFECTS.values() if one.checks]

#: The goals: at least so many times the defects, and at most this share of the tasks.
MIN_TIMES_DEFECTS: Final = 2.0
MAX_SHARE_OF_TASKS: Final = 0.1


def kept() -> dict[str, Any]:
    """What is known from the runs there were: tool -> its version, its command, their date, and the runs by server."""
    found: dict[str, Any] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    return found


@dataclass(frozen=True)
class Column:
    """What one tool came to."""

    name: str
    facts: Mapping[str, Any]

    @cached_property
    def good(self) -> frozenset[str]:
        """What it reports on the good fake: false alarms."""
        return frozenset(self.facts["runs"].get(GOOD.name, {}).get("failures", ()))

    def found(self, name: str) -> frozenset[str] | None:
        """What it reports on a bad server and not on the good one; None where it was not run."""
        run = self.facts["runs"].get(name)
        return frozenset(run["failures"]) - self.good if run else None

    @cached_property
    def ran(self) -> int:
        """How many bad servers it was run on."""
        return sum(one.name in self.facts["runs"] for one in COMPARED)

    @cached_property
    def defects(self) -> int:
        """How many it found."""
        return sum(bool(self.found(one.name)) for one in COMPARED)

    def total(self, what: str) -> float:
        """A figure of the runs on all compared servers together."""
        names = {GOOD.name, *(one.name for one in COMPARED)}
        return sum(float(run[what]) for name, run in self.facts["runs"].items() if name in names)

    def on_good(self, what: str) -> float:
        """A figure of the run on the good fake."""
        found: float = self.facts["runs"].get(GOOD.name, {}).get(what, 0)
        return found


def columns() -> list[Column]:
    """Those that were run: Schemathesis, then Safelight."""
    found = kept()
    return [Column(name, found[name]) for name in ("Schemathesis", "Safelight") if name in found]


def figures() -> str:
    """The table of what all runs came to."""
    tools = columns()
    rows = [
        ("version", *(one.facts["version"] for one in tools)),
        ("date of the runs", *(one.facts["date"] for one in tools)),
        (f"bad servers that were run, of {len(COMPARED)}", *(str(one.ran) for one in tools)),
        ("defects found", *(str(one.defects) for one in tools)),
        ("failures reported on the good fake", *(str(len(one.good)) for one in tools)),
        ("requests to the good fake", *(f"{one.on_good('requests'):,.0f}" for one in tools)),
        ("paid tasks on the good fake", *(f"{one.on_good('tasks'):,.0f}" for one in tools)),
        ("requests, all servers", *(f"{one.total('requests'):,.0f}" for one in tools)),
        ("paid tasks, all servers", *(f"{one.total('tasks'):,.0f}" for one in tools)),
    ]
    return "\n\n".join([table(("", *(one.name for one in tools)), rows), *_verdicts(tools)])


def _verdicts(tools: list[Column]) -> Iterator[str]:
    """Whether the goals are met."""
    if len(tools) < 2:  # noqa: PLR2004 - two are compared
        yield "One of the two was not run yet: `python benchmarks/bad_servers.py --missing` does so."
    if any(one.ran < len(COMPARED) for one in tools):
        yield "Not all bad servers were run: `python benchmarks/bad_servers.py --missing` goes on."
    both = [one.name for one in COMPARED if tools and all(one.name in tool.facts["runs"] for tool in tools)]
    if len(tools) < 2 or not both:  # noqa: PLR2004 - as above
        return
    other, own = tools
    found = [sum(bool(tool.found(name)) for name in both) for tool in tools]
    paid = [sum(tool.facts["runs"][name]["tasks"] for name in both) for tool in tools]
    yield (
        f"On the {len(both)} bad servers that both were run on, {other.name} found {found[0]} defects and paid for "
        f"{paid[0]:,} tasks, {own.name} found {found[1]} and paid for {paid[1]:,}."
    )
    goals = {
        "at least twice the defects": found[1] >= MIN_TIMES_DEFECTS * found[0],
        "no false alarm": not own.good,
        "at most a tenth of the paid tasks": paid[1] <= MAX_SHARE_OF_TASKS * paid[0],
    }
    yield "Goals, on these: " + "; ".join(f"{goal}: {'met' if met else 'missed'}" for goal, met in goals.items()) + "."


def defects() -> str:
    """The table of the defects, and who found them."""
    tools = columns()
    rows = [
        (f"`{one.name}`", one.sentence, ", ".join(one.checks), *(_sign(tool.found(one.name)) for tool in tools))
        for one in COMPARED
    ]
    return table(("bad server", "its defect", "checks about it", *(one.name for one in tools)), rows)


def _sign(found: frozenset[str] | None) -> str:
    return "not run" if found is None else "found" if found else "-"


def commands() -> str:
    """The command of each, as it ran."""
    return "\n".join(f"- {one.name}: `{one.facts['command']}`" for one in columns())


if __name__ == "__main__":
    print(figures())
