"""The workflows of `image_generation`, read off its schema."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from safelight.contracts.rules import Provenance
from safelight.contracts.schemas import known

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow: which variant of the answer it gives, and what is special about its tasks."""

    name: str
    variant: str
    provenance: Provenance
    #: The picture's sides are this many times those asked for.
    scale: float = 1
    #: The result is there at the first poll.
    instant: bool = False


@cache
def workflows() -> Mapping[str, Workflow]:
    """Name -> workflow, in the schema's order."""
    stated = known("image_generation.request")["properties"]["workflow"]["x-workflows"]
    return {name: _workflow(name, **facts) for name, facts in stated.items()}


def _workflow(name: str, **facts: Any) -> Workflow:
    return Workflow(name, provenance=Provenance(facts.pop("x-provenance")), **facts)


@lru_cache(64)
def workflow_of(name: str | None) -> Workflow:
    """The workflow of this name; the default one for none, and for a name that only a lenient dialect takes."""
    stated = known("image_generation.request")["properties"]["workflow"]
    return workflows().get(name or stated["default"], workflows()[stated["default"]])
