"""How many stories it takes to find each bad client of the tests, and how many a second a good one gets when called.

`python benchmarks/fuzzing.py` takes half an hour for 20 seeds; `python benchmarks/fuzzing.py 3` has fewer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, cast

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import run_liar  # noqa: F401 - registers them
from liars.clients.client import Client, Ended
from liars.clients.liar import ABOUT, LIARS
from safelight.conformance.clients.calling import ClientCallable, Job, call
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.fuzzing import Found, Search
from safelight.conformance.clients.runner import of_story
from safelight.conformance.clients.suite import fuzz
from safelight.testing.factory import open_server
from safelight.testing.virtual_time import kept_ready

if TYPE_CHECKING:
    from safelight.testing.backends.shared_server import SharedServer

SEEDS: Final = 20
#: Stories of one search: one that takes more has found nothing.
MAX_EXAMPLES: Final = 100
#: The goal: the median of nine bad clients in ten.
GOAL: Final = 25

#: A time-out is waited for on the wall's clock.
LIMITS: Final = Limits(poll=1.0, request=0.4, deadline=120.0)

#: Cases about several processes, signals and tasks that were there before: no story has them.
_OF_PROCESSES: Final = {"6.3", "6.4", "6.5"}


@dataclass(frozen=True, slots=True)
class Row:
    """What the searches for one mistake came to."""

    name: str
    #: Of those searches that found it, and of the others as `MAX_EXAMPLES` + 1.
    examples: float
    missed: int
    #: The most faults that a story still had when it was as small as it got.
    faults: int


def called(made: type[Client]) -> ClientCallable:
    """A client of the tests as a function."""

    def client(job: Job) -> None:
        try:
            made(cast("Any", job)).run()  # the fields of both jobs are the same
        except Ended as ended:
            if ended.code == 3:  # noqa: PLR2004 - it gave up
                raise TimeoutError(str(ended)) from None
            if ended.code:
                raise

    return client


def rows(seeds: int = SEEDS) -> Iterator[Row]:
    """Each bad client whose mistake one process can make."""
    with open_server(plain_pictures=True) as server, kept_ready(), TemporaryDirectory() as place:
        for name, made in LIARS.items():
            if not set(ABOUT[name]) <= _OF_PROCESSES:
                yield _row(name, [_found(server, called(made), place, seed) for seed in range(seeds)])


def _found(server: SharedServer, client: ClientCallable, place: str, seed: int) -> Found:
    search = Search(
        lambda story: of_story(story, call(server, client, story.trial(), LIMITS, place)),
        seconds=300,
        max_examples=MAX_EXAMPLES,
        seed=seed,
        strict=True,
    )
    return search.run()


def _row(name: str, found: list[Found]) -> Row:
    stories = [one.story for one in found if one.story]
    examples = median(one.examples or MAX_EXAMPLES + 1 for one in found)
    return Row(name, examples, len(found) - len(stories), max((len(story.faults) for story in stories), default=0))


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
