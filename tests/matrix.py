"""Run every bad client, and every driver that ships, through all the cases, and write docs/matrix.md.

`python tests/matrix.py`, which takes a quarter of an hour on two cores; `python tests/matrix.py drivers`, or names of
bad clients, write their own parts alone. In CI each bad client meets the cases that are about it alone.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import run_liar  # noqa: F401 - registers them
from liars.clients.liar import ABOUT, LIARS
from safelight.conformance.clients.case import cases, selected
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.runner import ClientRun, run
from safelight.conformance.results import Result
from safelight.conformance.verdicts import Verdict

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "matrix.md"
#: The standard library alone: a client starts in 40 ms.
PYTHON: Final = (sys.executable, "-S", "-E")
LIMITS: Final = Limits(poll=0.1, request=0.8, deadline=4.0)

#: Driver -> its command.
DRIVERS: Final = {
    "Python, requests": (sys.executable, "examples/drivers/python_requests.py"),
    "Python, httpx": (sys.executable, "examples/drivers/python_httpx.py"),
    "Node.js, fetch": ("node", "examples/drivers/node_fetch.mjs"),
    "shell, curl": ("examples/drivers/curl.sh",),
}

#: Verdict -> how it stands in a table.
SIGNS: Final = {Verdict.PASS: "pass", Verdict.FAIL: "**FAIL**", Verdict.NON_STRICT: "non-strict", Verdict.INFO: "info"}


def drivers() -> Iterator[str]:
    """The table of the drivers."""
    ran: dict[str, Sequence[Result]] = {}
    seconds: dict[str, float] = {}
    for name, command in DRIVERS.items():
        began = time.monotonic()
        ran[name] = run(ClientRun(command, list(cases().values()), jobs=2 * (os.cpu_count() or 1)))
        seconds[name] = time.monotonic() - began
    yield f"| case | | severity | {' | '.join(DRIVERS)} |"
    yield f"|---|---|---|{'---|' * len(DRIVERS)}"
    for number, case in enumerate(cases().values()):
        verdicts = [ran[name][number].verdict for name in DRIVERS]
        yield f"| {case.id} | {case.fact} | {case.severity} | {' | '.join(SIGNS.get(one, one) for one in verdicts)} |"
    yield f"| | seconds for all | | {' | '.join(f'{seconds[name]:.0f}' for name in DRIVERS)} |"


def liars(names: Sequence[str]) -> Iterator[str]:
    """The rows of these bad clients."""

    for name, results in judged(names, dict.fromkeys(names, cases())).items():
        caught = [result.id for result in results if is_caught(result)]
        own = [f"**{case}**" if case in caught else f"{case} (missed)" for case in ABOUT[name]]
        others = [case for case in caught if case not in ABOUT[name]]
        mistake = (LIARS[name].__doc__ or "").partition("\n")[0]
        yield f"| `{name}` | {mistake} | {', '.join(own)} | {', '.join(others)} |"


def judged(
    names: Sequence[str], about: Mapping[str, Iterable[str]], script: str = "run_liar.py"
) -> Mapping[str, list[Result]]:
    """Client of the tests -> the results of these cases."""

    def of_one(name: str) -> list[Result]:
        return run(ClientRun([*PYTHON, str(ROOT / "tests" / script), name], selected(about[name]), LIMITS, jobs=1))

    with ThreadPoolExecutor(12) as threads:
        return dict(zip(names, threads.map(of_one, names), strict=True))


def is_caught(result: Result) -> bool:
    """The case has something to say; one that is INFO never fails."""
    return result.verdict in (Verdict.FAIL, Verdict.NON_STRICT) or bool(result.findings)


HEAD: Final = """# The matrix

Made by `python tests/matrix.py`.

## The drivers that ship
"""


def main(parts: Sequence[str]) -> None:
    """Write the page, or parts of it."""
    os.chdir(ROOT)
    title = f"## Each bad client of the tests, and what catches it\n\nThere are {len(LIARS)}, each with one mistake."
    before, _, after = PAGE.read_text("utf-8").partition("\n## Each") if PAGE.exists() else ("", "", "")
    table = "\n".join([HEAD, *drivers()]) if not parts or "drivers" in parts else before.rstrip()
    rows = {line.split("`")[1]: line for line in after.splitlines() if line.startswith("| `")}
    chosen = [name for name in LIARS if not parts or name in parts]
    rows |= dict(zip(chosen, liars(chosen), strict=True))
    heading = "| bad client | its mistake | the cases about it | also caught by |\n|---|---|---|---|"
    PAGE.write_text("\n".join([table, "", title, "", heading, *(rows[name] for name in LIARS)]) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
