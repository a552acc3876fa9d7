"""Every constraint of the contract as a rule with an id and a provenance, read off the schemas.

An id is the schema's name, the way down to the value and the keyword: `image_generation.width.maximum`.
The way consists of property names, and of the `$anchor` or `$defs` name where a schema has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.constraints import CONSTRAINTS
from safelight.contracts.schemas import Schema, known, schemas
from safelight.contracts.wording import spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Provenance(StrEnum):
    """Who says so: the service (three ways), or we."""

    SEED = "seed"
    PUBLISHED = "published"
    OBSERVED = "observed"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Rule:
    """One constraint: its id, where it stands, its keyword and limit, and who says so."""

    id: str
    schema: str
    keyword: str
    limit: Any
    provenance: Provenance
    #: The schema's title of the value, where it has one.
    title: str | None = None


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


#: Characters of one name in a pointer: nobody reads more, and a client can make it very long.
_LONGEST_NAME: Final = 1_000


def pointer(path: Iterable[object]) -> str:
    """A path of names and indexes as a JSON Pointer (RFC 6901); a name of over 1,000 characters is cut."""
    return "".join("/" + _escaped(part) for part in path)


def _escaped(part: object) -> str:
    name = spelled(part)
    cut = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
    return cut.replace("~", "~0").replace("/", "~1")


#: Keywords that constrain a value. Each is one rule; `required` and `x-constraints` are one for each name.
KEYWORDS: Final = (
    "type",
    "const",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "required",
    "x-constraints",
)

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
        return (*_text_rules(), *(rule for name in schemas() for rule in _own(name).values()))
    found = dict.fromkeys(reached(schema_name))
    return tuple(rule for name in found for rule in _own(name).values())


def rule(rule_id: str) -> Rule:
    """The rule with this id, or `KeyError`."""
    return _by_id()[rule_id]


#: Where a constraint stands: the identity of its schema object, its keyword, and a name within it.
Location = tuple[int, str, str]


@cache
def rule_at() -> Mapping[Location, Rule]:
    """Location -> rule, for every schema."""
    return {place: found for name in schemas() for place, found in _own(name).items()}


@cache
def _by_id() -> Mapping[str, Rule]:
    return {found.id: found for found in rules()}


@cache
def _text_rules() -> tuple[Rule, ...]:
    return tuple(
        Rule(name, "json", name.removeprefix("json."), says, Provenance.ASSUMED) for name, says in TEXT_RULES.items()
    )


@cache
def _own(name: str) -> Mapping[Location, Rule]:
    """The rules that stand in this schema's own file."""
    root = known(name)
    return dict(_walk(name, root, name.removesuffix(".request"), {"*": Provenance.ASSUMED}))


def _walk(name: str, node: Schema, way: str, inherited: Mapping[str, str]) -> Iterator[tuple[Location, Rule]]:
    provenance = _provenance(node, inherited)
    for keyword in KEYWORDS:
        if keyword in node:
            for part, suffix, limit in _parts(keyword, node[keyword]):
                says = provenance.get(suffix.rpartition(".")[2], provenance["*"])
                found = Rule(f"{way}.{suffix}", name, keyword, limit, Provenance(says), node.get("title"))
                yield (id(node), keyword, part), found
    for segment, child in _children(node):
        yield from _walk(name, child, f"{way}.{segment}" if segment else way, {"*": provenance["*"]})


def _provenance(node: Schema, inherited: Mapping[str, str]) -> Mapping[str, str]:
    stated = node.get("x-provenance", {})
    return {"*": stated} if isinstance(stated, str) else {**inherited, **stated}


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


def _children(node: Schema) -> Iterator[tuple[str, Schema]]:
    """Subschemas that hold rules. What stands under `if` only chooses between them."""
    for name, child in node.get("properties", {}).items():
        yield name, child
    for keyword in ("additionalProperties", "propertyNames"):
        if keyword in node:
            yield node[keyword].get("$anchor", keyword), node[keyword]
    for child in node.get("prefixItems", ()):
        yield child["$anchor"], child
    for name, child in node.get("$defs", {}).items():
        yield name, child
    for keyword in ("then", "else"):
        if keyword in node:
            yield "", node[keyword]


def reached(name: str) -> Iterator[str]:
    """This schema, then those it refers to, however deep."""
    yield name
    for target in _references(known(name)):
        yield from reached(target)


def _references(node: Any) -> Iterator[str]:
    match node:
        case {"$ref": str(target)} if not target.startswith("#"):
            yield target.removesuffix(".json")
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from _references(child)
