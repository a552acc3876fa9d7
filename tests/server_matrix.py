"""Check every bad server with all the checks, and write docs/server-matrix.md.

`python tests/server_matrix.py`, which takes a quarter of an hour on two cores; with names of bad servers it writes
their rows alone. In CI each bad server meets the checks that are about it alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

from checking import checked
from run_bad_server import DEFECTS, bad_server
from safelight.conformance.servers.check import checks
from safelight.conformance.servers.preflight import NotThisApi
from safelight.conformance.servers.sending import ServerGone
from safelight.contracts.operations import operations

PAGE: Final = Path(__file__).parents[1] / "docs" / "server-matrix.md"

SUBMITS: Final = tuple(operation.name for operation in operations().values() if operation.is_submit)

HEAD: Final = """# The matrix of servers

Made by `python tests/server_matrix.py`: {count} servers that are the fake with one defect each,
under all the checks of `safelight check server`. They are in `tests/liars/servers`; `python tests/run_bad_server.py
NAME` serves one.

| check | a good server | level | cost | bad servers that it catches |
|---|---|---|---|---|
"""

ROWS: Final = """
## Each bad server, and what catches it

| bad server | its defect | the checks about it | also caught by |
|---|---|---|---|
"""


def row(name: str) -> str:
    """What a server's row says."""
    defect = DEFECTS[name]
    with bad_server(name) as server:
        try:
            caught = checked(server.url, operations=SUBMITS, max_surprise=40, timeout=5).caught()
        except (ServerGone, NotThisApi) as said:
            return f"| `{name}` | {defect.sentence} | the run ends: {_cell(str(said))} | |"
    own = [f"**{check}**" if check in caught else f"{check} (missed)" for check in defect.checks]
    others = [check for check in caught if check not in defect.checks]
    return f"| `{name}` | {_cell(defect.sentence)} | {', '.join(own)} | {', '.join(others)} |"


def _caught(line: str) -> list[str]:
    """The checks in a row, but those that missed it."""
    return re.findall(r"\bS\d\d\b(?! \(missed\))", "|".join(re.split(r"(?<!\\)\|", line)[3:]))


def _cell(text: str) -> str:
    return text.partition("\n")[0].replace("|", "\\|")


def main(names: Sequence[str]) -> None:
    """Write the page, or some rows of it."""
    before = PAGE.read_text("utf-8").partition(ROWS)[2] if PAGE.exists() else ""
    rows = {line.split("`")[1]: line for line in before.splitlines()}
    with ProcessPoolExecutor(2) as processes:
        chosen = list(names or DEFECTS)
        rows |= dict(zip(chosen, processes.map(row, chosen), strict=True))
    head = HEAD.format(count=len(DEFECTS))
    for check in checks().values():
        catches = sum(check.id in _caught(line) for line in rows.values())
        about = check.about
        head += f"| {check.id} {about.name} | {about.fact} | {about.severity} | {check.cost} | {catches} |\n"
    PAGE.write_text(head + ROWS + "\n".join(rows[name] for name in DEFECTS if name in rows) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
