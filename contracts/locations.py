"""Where subschemas stand, what they are about, and the one walk from each to those below it.

A location's identity is the name of its schema and a JSON Pointer within that file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.schemas import Schema, schemas
from safelight.contracts.wording import spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Keywords that hold subschemas: by name, in a list, or one alone. Then one that refers to a subschema elsewhere.
BY_NAME: Final = frozenset({"properties", "$defs"})
LISTED: Final = frozenset({"prefixItems", "allOf"})
ALONE: Final = frozenset({"additionalProperties", "propertyNames", "items", "if", "then", "else"})
REFERENCE: Final = "$ref"

#: What constrains a document, within one file: the order of the rules.
WITHIN_A_FILE: Final = (
    *("properties", "additionalProperties", "propertyNames", "prefixItems", "items"),
    *("$defs", "allOf", "then", "else"),
)

#: What constrains a document, across files: definitions where something refers to them.
ACROSS_FILES: Final = tuple(REFERENCE if keyword == "$defs" else keyword for keyword in WITHIN_A_FILE)

#: Every subschema of one file, the conditions too.
EVERYTHING: Final = (*WITHIN_A_FILE, "if")


@dataclass(frozen=True, slots=True)
class AnyMember:
    """A step down to any one member of an object or array; with `only`, to one of this JSON type."""

    only: str | None = None


#: The steps from a document down to a value: names, indexes, and steps to any member.
Way = tuple[str | int | AnyMember, ...]

#: The longest name in a pointer, in characters: nobody reads more, and a client can make it very long.
MAX_NAME_CHARACTERS: Final = 1_000


def pointer(path: Iterable[object]) -> str:
    """A path of names and indexes as a JSON Pointer (RFC 6901); a name of over 1,000 characters is cut."""
    return "".join("/" + _escaped(part) for part in path)


def _escaped(part: object) -> str:
    name = spelled(part)
    cut = name if len(name) <= MAX_NAME_CHARACTERS else name[:MAX_NAME_CHARACTERS] + "…"
    return cut.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class Location:
    """A subschema and where it stands; the empty pointer is that of a whole file."""

    schema: str
    pointer: str
    node: Schema = field(compare=False, repr=False)
    #: The files that references lead to, by schema name.
    files: Mapping[str, Schema] = field(compare=False, repr=False)
    #: The location that holds this one or refers to it, and the keyword by which it does; the name or index there.
    parent: Location | None = field(default=None, compare=False, repr=False)
    keyword: str = field(default="", compare=False)
    name: str | int = field(default="", compare=False)

    def below(self, keyword: str) -> Iterator[Location]:
        """The subschemas that a keyword holds or refers to, in the file's order."""
        held = self.node.get(keyword)
        if keyword == REFERENCE and held:
            yield self._referred(held)
        elif keyword in BY_NAME or keyword in LISTED:
            for name, node in held.items() if isinstance(held, dict) else enumerate(held or ()):
                yield self._child(keyword, node, name)
        elif isinstance(held, dict):
            yield self._child(keyword, held)

    def _child(self, keyword: str, node: Schema, *name: str | int) -> Location:
        where = self.pointer + pointer([keyword, *name])
        return Location(self.schema, where, node, self.files, self, keyword, *name)

    def _referred(self, target: str) -> Location:
        file, _, where = target.partition("#")
        schema = file.removesuffix(".json") or self.schema
        node: Any = self.files[schema]
        for part in where.split("/")[1:]:
            node = node[part.replace("~1", "/").replace("~0", "~")]
        return Location(schema, where, node, self.files, self, REFERENCE)

    @property
    def way(self) -> Way:
        """The steps from a document to the values that this location is about."""
        if self.parent is None:
            return ()
        before = self.parent.way
        match self.keyword:
            case "properties" | "prefixItems":
                return (*before, self.name)
            case "additionalProperties" | "propertyNames" | "items":
                return (*before, AnyMember())
            case "then" if before and isinstance(before[-1], AnyMember):
                return (*before[:-1], AnyMember(self.parent.node["if"].get("type")))
        return before


def root(schema_name: str, files: Mapping[str, Schema] | None = None) -> Location:
    """The location of a whole schema: one of the contract, or of other files."""
    found = schemas() if files is None else files
    return Location(schema_name, "", found[schema_name], found)


def locations(start: Location, keywords: Iterable[str]) -> Iterator[Location]:
    """A location, then all below it that these keywords lead to, each before those below itself.

    A schema that refers to itself has no end of them: none of ours does.
    """
    yield start
    for keyword in keywords:
        if keyword in start.node:
            for child in start.below(keyword):
                yield from locations(child, keywords)
