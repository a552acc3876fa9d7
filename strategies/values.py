"""From a schema's limits to values that keep them: the limits themselves far more often than chance would have it.

Half of all numbers are notable ones (the bounds, their neighbours, the default), and the other half lies
anywhere between. One integer is drawn for both, so that an example shrinks through the notable numbers down
into the plain ones: a client that breaks above 1,024 is shown 1,025, not the highest number allowed.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from safelight.contracts.schemas import Schema, known
from safelight.strategies.texts import texts

#: Where a schema states no bound, plain numbers end so far from the other one. (Hypothesis favours small
#: numbers in ranges of more than 24 bits, and would then draw too few notable ones.)
_FAR: Final = 2**22

#: Integers that a client without a bound meets some day: the last of 32 bits, of a double, of 64 bits, and the next.
_NOTABLE: Final = (2**31 - 1, 2**31, 2**32 - 1, 2**53 - 1, 2**53 + 1, 2**63 - 1, 2**64)

#: A bound is this many times as likely as any other notable number.
_WEIGHT: Final = 3

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
    return st.one_of(*(_OF_TYPE[name](stated) for name in listed(stated["type"])))


def members(stated: Schema, *, plausible: Plausible = _NONE) -> SearchStrategy[dict[str, Any]]:
    """Objects with the members that the schema requires, and with or without the others that it names."""
    found = {
        name: plausible[name] if name in plausible else values(child, plausible=plausible)
        for name, child in stated.get("properties", {}).items()
    }
    required = {name: found.pop(name) for name in stated.get("required", ())}
    return st.fixed_dictionaries(required, optional=found)


def merged(stated: Schema) -> Schema:
    """A schema together with the one it refers to."""
    if "$ref" not in stated:
        return stated
    referred = merged(known(stated["$ref"].removesuffix(".json")))
    return _both(referred, {keyword: said for keyword, said in stated.items() if keyword != "$ref"})


def _both(one: Schema, other: Schema) -> Schema:
    joined = {**one, **other}
    for keyword in one.keys() & other.keys():
        match one[keyword], other[keyword]:
            case dict() as ours, dict() as theirs:
                joined[keyword] = _both(ours, theirs)
            case list() as ours, list() as theirs:
                joined[keyword] = list(dict.fromkeys([*ours, *theirs]))
    return joined


def listed(value: Any) -> Sequence[Any]:
    """The value of a keyword that takes one thing or several."""
    return value if isinstance(value, list) else [value]


def integers(stated: Schema) -> SearchStrategy[int | float]:
    """Integers within the bounds; now and then a bound as a float, since 512.0 is an integer to JSON Schema."""
    least, most = bounds(stated)
    stretch = most - least + 1
    notable = _notable(stated, least, most)

    def value(number: int) -> int | float:
        return least + number if number < stretch else notable[(number - stretch) * len(notable) // stretch]

    return st.integers(0, 2 * stretch - 1).map(value)


def bounds(stated: Schema) -> tuple[int, int]:
    """The lowest and the highest integer to draw: the bounds that the schema states, else far away from them."""
    if "minimum" in stated:
        least = math.ceil(stated["minimum"])
        return least, math.floor(stated.get("maximum", least + _FAR))
    most = math.floor(stated.get("maximum", _FAR))
    return most - 2 * _FAR, most


def _notable(stated: Schema, least: int, most: int) -> Sequence[int | float]:
    """Bounds, neighbours, defaults and landmarks, each as often as it is to be drawn, in rising order."""
    ends = [end for end, bound in ((least, "minimum"), (most, "maximum")) if bound in stated]
    spelled = float(ends[-1]) if ends else 0.0
    others = {least + 1, most - 1, *_defaults(stated), *(() if "maximum" in stated else _NOTABLE)}
    fitting = [other for other in others if other >= least and ("maximum" not in stated or other <= most)]
    return sorted([*(ends * _WEIGHT), *fitting, spelled])


def _defaults(stated: Schema) -> list[Any]:
    return [*stated.get("x-defaults", {}).values(), *([stated["default"]] if "default" in stated else [])]


def numbers(stated: Schema) -> SearchStrategy[int | float]:
    """Finite numbers within the bounds, whole ones as often as not."""
    least = stated.get("minimum", -sys.float_info.max)
    most = stated.get("maximum", sys.float_info.max)
    fractions = st.floats(least, most, allow_nan=False, allow_infinity=False)
    return st.one_of(integers(stated), integers(stated), fractions)


def strings(stated: Schema) -> SearchStrategy[str]:
    """Texts of the length and form that is stated, the default among them."""
    if "pattern" in stated:
        return st.from_regex(stated["pattern"], fullmatch=True)
    drawn = texts(stated.get("minLength", 0), most=stated.get("maxLength"))
    return st.one_of(st.just(stated["default"]), drawn) if "default" in stated else drawn


#: JSON Schema's name of a type -> values of it within a schema's limits.
_OF_TYPE: Final[Mapping[str, Callable[[Schema], SearchStrategy[Any]]]] = {
    "null": lambda _: st.none(),
    "boolean": lambda _: st.booleans(),
    "integer": integers,
    "number": numbers,
    "string": strings,
}
