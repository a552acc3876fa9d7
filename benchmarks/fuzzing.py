"""How many stories it takes to find each bad client of the tests, and how many a second a good one gets when called.

`python benchmarks/fuzzing.py` takes some ten minutes on two cores for 20 seeds, and writes its table into the docs;
with `3` behind it there are fewer seeds, and nothing is written. The bad clients are called, not started.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from textwrap import fill
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
from safelight.contracts.wording import listed
from safelight.testing.factory import open_server

SEEDS: Final = 20
#: Stories of one search: one that takes more has found nothing.
MAX_EXAMPLES: Final = 100
#: The goal: the median of nine bad clients in ten.
GOAL: Final = 25

PAGE: Final = Path(__file__).parents[1] / "docs" / "speed.md"
BEGIN: Final = "<!-- stories: written by benchmarks/fuzzing.py -->"
END: Final = "<!-- end of stories -->"

#: What each of them is given to keep, in seconds of virtual time.
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


def page_of(found: Sequence[Row]) -> str:
    """What they come to, and the table."""
    quick, small = (sum(map(is_so, found)) for is_so in (lambda row: row.examples <= GOAL, lambda row: row.faults <= 1))
    apart = [name for name in LIARS if name not in names()]
    lines = [f"| {row.name} | {listed(ABOUT[row.name])} | {row.examples:g} | {row.faults} |" for row in found]
    sentences = (
        f"{quick} of {len(found)} bad clients are found in {GOAL} stories or fewer; the goal is nine in ten. In "
        f"{small} of {len(found)} the smallest story has one fault at most, whatever the seed. In "
        f"{sum(row.missed for row in found)} searches nothing was found in {MAX_EXAMPLES} stories. "
        f"No story has several processes, signals or tasks that were there before: {listed(apart)} are left out."
    )
    heading = "| bad client | cases | stories until it is found | most faults left |\n|---|---|---:|---:|"
    return f"{fill(sentences, 120, break_on_hyphens=False)}\n\n" + "\n".join([heading, *lines])


def place(text: str) -> None:
    """Write it into the page."""
    page = PAGE.read_text("utf-8")
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", "utf-8")


def main(seeds: int = SEEDS) -> None:
    """Print the rows as they come, and what they come to; with all seeds, write them into the page too."""
    found = []
    for one in rows(seeds):
        found.append(one)
        print(f"{one.name:<40} {one.examples:>6.1f} {one.missed:>3} missed {one.faults:>3} faults", flush=True)
    print(f"\n{page_of(found).partition('| bad client')[0].strip()}")
    if seeds >= SEEDS:
        place(page_of(found))
    print(f"stories a second, good client: {examples_per_second():.0f}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*map(int, sys.argv[1:]))
