"""One mutator for each keyword: it makes a value that keeps a rule break that rule and no other.

A mutator of a keyword draws values that replace the valid one. A mutator of a constraint draws `Mutation`s, since what
breaks a constraint of a graph lies deep within it. Limits come from what the schema states, and the value nearest to
the limit comes first: it is the simplest example, and every second one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from safelight.contracts.constraints import no_cycle
from safelight.contracts.keywords import as_list
from safelight.strategies.texts import texts
from safelight.strategies.weights import weighted

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

    from safelight.contracts.schemas import Schema
    from safelight.strategies.locations import RuleLocation


class Gone(Enum):
    """What is put where a member is to be left out, and found where there was none."""

    GONE = "gone"


GONE: Final = Gone.GONE

#: Names and indexes from a value down to one within it.
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mutation:
    """What to put where below the value, and where below it the violation is then reported."""

    path: Path
    value: Any
    reported: Path


Mutator = Callable[["RuleLocation", Any], "SearchStrategy[Mutation]"]

#: Keyword or constraint -> how to break it at a location, given the value that stands there or `GONE`.
MUTATORS: Final[dict[str, Mutator]] = {}


def mutator(keyword: str) -> Callable[[Mutator], Mutator]:
    """Register how to break the rules of this keyword, or of this constraint."""

    def register(function: Mutator) -> Mutator:
        MUTATORS[keyword] = function
        return function

    return register


def replacing(keyword: str) -> Callable[[Callable[[Schema, Any], SearchStrategy[Any]]], Mutator]:
    """Register values that break the keyword where they stand in the place of the old one."""

    def register(function: Callable[[Schema, Any], SearchStrategy[Any]]) -> Mutator:
        return mutator(keyword)(lambda location, value: function(location.stated, value).map(_here))

    return register


def _here(value: Any) -> Mutation:
    return Mutation((), value, ())


@mutator("required")
def left_out(location: RuleLocation, _: Any) -> SearchStrategy[Mutation]:
    """The object without the member."""
    return st.just(Mutation((location.part,), GONE, (location.part,)))


@replacing("maximum")
def above(stated: Schema, _: Any) -> SearchStrategy[int | float]:
    """One more, a little more, much more."""
    return _beyond(math.floor(stated["maximum"]), stated["maximum"], 1, stated)


@replacing("minimum")
def below(stated: Schema, _: Any) -> SearchStrategy[int | float]:
    """One less, a little less, much less."""
    return _beyond(math.ceil(stated["minimum"]), stated["minimum"], -1, stated)


def _beyond(whole: int, limit: float, step: int, stated: Schema) -> SearchStrategy[int | float]:
    takes_any = "number" in as_list(stated.get("type", "number")) or abs(whole) >= _WHOLE
    hair = math.nextafter(limit, step * math.inf)
    return weighted(
        (4, st.just(whole + step)),
        (2, st.integers(1, 2**16).map(lambda distance: whole + step * distance)),
        (1, st.sampled_from([2**31, 2**53 + 1, 2**64]).map(lambda far: step * max(far, step * whole + 1))),
        (1, st.just(hair if takes_any else float(whole + step))),
    )


#: From here on every double is an integer.
_WHOLE: Final = 2**53


@replacing("minLength")
def too_short(stated: Schema, _: Any) -> SearchStrategy[str]:
    """A text of one character less, or of fewer."""
    longest = stated["minLength"] - 1
    return st.one_of(texts(longest, max_size=longest), texts(max_size=longest))


@replacing("maxLength")
def too_long(stated: Schema, _: Any) -> SearchStrategy[str]:
    """A text of one character more, or of many."""
    shortest = stated["maxLength"] + 1
    return st.one_of(texts(shortest, max_size=shortest), texts(shortest))


@replacing("pattern")
def misshapen(stated: Schema, value: Any) -> SearchStrategy[str]:
    """The text that was there misspelled, or any other that does not fit."""
    fits = re.compile(stated["pattern"])  # whose `$` lets a newline follow: what breaks this breaks every reading
    drawn = st.one_of(_misspelled([value]), texts()) if isinstance(value, str) else texts()
    return drawn.filter(lambda text: not fits.search(text))


@replacing("enum")
def unlisted(stated: Schema, _: Any) -> SearchStrategy[str]:
    """A listed word misspelled, or any other."""
    return st.one_of(_misspelled(stated["enum"]), texts()).filter(lambda text: text not in stated["enum"])


@replacing("const")
def other_word(stated: Schema, _: Any) -> SearchStrategy[Any]:
    """The word misspelled; for what is no word, anything else of its type."""
    only = stated["const"]
    if isinstance(only, str):
        return _misspelled([only])
    alike: SearchStrategy[Any] = st.just(not only) if isinstance(only, bool) else st.integers()
    return alike.filter(lambda value: value != only)


def _misspelled(words: Sequence[str]) -> SearchStrategy[str]:
    """As people misspell: in other letters, with a blank, cut short, not at all there."""
    spoilt = [(word.upper(), word.title(), f"{word} ", f" {word}", f"{word}2", word[:-1], "") for word in words]
    return st.sampled_from([text for tried in spoilt for text in tried if text not in words])


@replacing("minItems")
def too_few(stated: Schema, value: Any) -> SearchStrategy[list[Any]]:
    """The array cut short."""
    kept = list(value) if isinstance(value, list) else []
    return st.sampled_from(range(stated["minItems"] - 1, -1, -1)).map(lambda count: kept[:count])


@replacing("maxItems")
def too_many(stated: Schema, value: Any) -> SearchStrategy[list[Any]]:
    """The array with one item more, or several, each like its last."""
    kept = list(value) if isinstance(value, list) else []
    return st.integers(1, 3).map(lambda more: kept + kept[-1:] * (stated["maxItems"] - len(kept) + more))


@replacing("minProperties")
def too_bare(stated: Schema, value: Any) -> SearchStrategy[dict[str, Any]]:
    """The object with fewer of its members."""
    kept = list(value.items()) if isinstance(value, dict) else []
    return st.sampled_from(range(stated["minProperties"] - 1, -1, -1)).map(lambda count: dict(kept[:count]))


@replacing("type")
def other_type(stated: Schema, _: Any) -> SearchStrategy[Any]:
    """A value of a type that is not allowed: null first, then what sloppy code sends."""
    allowed = {*as_list(stated["type"])}
    allowed |= {"integer"} if "number" in allowed else set()
    others = [values for name, values in _OF_TYPE.items() if name not in allowed]
    return st.one_of(*others, *([] if "number" in allowed else [_fractions(stated)]))


#: JSON Schema's name of a type -> values of this type and no other, made afresh each time.
_OF_TYPE: Final[Mapping[str, SearchStrategy[Any]]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "string": st.one_of(st.integers(0, 9999).map(str), texts()),
    "integer": st.integers(),
    "array": st.lists(st.integers(0, 9), max_size=2),
    "object": st.dictionaries(st.sampled_from(["value", "a"]), st.integers(0, 9), max_size=1),
}

#: An integer to which a half can be added; beyond, the sum may be the integer itself.
_MAX_WHOLE_OF_HALVES: Final = 2**50


def _fractions(stated: Schema) -> SearchStrategy[float]:
    """Numbers between two integers, and within the bounds, so that only the type is wrong."""
    lowest = math.ceil(stated.get("minimum", -_MAX_WHOLE_OF_HALVES))
    highest = math.floor(stated.get("maximum", _MAX_WHOLE_OF_HALVES)) - 1
    return st.integers(lowest, highest).map(lambda whole: whole + 0.5) if lowest <= highest else st.nothing()


@replacing("finite")
def infinite(_: Schema, __: Any) -> SearchStrategy[float]:
    """A number too large for a double: 1e400 on the wire, and infinite once it is parsed."""
    return st.just(math.inf)


@mutator("links-exist")
@st.composite
def dangling(draw: DrawFn, _: RuleLocation, graph: Any) -> Mutation:
    """A link that names no node of the graph: a number too high, a name cut short or spelled otherwise."""
    node, name = draw(st.sampled_from(_links(graph)))
    target, output = graph[node]["inputs"][name]
    tried = [str(len(graph) + 1), f"{target} ", f"0{target}", "", "null", f"{target}{target}", "-1"]
    missing = draw(st.sampled_from([text for text in tried if text not in graph]))
    path = (node, "inputs", name)
    return Mutation(path, [missing, output], path)


@mutator("no-cycle")
@st.composite
def circular(draw: DrawFn, _: RuleLocation, graph: Any) -> Mutation:
    """A link from a node to itself, or to one that depends on it."""
    node = draw(st.sampled_from(list(graph)))
    target = draw(st.sampled_from(_dependants(graph, node)))
    name = draw(st.sampled_from([*graph[node]["inputs"], "input"]))
    path = (node, "inputs", name)
    torn = {**graph, node: {**graph[node], "inputs": {**graph[node]["inputs"], name: [target, 0]}}}
    ((reported, _seen),) = no_cycle(torn)  # any node of the cycle would do; the contract names one
    return Mutation(path, [target, 0], reported)


def _links(graph: Any) -> list[tuple[str, str]]:
    """Node and input of each link."""
    return [(node, name) for node in graph for name, value in graph[node]["inputs"].items() if isinstance(value, list)]


def _dependants(graph: Any, node: str) -> list[str]:
    """The node, then those that depend on it, directly or through others."""
    found = [node]
    for name in found:  # grows while it is read
        found += [user for user, by in _links(graph) if graph[user]["inputs"][by][0] == name and user not in found]
    return list(dict.fromkeys(found))
