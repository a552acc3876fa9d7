"""Scenarios: what can become of a client's tasks, a JSON file each, found by listing this folder.

A scenario has options of the marker `safelight`, and a plan.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.contracts.wording import did_you_mean, echoed, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Scenario:
    """What becomes of the tasks of one session."""

    #: That of its file.
    name: str
    #: A fact, in a sentence.
    description: str
    #: The options of the marker `safelight`.
    options: Mapping[str, Any]
    #: Rules as they read.
    plan: tuple[str, ...] = field(default=())


@cache
def scenarios() -> Mapping[str, Scenario]:
    """Name -> scenario, for every file of this folder."""
    files = sorted(Path(__file__).parent.glob("*.json"), key=lambda file: file.stem)
    documents = {file.stem: json.loads(file.read_text("utf-8")) for file in files}
    return {
        name: Scenario(name, document["description"], document["options"], tuple(document["plan"]))
        for name, document in documents.items()
    }


def chosen(names: Iterable[object]) -> list[Scenario]:
    """The scenarios of these names; without names all. Raises `ValueError` with a sentence."""
    known = scenarios()
    for name in names:
        if not isinstance(name, str) or name not in known:
            near = did_you_mean(name, known) or f": there are {listed(known)}"
            raise ValueError(f"{echoed(name)} is no scenario{near}")
    return [known[str(name)] for name in names] or list(known.values())
