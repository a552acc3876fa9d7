"""How the phases are spelled on the wire: `published`, the default, and `plain`, read off the schemas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from safelight.contracts.lifecycle import Phase
from safelight.contracts.schemas import schemas

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX: Final = "task_status.response."


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A word for each phase."""

    name: str
    words: Mapping[Phase, str]

    def phase(self, word: object) -> Phase | None:
        """The phase that this word spells here, or None."""
        return next((phase for phase, spelled in self.words.items() if spelled == word), None)


@cache
def vocabularies() -> Mapping[str, Vocabulary]:
    """Name -> vocabulary."""
    found = {name.removeprefix(_PREFIX): schema.get("x-words") for name, schema in schemas().items()}
    return {
        name: Vocabulary(name, {Phase(phase): word for phase, word in words.items()})
        for name, words in found.items()
        if words
    }
