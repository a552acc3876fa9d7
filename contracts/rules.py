"""Every limit and constraint of the contract as a rule with an id and a provenance, read off the schemas.

An id is the schema's name, the names that lead to the value, and the keyword: `image_generation.width.maximum`.
The names are those of properties, and the `$anchor` or `$defs` name where a schema has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.constraints import CONSTRAINTS
from safelight.contracts.keywords import KEYWORDS
from safelight.contracts.locations import ACROSS_FILES, WITHIN_A_FILE, Location, locations, root
from safelight.contracts.schemas import known, schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Provenance(StrEnum):
    """Where a rule is from: the original document, the published pages, what was observed, or our assumption."""

    SEED = "seed"
    PUBLISHED = "published"
    OBSERVED = "observed"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Rule:
    """What one keyword, or one name within it, demands of a value."""

    id: str
    schema: str
    keyword: str
    limit: Any
    provenance: Provenance
    #: The schema's title of the value, where it has one.
    title: str | None = None
    #: What fits the limit in words, where the limit itself is a pattern.
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a document breaks, where, and in words."""

    #: The id of the rule.
    rule: str
    #: JSON Pointer to the value, or to where a missing one belongs.
    pointer: str
    #: A sentence: what was seen and what is allowed.
    message: str
    provenance: Provenance


#: Keywords whose limits are rules. `required` and `x-constraints` are one rule for each name.
RULE_KEYWORDS: Final = (*KEYWORDS, "required", "x-constraints")

#: Rules of the text that a document is parsed from, before any schema is asked.
TEXT_RULES: Final[Mapping[str, str]] = {
    "json.empty": "there is a document at all",
    "json.encoding": "the text is UTF-8",
    "json.bom": "the text does not start with a byte order mark",
    "json.syntax": "the text is JSON",
    "json.constant": "NaN and Infinity are not JSON",
    "json.digits": "an integer has at most 1,000 digits",
    "json.depth": "arrays and objects are nested at most 100 deep",
    "json.duplicate-key": "an object names a member once",
    "json.surrogate": "a string holds no half of a surrogate pair",
}


def rules(schema_name: str | None = None) -> tuple[Rule, ...]:
    """All rules in a stable order; with a name, those that a document of this schema can break."""
    if schema_name is None:
        return (*_text_rules(), *(rule for name in schemas() for rule in _rules_of(name)))
    return tuple(rule for name in files_of(schema_name) for rule in _rules_of(name))


def rule(rule_id: str) -> Rule:
    """The rule with this id, or `KeyError`."""
    return _by_id()[rule_id]


def files_of(schema_name: str) -> tuple[str, ...]:
    """The names of this schema and of those that it refers to, however deep. Raises `UnknownSchema`."""
    known(schema_name)
    return tuple(dict.fromkeys(found.schema for found in locations(root(schema_name), ACROSS_FILES)))


@cache
def rules_at() -> Mapping[tuple[str, str], Mapping[tuple[str, str], Rule]]:
    """Schema name and pointer of a location -> keyword and name within it -> the rule that stands there."""
    found = [one for name in schemas() for one in locations(root(name), WITHIN_A_FILE)]
    return {(one.schema, one.pointer): dict(_rules(one)) for one in found}


def _rules_of(schema_name: str) -> list[Rule]:
    """The rules that stand in this schema's own file."""
    return [rule for (name, _), found in rules_at().items() if name == schema_name for rule in found.values()]


@cache
def _by_id() -> Mapping[str, Rule]:
    return {found.id: found for found in rules()}


@cache
def _text_rules() -> tuple[Rule, ...]:
    return tuple(
        Rule(name, "json", name.removeprefix("json."), limit, Provenance.ASSUMED) for name, limit in TEXT_RULES.items()
    )


def _rules(location: Location) -> Iterator[tuple[tuple[str, str], Rule]]:
    node, provenance = location.node, _provenance(location)
    for keyword in RULE_KEYWORDS:
        for part, suffix, limit in _parts(keyword, node[keyword]) if keyword in node else ():
            source = provenance.get(suffix.rpartition(".")[2], provenance["*"])
            rule_id = f"{_id(location)}.{suffix}"
            form = node.get("x-form") if keyword == "pattern" else None
            facts = Provenance(source), node.get("title"), form
            yield (keyword, part), Rule(rule_id, location.schema, keyword, limit, *facts)


def _id(location: Location) -> str:
    """What the ids of a location's rules begin with."""
    if location.parent is None:
        return location.schema.removesuffix(".request")
    before, segment = _id(location.parent), _segment(location)
    return f"{before}.{segment}" if segment else before


def _segment(location: Location) -> str:
    match location.keyword:
        case "properties" | "$defs":
            return str(location.name)
        case "additionalProperties" | "propertyNames" | "items":
            return str(location.node.get("$anchor", location.keyword))
        case "prefixItems":
            return str(location.node.get("$anchor", location.name))
    return ""


def _provenance(location: Location) -> Mapping[str, str]:
    """Keyword -> provenance, and `*` for all others: stated here, or inherited from above."""
    stated = location.node.get("x-provenance", {})
    if isinstance(stated, str):
        return {"*": stated}
    inherited = _provenance(location.parent)["*"] if location.parent else Provenance.ASSUMED
    return {"*": inherited, **stated}


def _parts(keyword: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    """What one keyword demands, singly: the name within it, the end of the rule's id, the limit."""
    match keyword:
        case "required":
            for name in value:
                yield name, f"{name}.required", name
        case "x-constraints":
            for name in value:
                yield name, name, CONSTRAINTS[name].__doc__
        case _:
            yield "", keyword, value
