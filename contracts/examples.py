"""Golden examples: documents that keep a schema, and documents that break exactly one rule.

They are files, for any language: `examples/<schema>/valid/<what>.json` and `examples/<schema>/invalid/<rule>.json`.
The folder `json` holds those for the rules of the text, as raw bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.parsing import parse
from safelight.contracts.schemas import text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

#: What stands in place of a schema's name where the rules are those of the text.
TEXT: Final = "json"


@dataclass(frozen=True, slots=True)
class Example:
    """A document as it would stand on the wire."""

    schema: str
    #: What is special about it; for an invalid one the id of its rule.
    name: str
    text: bytes
    #: The one rule that it breaks, or None.
    rule: str | None

    @property
    def document(self) -> Any:
        """The parsed value. Raises `ValueError` where the text holds none."""
        parsed = parse(self.text)
        if not parsed.is_complete:
            raise ValueError(f"{self.schema}/{self.name} holds no document: {parsed.violations[0].message}")
        return parsed.document


def examples(schema_name: str | None = None) -> tuple[Example, ...]:
    """All examples, sorted by schema and name, valid ones first; or those of one schema, or `UnknownSchema`."""
    if schema_name not in {None, TEXT}:
        text(str(schema_name))
    return tuple(example for example in _all() if schema_name in {None, example.schema})


@cache
def _all() -> tuple[Example, ...]:
    root = files("safelight.contracts") / "examples"
    return tuple(example for folder in _sorted(root) if folder.is_dir() for example in _of(folder))


def _of(folder: Traversable) -> Iterator[Example]:
    for kind in ("valid", "invalid"):
        for file in _sorted(folder / kind):
            name = _stem(file)
            yield Example(folder.name, name, file.read_bytes(), name if kind == "invalid" else None)


def _sorted(folder: Traversable) -> list[Traversable]:
    return sorted(folder.iterdir(), key=_stem) if folder.is_dir() else []


def _stem(file: Traversable) -> str:
    return file.name.removesuffix(".json")
