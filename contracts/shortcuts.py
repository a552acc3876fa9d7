"""Shortcuts: what says quickly that all is well, and leaves every doubt to what explains.

`SAFELIGHT_SHORTCUTS=off` turns them off, for whoever doubts them. No answer changes by that: the tests hold both
against each other, for every keyword and every way to write JSON.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from math import inf
from sys import float_info
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.checks import demands, keyword_check
from safelight.contracts.keywords import as_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safelight.contracts.checks import Check
    from safelight.contracts.locations import Location
    from safelight.contracts.schemas import Schema

#: The switch.
ARE_TAKEN: Final = os.environ.get("SAFELIGHT_SHORTCUTS") != "off"

#: Does the value keep the subschema? A yes is one; a no says that the check has to look.
Accept = Callable[[Any], bool]


def accept_of(location: Location) -> Accept:
    """What accepts the usual values of a subschema."""
    types = as_list(location.node.get("type"))
    make = next((_MAKERS[name] for name in types if name in _MAKERS), _by_checks)
    return make(location)


def _rest(location: Location, *known: str) -> Sequence[Check]:
    """The checks of the keywords that a shortcut does not know."""
    return [keyword_check(location, keyword) for keyword in location.node if demands(keyword) and keyword not in known]


def _by_checks(location: Location) -> Accept:
    checks = _rest(location)
    return lambda value: _keeps(value, checks)


def _keeps(value: Any, checks: Sequence[Check]) -> bool:
    for check in checks:  # noqa: SIM110 - a generator takes as long again
        if not check(value, None, None):
            return False
    return True


def _string(location: Location) -> Accept:
    node, known = location.node, ["type", "minLength", "maxLength", "enum"]
    if node.get("if") == {"type": "object"} and "else" not in node:
        known.append("if")  # what follows is about objects
    rest = _rest(location, *known)
    least, most = node.get("minLength", 0), node.get("maxLength", inf)
    if "enum" in node:
        words = frozenset(word for word in node["enum"] if isinstance(word, str) and least <= len(word) <= most)
        return lambda value: type(value) is str and value in words and (not rest or _keeps(value, rest))
    return lambda value: type(value) is str and least <= len(value) <= most and (not rest or _keeps(value, rest))


def _number(location: Location) -> Accept:
    """Booleans are of a type of their own here, NaN is within no limits, and what is finite is within these."""
    node = location.node
    rest = _rest(location, "type", "minimum", "maximum", *(["x-constraints"] if _is_finite(node) else []))
    types = (int,) if "number" not in as_list(node["type"]) else (int, float)
    largest = float_info.max if _is_finite(node) else inf
    least, most = max(node.get("minimum", -inf), -largest), min(node.get("maximum", inf), largest)
    return lambda value: type(value) in types and least <= value <= most and (not rest or _keeps(value, rest))


def _is_finite(node: Schema) -> bool:
    """The only constraint on a number is that it is one that JSON can write."""
    return node.get("x-constraints") == ["finite"]


def _object(location: Location) -> Accept:
    members = {child.name: accept_of(child) for child in location.below("properties")}
    required, rest = frozenset(location.node.get("required", ())), _rest(location, "type", "required", "properties")

    def accept(value: Any) -> bool:
        if type(value) is not dict or not value.keys() >= required:
            return False
        for name, member in value.items():
            one = members.get(name)
            if one is not None and not one(member):
                return False
        return not rest or _keeps(value, rest)

    return accept


#: JSON Schema's name of a type, the first that is allowed of these -> what makes the shortcut.
_MAKERS: Final[Mapping[str, Callable[[Location], Accept]]] = {
    "string": _string,
    "integer": _number,
    "number": _number,
    "object": _object,
}
