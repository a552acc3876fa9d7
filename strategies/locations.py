"""Where in a document each rule holds, and why some rules cannot be broken in JSON at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from safelight.contracts.keywords import as_list
from safelight.contracts.locations import ACROSS_FILES, REFERENCE, Location, Way, locations, root
from safelight.contracts.rules import Rule, rules_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.contracts.schemas import Schema


@dataclass(frozen=True, slots=True)
class RuleLocation:
    """A rule, the way to the values that it is about, what its schema states there, and why it cannot be broken."""

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
def rule_locations(schema_name: str) -> tuple[RuleLocation, ...]:
    """Every rule that a document of this schema can meet, once for each location that it holds at."""
    return tuple(
        RuleLocation(rule, location.way, location.node, part, _unbreakable(location, rule), _holds(location))
        for location in locations(root(schema_name), ACROSS_FILES)
        for (_, part), rule in rules_at()[location.schema, location.pointer].items()
    )


def _unbreakable(location: Location, rule: Rule) -> str | None:
    if location.keyword == "propertyNames":
        return _NAMES_ARE_STRINGS
    allowed = as_list(rule.limit) if rule.keyword == "type" else ()
    return _GUARDED if any(asked in allowed for asked in _asked_types(location)) else None


def _asked_types(location: Location) -> Iterator[str]:
    """The types for which alone a location is asked, by conditions on the very value that it is about."""
    while location.parent is not None and location.keyword in {"then", "else", "allOf", REFERENCE}:
        if location.keyword == "then" and "type" in location.parent.node["if"]:
            yield location.parent.node["if"]["type"]
        location = location.parent


def _holds(location: Location) -> bool | None:
    """Whether the condition that decides over a location has to hold: one on a member, none on a type."""
    if location.parent is None:
        return None
    asked = location.parent.node.get("if", {}).get("properties", {})
    if location.keyword == "properties" and location.name in asked:
        return False
    if asked and location.keyword in {"then", "else"}:
        return location.keyword == "then"
    return _holds(location.parent)
