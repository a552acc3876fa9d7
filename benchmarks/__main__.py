"""All figures of the fake by itself: `python benchmarks`. It wants a machine that does nothing else.

`python benchmarks/peers.py` measures it beside other servers.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import boundaries
import growth
import microseconds
import pictures
import stalls
import stand_ins
import start_up

#: Title, the unit of its figures, where they come from.
TABLES = (
    ("The core by itself", "us", microseconds.rows),
    ("A task, beyond its request", "bytes", growth.sizes),
    ("A call beside many tasks", "us", growth.costs),
    ("A poll while others are at their worst: the longest", "ms", stalls.rows),
    ("Start", "ms", start_up.rows),
    ("Pictures", "ms", pictures.rows),
    ("A test of a submit and three polls", "ms", stand_ins.rows),
)


def main() -> None:
    """Print the tables as they are measured."""
    for title, unit, rows in TABLES:
        print(f"\n{title}")
        for what, figure, remark in rows():
            print(f"  {what:<36} {figure:>9,.1f} {unit}  {remark}".rstrip(), flush=True)
    print()
    boundaries.main()


if __name__ == "__main__":
    main()
