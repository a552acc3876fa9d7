"""How many stories it takes to find each bad client of the tests, and how many a second a good one gets when called.

`python benchmarks/fuzzing.py` takes half an hour for 20 seeds; `python benchmarks/fuzzing.py 3` has fewer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import run_liar  # noqa: F401 - registers them
from liars.clients.calling import called
from liars.clients.client import Client
from liars.clients.liar import ABOUT, LIARS
from safelight.conformance.clients.calling import ClientCallable, call, in_haste
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.fuzzing import Search
from safelight.conformance.clients.runner import of_story
from safelight.conformance.clients.story import Story
from safelight.conformance.clients.suite import fuzz
from safelight.conformance.results import Tried
from safelight.testing.factory import open_server

SEEDS: Final = 20
#: Stories of one search: one that takes more has found nothing.
MAX_EXAMPLES: Final = 100
#: The goal: the median of nine bad clients in ten.
GOAL: Final = 25

#: A time-out is waited for on the wall's clock.
LIMITS: Final = Limits(poll=1.0, request=0.4, deadline=120.0)

#: Cases about several processes, signals and tasks that were there before: no story has them.
OF_PROCESSES: Final = {"6.3", "6.4", "6.5"}


@dataclass(frozen=True, slots=True)
class Row:
    """What the searches for one mistake came to."""

    name: str
    #: Of those searches that found it, and of the others as `MAX_EXAMPLES` + 1.
    examples: float
    missed: int
    #: The most faults that a story still had when it was as small as it got.
    faults: int


def names() -> list[str]:
    """The bad clients whose mistake one process can make."""
    return [name for name in LIARS if not set(ABOUT[name]) <= OF_PROCESSES]


def rows(seeds: int = SEEDS) -> Iterator[Row]:
    """Each of them, as many at a time as there are cores."""
    with ProcessPoolExecutor() as processes:
        yield from processes.map(row, names(), [seeds] * len(names()))


def row(name: str, seeds: int) -> Row:
    """What `seeds` searches for one mistake come to."""
    client = called(LIARS[name])
    with caller(client) as try_story:
        found = [_search(try_story, seed).run() for seed in range(seeds)]
    stories = [one.story for one in found if one.story]
    examples = median(one.examples or MAX_EXAMPLES + 1 for one in found)
    return Row(name, examples, len(found) - len(stories), max((len(story.faults) for story in stories), default=0))


@contextmanager
def caller(client: ClientCallable) -> Iterator[Callable[[Story], Tried]]:
    """What tries a story on a client."""
    with open_server(plain_pictures=True) as server, in_haste(server) as place:
        yield lambda story: of_story(story, call(server, client, story.trial(), LIMITS, place))


def _search(try_story: Callable[[Story], Tried], seed: int) -> Search:
    return Search(try_story, seconds=300, max_examples=MAX_EXAMPLES, seed=seed, strict=True)


def examples_per_second(seconds: float = 10.0) -> float:
    """Stories a second, of a good client that is called."""
    began = time.perf_counter()
    return fuzz(called(Client), seconds=seconds, strict=True).tried / (time.perf_counter() - began)


def main(seeds: int = SEEDS) -> None:
    """Print the table, then what it comes to."""
    found = []
    for row in rows(seeds):
        found.append(row)
        print(f"{row.name:<40} {row.examples:>6.1f} {row.missed:>3} missed {row.faults:>3} faults", flush=True)
    quick = sum(row.examples <= GOAL for row in found)
    small = sum(row.faults <= 1 for row in found)
    print(f"\n{quick} of {len(found)} in {GOAL} stories or fewer; {small} of {len(found)} made as small as one fault")
    print(f"stories a second, good client: {examples_per_second():.0f}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*map(int, sys.argv[1:]))
