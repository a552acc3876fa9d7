"""The stories of the corpus, from their seeds alone: the same whatever becomes of the fake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from goldens.dice import Dice
from goldens.themes import FIRST
from goldens.themes_beside import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Theme -> the seed of its stories. Another seed is another corpus, and a new recording.
SEEDS: Final[Mapping[str, int]] = {theme: number for number, theme in enumerate((*FIRST, *SECOND), 1)}


def stories(theme: str) -> Iterator[dict[str, Any]]:
    """The stories of a theme: `{"name", "spec", "steps"}`, see `recording`."""
    told = {**FIRST, **SECOND}[theme](Dice(SEEDS[theme]))
    for number, (spec, steps) in enumerate(told):
        yield {"name": f"{theme}-{number:02}", "spec": spec, "steps": list(steps)}
