"""Run one bad client, as a driver: `python tests/run_liar.py reads-ids-as-floats`."""

import sys

from liars.clients import ends, golden, phases, polls, results, safety, submits  # noqa: F401 - each registers its own
from liars.clients.client import main
from liars.clients.liar import LIARS

if __name__ == "__main__":
    sys.exit(main(LIARS[sys.argv[1]]))
