"""Schemas as plain functions: whether a value keeps one, and which keywords it breaks where.

A client may send half a million members, so each subschema is made into a function once, and nothing is built for a
value that keeps it. A keyword that is not known here stops the making with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts.constraints import CONSTRAINTS
from safelight.contracts.keywords import KEYWORDS

if TYPE_CHECKING:
    from safelight.contracts.locations import Location

#: The path to a value from its end: its own name after the trail of what holds it. None is the document.
Trail = tuple["Trail", object] | None


class Breach(NamedTuple):
    """A keyword that a value breaks, and where in the schema and in the document."""

    location: Location
    keyword: str
    #: The name within the keyword: the required member, the constraint, or the member that is not allowed.
    part: str
    value: Any
    trail: Trail
    #: What a constraint saw: a clause that follows the subject of the sentence.
    clause: str = ""

    @property
    def path(self) -> tuple[object, ...]:
        """The names and indexes from the document to the value."""
        names, trail = list[object](), self.trail
        while trail is not None:
            trail, name = trail
            names.append(name)
        return tuple(reversed(names))


#: Takes each breach. Without one, a check only answers.
Report = Callable[[Breach], None] | None

#: Does the value keep the subschema?
Check = Callable[[Any, Trail, Report], bool]


class _Enough(Exception):
    """As many breaches are found as were wanted."""


def breaches(check: Check, value: Any, *, max_breaches: int | None = None) -> list[Breach]:
    """What the value breaks, in the order of the schema; no more than `max_breaches` are looked for."""
    found = list[Breach]()

    def report(breach: Breach) -> None:
        found.append(breach)
        if len(found) == max_breaches:
            raise _Enough

    with suppress(_Enough):
        check(value, None, report)
    return found


def check_of(location: Location) -> Check:
    """The check of a subschema, made anew. Raises `ValueError` for a keyword that is not known."""
    return _together([keyword_check(location, keyword) for keyword in location.node if demands(keyword)])


def _together(checks: Sequence[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(value: Any, trail: Trail, report: Report) -> bool:
        is_kept = True
        for one in checks:
            if not one(value, trail, report):
                is_kept = False
        return is_kept

    return check


def demands(keyword: str) -> bool:
    """It is a keyword that a value can break."""
    return keyword == "x-constraints" or not (keyword in _ANNOTATIONS or keyword.startswith("x-"))


def keyword_check(location: Location, keyword: str) -> Check:
    """The check of one keyword of a subschema. Raises `ValueError` where it is not known."""
    if keyword in KEYWORDS:
        return _limit(location, keyword)
    make = _MAKERS.get(keyword)
    if make is None:
        where = f"{location.schema}.json{location.pointer and f' at {location.pointer}'}"
        raise ValueError(f"{where} has the keyword {keyword}, which is not known here")
    return make(location)


def _limit(location: Location, keyword: str) -> Check:
    breaks = KEYWORDS[keyword].breaks(location.node[keyword])

    def check(value: Any, trail: Trail, report: Report) -> bool:
        if not breaks(value):
            return True
        if report:
            report(Breach(location, keyword, "", value, trail))
        return False

    return check


def _required(location: Location) -> Check:
    required: list[str] = location.node["required"]
    names = frozenset(required)

    def check(value: Any, trail: Trail, report: Report) -> bool:
        if not isinstance(value, dict) or value.keys() >= names:
            return True
        for name in required if report else ():
            if name not in value:
                report(Breach(location, "required", name, value, (trail, name)))  # type: ignore[misc]
        return False

    return check


def _constraints(location: Location) -> Check:
    constraints = [(name, CONSTRAINTS[name]) for name in location.node["x-constraints"]]

    def check(value: Any, trail: Trail, report: Report) -> bool:
        is_kept = True
        for name, constraint in constraints:
            for path, clause in constraint(value):
                is_kept = False
                if report:
                    report(Breach(location, "x-constraints", name, value, _on(trail, path), clause))
        return is_kept

    return check


def _on(trail: Trail, path: Iterable[object]) -> Trail:
    for name in path:
        trail = (trail, name)
    return trail


def _properties(location: Location) -> Check:
    checks = [(child.name, check_of(child)) for child in location.below("properties")]

    def check(value: Any, trail: Trail, report: Report) -> bool:
        is_kept = True
        if isinstance(value, dict):
            for name, one in checks:
                if name in value and not one(value[name], (trail, name), report):
                    is_kept = False
        return is_kept

    return check


def _additional(location: Location) -> Check:
    listed = location.node.get("properties", {})
    one = next(map(check_of, location.below("additionalProperties")), None) or _forbidden(location)

    def check(value: Any, trail: Trail, report: Report) -> bool:
        is_kept = True
        if isinstance(value, dict):
            for name, member in value.items():
                if name not in listed and not one(member, (trail, name), report):
                    is_kept = False
        return is_kept

    return check


def _forbidden(location: Location) -> Check:
    """The check of `additionalProperties: false`."""

    def check(value: Any, trail: Trail, report: Report) -> bool:
        if report:
            report(Breach(location, "additionalProperties", "", value, trail))
        return False

    return check


def _names(location: Location) -> Check:
    (one,) = map(check_of, location.below("propertyNames"))

    def check(value: Any, trail: Trail, report: Report) -> bool:
        is_kept = True
        for name in value if isinstance(value, dict) else ():
            if not one(name, (trail, name), report):
                is_kept = False
        return is_kept

    return check


def _first_items(location: Location) -> Check:
    checks = [(child.name, check_of(child)) for child in location.below("prefixItems")]

    def check(value: Any, trail: Trail, report: Report) -> bool:
        is_kept = True
        if isinstance(value, list):
            for (index, one), item in zip(checks, value, strict=False):
                if not one(item, (trail, index), report):
                    is_kept = False
        return is_kept

    return check


def _items(location: Location) -> Check:
    (one,) = map(check_of, location.below("items"))
    first = len(location.node.get("prefixItems", ()))

    def check(value: Any, trail: Trail, report: Report) -> bool:
        is_kept = True
        for index, item in enumerate(value[first:], first) if isinstance(value, list) else ():
            if not one(item, (trail, index), report):
                is_kept = False
        return is_kept

    return check


def _same(keyword: str) -> Callable[[Location], Check]:
    """Subschemas that are about the value itself, all of which it has to keep."""
    return lambda location: _together([check_of(child) for child in location.below(keyword)])


def _choice(location: Location) -> Check:
    (asked,) = map(check_of, location.below("if"))
    then, other = (next(map(check_of, location.below(keyword)), None) for keyword in ("then", "else"))

    def check(value: Any, trail: Trail, report: Report) -> bool:
        chosen = then if asked(value, trail, None) else other
        return chosen is None or chosen(value, trail, report)

    return check


#: Keyword -> what makes its check, where it is no limit of `KEYWORDS`.
_MAKERS: Final[Mapping[str, Callable[[Location], Check]]] = {
    "required": _required,
    "x-constraints": _constraints,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "prefixItems": _first_items,
    "items": _items,
    "allOf": _same("allOf"),
    "if": _choice,
    "$ref": _same("$ref"),
}

#: Keywords that demand nothing of a value, or nothing by themselves; so do all others of our own, `x-...`.
_ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "$anchor", "$defs", "title", "description", "default", "then", "else"}
)
