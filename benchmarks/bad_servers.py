"""The bad servers of the tests under Schemathesis and `safelight check server`: what each finds, and what it costs.

`python benchmarks/bad_servers.py` runs both on the good fake and on each bad server, and keeps what was found in
`bad_servers.json`, of which `python tests/write.py` makes the tables of `docs/comparison.md`. It takes an hour on two
cores. `--tool schemathesis` runs one of them, `--only NAME` one server, `--missing` what was not run yet.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urljoin

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from comparison import COMPARED, RESULTS, figures, kept

from liars.servers.server import OTHER_KEY
from run_bad_server import DEFECTS, GOOD, bad_server
from safelight.mockserver.model.keys import FAKE_KEY

ROOT: Final = Path(__file__).parents[1]
TWO_KEYS: Final = RESULTS.with_name("two_keys.json")
BIN: Final = Path(sys.executable).parent

#: Seconds within which one run has ended, or is ended.
MAX_SECONDS: Final = 300.0

#: How tasks go under Schemathesis: on with each poll, so that the polls that follow its links see every phase.
BY_POLLS: Final = {"polls": (1, 1)}


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run on one server came to."""

    #: What it reported, each once.
    failures: list[str]
    requests: int
    #: Tasks that were created and paid for.
    tasks: int
    seconds: float
    #: Why it is not a whole run.
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """One of those that are compared."""

    name: str
    version: str
    #: The command, with URL and REPORT in the places of what each run has of its own.
    command: tuple[str, ...]
    #: From the entry point to what stands in the command for it.
    url: Callable[[str], str]
    #: The failures that a report tells.
    failures: Callable[[Any], Iterator[str]]
    tasks: Mapping[str, Any] = field(default_factory=dict)

    def told(self, url: str, report: Path) -> list[str]:
        """The command of one run."""
        places = {"URL": self.url(url), "REPORT": str(report)}
        return [places.get(word, word) for word in self.command]

    @property
    def shown(self) -> str:
        """The command, for people."""
        name, *words = self.command
        return shlex.join([Path(name).name, *words]).replace(f"{ROOT}/", "")


def _of_schemathesis(report: Any) -> Iterator[str]:
    for failure in report["failures"]:
        for operation in failure["operations"]:
            yield f"{failure['title']}, {operation}"
    for error in report["errors"]:
        yield f"error: {error.get('title', error)}"


def schemathesis() -> Tool:
    """Its defaults of each phase, 100 examples an operation among them, and all that it has: every check, every link.

    It also goes on after a failure, has two keys, and the hook with which it reports nothing on the good fake.
    """
    options = "--phases examples,coverage,fuzzing,stateful --checks all --continue-on-failure --seed 1 --no-color"
    command = (
        *(str(BIN / "schemathesis"), "--config-file", str(ROOT / "benchmarks" / "schemathesis.toml"), "run", "URL"),
        *options.split(),
        *("--generation-database", "none", "--report", "json", "--report-json-path", "REPORT"),
    )
    document = partial(urljoin, url="/openapi.json")
    return Tool("Schemathesis", version("schemathesis"), command, document, _of_schemathesis, BY_POLLS)


def _of_safelight(report: Any) -> Iterator[str]:
    for check in report["cases"]:
        if check["findings"]:
            yield check["id"]


def safelight() -> Tool:
    """All checks, of all operations, with as many paid tasks as they want, and two keys.

    The deadlines are those of the fake, whose tasks take a tenth of a second.
    """
    options = "--max-paid 40 --operation image_editing --operation video_generation --seed 1"
    pace = "--interval 0.05 --settle 0 --deadline 10"
    command = (str(BIN / "safelight"), "check", "server", "URL", *options.split(), *pace.split(), "--json", "REPORT")
    return Tool("Safelight", version("safelight"), command, str, _of_safelight)


TOOLS: Final = {"schemathesis": schemathesis, "safelight": safelight}


def ran(tool: Tool, server: str) -> Ran:
    """One run."""
    options: dict[str, Any] = {"tasks": tool.tasks} if tool.tasks else {}
    with TemporaryDirectory() as folder, bad_server(server, key=FAKE_KEY, **options) as running:
        report = Path(folder) / "report.json"
        began = time.monotonic()
        done = _done(tool.told(running.url, report), folder)
        seconds = round(time.monotonic() - began, 1)
        found = sorted(set(tool.failures(json.loads(report.read_text("utf-8"))))) if report.exists() else []
        remark = "" if report.exists() else f"no report: {done[-200:]}"
        return Ran(found, running.server.requests, running.tasks, seconds, remark)


def _done(command: Sequence[str], folder: str) -> str:
    """Run a command to its end; what it complained of."""
    keys = {"SAFELIGHT_API_KEY": FAKE_KEY, "SAFELIGHT_OTHER_API_KEY": OTHER_KEY, "TWO_KEYS": str(TWO_KEYS)}
    environment = {**os.environ, **keys, "PYTHONPATH": str(ROOT / "tests")}
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=MAX_SECONDS, check=False
        ).stderr
    except subprocess.TimeoutExpired:
        return f"it did not end within {MAX_SECONDS:.0f} s"


def measured(tool: Tool, names: Sequence[str], jobs: int) -> Iterator[tuple[str, Ran]]:
    """The runs, as they end."""
    with ThreadPoolExecutor(jobs) as threads:
        for name, one in zip(names, threads.map(partial(ran, tool), names), strict=True):
            print(f"{tool.name:<14} {name:<44} {one.seconds:>6} s {one.tasks:>5} tasks  {one.failures or one.remark}")
            yield name, one


def keep(tool: Tool, name: str, one: Ran) -> None:
    """Keep this run beside the others."""
    found = kept()
    own = found.setdefault(tool.name, {"runs": {}})
    own |= {"version": tool.version, "command": tool.shown, "date": datetime.now(UTC).date().isoformat()}
    own["runs"][name] = asdict(one)
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")


def main() -> None:
    """Run what is asked for, and print what all runs that are kept came to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--tool", choices=TOOLS, action="append", help="one of them alone")
    options.add_argument("--only", choices=[GOOD.name, *DEFECTS], action="append", metavar="NAME")
    options.add_argument("--missing", action="store_true", help="leave out what was run before")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="servers at a time")
    chosen = options.parse_args()
    names = chosen.only or [GOOD.name, *(one.name for one in COMPARED)]
    for name in chosen.tool or TOOLS:
        tool = TOOLS[name]()
        there = kept().get(tool.name, {"runs": {}})["runs"] if chosen.missing else {}
        wanted = [server for server in names if server not in there]
        for server, one in measured(tool, wanted, chosen.jobs):
            keep(tool, server, one)
    print(figures())


if __name__ == "__main__":
    main()
