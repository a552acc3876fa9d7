"""Where in a document each rule holds, read off the schema, and why some rules cannot be broken in JSON at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.rules import Rule, rule_at
from safelight.contracts.schemas import Schema, known
from safelight.strategies.values import as_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class AnyMember:
    """A step down to any one member of an object; with `only`, to one that is of this JSON type."""

    only: str | None = None


#: The way down to a value: names, indexes, and steps to any member.
Way = tuple[str | int | AnyMember, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """A rule, the way to the value that it is about, what its schema states there, and why it cannot be broken."""

    rule: Rule
    way: Way
    stated: Schema
    #: The name of the required member or of the constraint, where the keyword has several.
    part: str
    unbreakable: str | None = None
    #: Whether the schema's condition on a member has to hold for this rule alone to be broken here; None: either way.
    holds: bool | None = None

    @property
    def keyword(self) -> str:
        """What is broken here: the name of a constraint, or the keyword."""
        return self.part if self.rule.keyword == "x-constraints" else self.rule.keyword


_NAMES_ARE_STRINGS: Final = "the name of a member is always a string in JSON"
_GUARDED: Final = "the rule is asked only of values that keep it"


@cache
def locations(schema_name: str) -> tuple[Location, ...]:
    """Every rule that a document of this schema can meet, once for each location that it stands at."""
    root = known(schema_name)
    return tuple(_walk(root, root, ()))


def _walk(node: Schema, root: Schema, way: Way) -> Iterator[Location]:
    for part, rule in _rules_of().get(id(node), ()):
        yield Location(rule, way, node, part)
    yield from _below(node, root, way)
    if "$ref" in node:
        yield from _walk(*_referred(node["$ref"], root), way)
    yield from _guarded(node, root, way) if "type" in node.get("if", {}) else _branches(node, root, way)


def _below(node: Schema, root: Schema, way: Way) -> Iterator[Location]:
    """The locations of the members of an object, and of the items of an array."""
    for name, child in node.get("properties", {}).items():
        decides = name in node.get("if", {}).get("properties", ())
        for location in _walk(child, root, (*way, name)):
            yield replace(location, holds=False) if decides else location
    for index, child in enumerate(node.get("prefixItems", ())):
        yield from _walk(child, root, (*way, index))
    if "additionalProperties" in node:
        yield from _walk(node["additionalProperties"], root, (*way, AnyMember()))
    if "propertyNames" in node:
        for location in _walk(node["propertyNames"], root, (*way, AnyMember())):
            yield replace(location, unbreakable=_NAMES_ARE_STRINGS)


def _branches(node: Schema, root: Schema, way: Way) -> Iterator[Location]:
    """What holds only where a condition on a member does, or only where it does not."""
    for keyword, holds in (("then", True), ("else", False)):
        for location in _walk(node[keyword], root, way) if keyword in node else ():
            yield replace(location, holds=holds)


def _guarded(node: Schema, root: Schema, way: Way) -> Iterator[Location]:
    """What holds only for values of the type that `if` asks for; that they are of this type is no longer breakable."""
    asked = node["if"]["type"]
    narrowed = (*way[:-1], AnyMember(asked)) if way and isinstance(way[-1], AnyMember) else way
    for location in _walk(node["then"], root, narrowed):
        is_kept = location.way == narrowed and location.rule.keyword == "type" and asked in as_list(location.rule.limit)
        yield replace(location, unbreakable=_GUARDED) if is_kept else location


def _referred(target: str, root: Schema) -> tuple[Schema, Schema]:
    """The schema that a reference means, and the file that it stands in."""
    if not target.startswith("#/"):
        other = known(target.removesuffix(".json"))
        return other, other
    found: Any = root
    for name in target.removeprefix("#/").split("/"):
        found = found[name]
    return found, root


@cache
def _rules_of() -> Mapping[int, list[tuple[str, Rule]]]:
    """The identity of a schema object -> its rules, each with the part of the keyword that states it."""
    found: dict[int, list[tuple[str, Rule]]] = {}
    for (node, _, part), rule in rule_at().items():
        found.setdefault(node, []).append((part, rule))
    return found
