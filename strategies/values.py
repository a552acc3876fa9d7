"""From a schema's limits to values that keep them: the limits themselves far more often than chance would have it.

Most numbers lie at a bound, next to one, at a default or at a landmark, and the others anywhere between. Each is
drawn as an integer of its own small range, so that shrinking can carry it over into the whole range as it is: a
client that breaks above 1,024 is shown 1,025, not the highest number allowed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from safelight.contracts.keywords import as_list
from safelight.contracts.schemas import Schema, known
from safelight.strategies.texts import texts
from safelight.strategies.weights import seldom, weighted

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

#: Integers that a client without a bound meets some day: around the last of 32 bits, of a double, and of 64 bits.
_LANDMARKS: Final = ((2**31 - 1, 2**31), (2**53 - 1, 2**53 + 1), (2**63 - 1, 2**64))

#: How often a number lies anywhere, and how often at each bound. Neighbours, defaults and landmarks count 1 each.
_ANYWHERE: Final = 3
_AT_A_BOUND: Final = 2

_IS_THERE: Final = st.booleans()
_IS_REVERSED: Final = seldom()

#: Member name -> what to draw for it where its schema alone would let anything through.
Plausible = Mapping[str, SearchStrategy[Any]]

_NONE: Final[Plausible] = MappingProxyType({})


def values(stated: Schema, *, plausible: Plausible = _NONE) -> SearchStrategy[Any]:
    """Values that keep what this schema states; `plausible` replaces the values of members by name."""
    stated = merged(stated)
    if "const" in stated:
        return st.just(stated["const"])
    if "enum" in stated:
        return st.sampled_from(stated["enum"])
    if stated.get("type") == "object":
        return members(stated, plausible=plausible)
    return st.one_of(*(_OF_TYPE[name](stated) for name in as_list(stated["type"])))


def members(stated: Schema, *, plausible: Plausible = _NONE) -> SearchStrategy[dict[str, Any]]:
    """Objects with the members that the schema requires, and with or without the others that it names."""
    found = {
        name: plausible[name] if name in plausible else values(child, plausible=plausible)
        for name, child in stated.get("properties", {}).items()
    }
    required = stated.get("required", ())
    return _members([(name, name in required, child) for name, child in found.items()])


@st.composite
def _members(draw: DrawFn, stated: Sequence[tuple[str, bool, SearchStrategy[Any]]]) -> dict[str, Any]:
    """Each member after the question whether it is there, so that what does not matter shrinks away alone."""
    found = {name: draw(value) for name, is_required, value in stated if is_required or draw(_IS_THERE)}
    return dict(reversed(found.items())) if draw(_IS_REVERSED) else found


def branches(stated: Schema) -> list[Schema]:
    """The schema without its condition on one member: as it is where this does not hold, and as it is where it does."""
    if "if" not in stated:
        return [stated]
    [(name, asked)] = stated["if"]["properties"].items()
    plain = {keyword: limit for keyword, limit in stated.items() if keyword not in {"if", "then", "else"}}
    others = [value for value in plain["properties"][name]["enum"] if value != asked["const"]]
    return [
        _narrowed(plain, name, others, stated.get("else", {}).get("required", [])),
        _narrowed(plain, name, [asked["const"]], [name, *stated.get("then", {}).get("required", [])]),
    ]


def _narrowed(stated: Schema, name: str, values: list[Any], required: list[str]) -> Schema:
    properties = {**stated["properties"], name: {**stated["properties"][name], "enum": values}}
    return {**stated, "properties": properties, "required": [*stated["required"], *required]}


def merged(stated: Schema) -> Schema:
    """A schema together with the one it refers to."""
    if "$ref" not in stated:
        return stated
    referred = merged(known(stated["$ref"].removesuffix(".json")))
    return _both(referred, {keyword: limit for keyword, limit in stated.items() if keyword != "$ref"})


def _both(one: Schema, other: Schema) -> Schema:
    joined = {**one, **other}
    for keyword in one.keys() & other.keys():
        match one[keyword], other[keyword]:
            case dict() as ours, dict() as theirs:
                joined[keyword] = _both(ours, theirs)
            case list() as ours, list() as theirs:
                joined[keyword] = list(dict.fromkeys([*ours, *theirs]))
    return joined


def integers(stated: Schema) -> SearchStrategy[int | float]:
    """Integers within the bounds; now and then a bound as a float, since 512.0 is an integer to JSON Schema."""
    lowest, highest = bounds(stated)
    ends = [end for end in (lowest, highest) if end is not None]
    return weighted(
        (_ANYWHERE, st.integers(lowest, highest)),
        *((_AT_A_BOUND, st.integers(end, end)) for end in ends),
        *((1, st.integers(*found)) for found in _ranges(stated, lowest, highest)),
        *((1, st.integers(end, end).map(float)) for end in ends[-1:]),
    )


def bounds(stated: Schema) -> tuple[int | None, int | None]:
    """The lowest and the highest integer that the schema allows, where it states a bound."""
    lowest, highest = stated.get("minimum"), stated.get("maximum")
    return None if lowest is None else math.ceil(lowest), None if highest is None else math.floor(highest)


def _ranges(stated: Schema, lowest: int | None, highest: int | None) -> Iterator[tuple[int, int]]:
    """Small ranges of integers that are worth a visit: at the bounds, the defaults, and beyond 32 bits."""
    if lowest is not None:
        yield lowest, lowest + 1 if highest is None else min(lowest + 1, highest)
    if highest is not None:
        yield highest - 1 if lowest is None else max(highest - 1, lowest), highest
    for default in _defaults(stated):
        yield default, default
    if highest is None:
        yield from (found for found in _LANDMARKS if lowest is None or found[0] >= lowest)


def _defaults(stated: Schema) -> list[int]:
    found = [*stated.get("x-defaults", {}).values(), *([stated["default"]] if "default" in stated else [])]
    return [value for value in dict.fromkeys(found) if isinstance(value, int)]


def numbers(stated: Schema) -> SearchStrategy[int | float]:
    """Finite numbers within the bounds, two of three of them whole."""
    lowest, highest = stated.get("minimum"), stated.get("maximum")
    return weighted((2, integers(stated)), (1, st.floats(lowest, highest, allow_nan=False, allow_infinity=False)))


def strings(stated: Schema) -> SearchStrategy[str]:
    """Texts of the length and form that is stated, the default among them."""
    if "pattern" in stated:
        return st.from_regex(str(stated["pattern"]), fullmatch=True)
    drawn = texts(stated.get("minLength", 0), max_size=stated.get("maxLength"))
    return weighted((1, st.just(stated["default"])), (1, drawn)) if "default" in stated else drawn


#: JSON Schema's name of a type -> values of it within a schema's limits.
_OF_TYPE: Final[Mapping[str, Callable[[Schema], SearchStrategy[Any]]]] = {
    "null": lambda _: st.none(),
    "boolean": lambda _: st.booleans(),
    "integer": integers,
    "number": numbers,
    "string": strings,
}
