"""The schemas, found by listing their folder. A schema's name is its file name without `.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.wording import did_you_mean, listed, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]

#: The version of the contract: each schema states it, and so does everything made from them.
VERSION: Final = "1.0.0"

#: The header by which a server says which version of the contract it keeps. Safelight's fake sends it.
VERSION_HEADER: Final = "x-safelight-contract"


@dataclass(eq=False)
class UnknownSchema(LookupError):
    """No schema has this name."""

    name: str

    def __str__(self) -> str:
        near = did_you_mean(self.name, names())
        return f"no schema is called {shown(self.name)}{near or f'; there are {listed(names())}'}"


@cache
def texts() -> Mapping[str, str]:
    """Schema name -> the text of its file, sorted by name."""
    folder = files("safelight.contracts") / "schemas"
    found = {file.name.removesuffix(".json"): file for file in folder.iterdir() if file.name.endswith(".json")}
    return {name: file.read_text("utf-8") for name, file in sorted(found.items(), key=lambda item: item[0])}


@cache
def schemas() -> Mapping[str, Schema]:
    """Schema name -> the schema, for use within: the same objects each time, since rules are found by their identity.

    Without `$schema`, which would make jsonschema change from our keywords to its own at each reference.
    """
    return {name: _without_dialect(json.loads(text)) for name, text in texts().items()}


def _without_dialect(schema: Schema) -> Schema:
    del schema["$schema"]
    return schema


def names() -> tuple[str, ...]:
    """The names of all schemas, sorted."""
    return tuple(texts())


def schema(name: str) -> Schema:
    """The schema of this name, a copy of one's own, or `UnknownSchema`."""
    return json.loads(text(name))  # type: ignore[no-any-return]


def text(name: str) -> str:
    """The schema's file as it is, or `UnknownSchema`."""
    try:
        return texts()[name]
    except KeyError:
        raise UnknownSchema(name) from None


def known(name: str) -> Schema:
    """The schema of this name as `schemas` has it, or `UnknownSchema`."""
    text(name)
    return schemas()[name]
