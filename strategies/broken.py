"""Requests that break exactly one rule, and say which, where, and what was done to them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from safelight.contracts.dialects import REQUESTS
from safelight.contracts.locations import AnyMember, pointer
from safelight.contracts.operations import operations
from safelight.contracts.rules import Rule, rules
from safelight.contracts.wording import did_you_mean, echoed, named, shown
from safelight.strategies.dialects import moved
from safelight.strategies.graphs import comfyui_workflows
from safelight.strategies.locations import RuleLocation, rule_locations
from safelight.strategies.mutations import GONE, MUTATORS
from safelight.strategies.requests import check, kept, stated_by
from safelight.strategies.weights import weighted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hypothesis.strategies import DrawFn, SearchStrategy

    from safelight.contracts.locations import Way
    from safelight.strategies.mutations import Path

#: The schema of prompts that are graphs.
_GRAPH: Final = "comfyui_workflow"

#: Whether a link is needed -> graphs that are to be broken: small ones.
_GRAPHS: Final = {needed: comfyui_workflows(4, linked=needed) for needed in (False, True)}


@dataclass(frozen=True, slots=True)
class BrokenRequest:
    """A request that breaks one rule, and no other."""

    #: The parsed JSON value: an object, unless that is what is broken; `cfg` is infinite where `body` has 1e400.
    document: Any
    #: The id of the rule.
    rule: str
    #: JSON Pointer to where the violation is reported.
    pointer: str
    #: What was done: `width set to 2049`.
    kind: str

    @property
    def body(self) -> bytes:
        """The bytes to send: what `json.dumps` writes, but an infinite number as one too large for a double."""
        return _written(self.document).encode()


def _written(value: Any) -> str:
    return _INFINITY.sub(lambda found: found["text"] or _TOO_LARGE, json.dumps(value))


#: A string, which stays as it is, or the word that Python writes for an infinite number, and JSON does not know.
_INFINITY: Final = re.compile(r'(?P<text>"(?:[^"\\]|\\.)*")|Infinity')

_TOO_LARGE: Final = "1e400"


@dataclass(eq=False)
class UnknownRule(LookupError):
    """No rule of the request has this id."""

    rule: str

    def __str__(self) -> str:
        near = did_you_mean(self.rule, _all_rules())
        return (
            f"no rule of a request is called {echoed(self.rule)}{near or '; reachable_rules() lists those there are'}"
        )


@dataclass(eq=False)
class UnreachableRule(ValueError):
    """The rule exists, and no JSON document breaks it."""

    rule: str
    reason: str

    def __str__(self) -> str:
        return f"no JSON document breaks {self.rule}: {self.reason}"


def reachable_rules(operation: str = "image_generation") -> tuple[Rule, ...]:
    """The rules of a request that a JSON document can break, each of which `broken_requests` does break.

    The others are asked only of values that keep them (a prompt that is no object is never read as a graph), or are
    about the names of members, which are strings in JSON whatever one does.
    """
    check(operation, None)
    return tuple(rule for rule in rules(operations()[operation].request) if rule.id in _breakable(operation))


def broken_requests(
    rule: str | None = None,
    *,
    without: Collection[str] = (),
    workflow: str | None = None,
    operation: str | None = None,
    dialect: str = "published",
) -> SearchStrategy[BrokenRequest]:
    """Requests that break one rule and no other: the one with this id, or each as often as the others.

    `without` are the ids of rules that stay whole. `operation` is that of the rule, or else `image_generation`;
    `workflow` names the one that all ask for, but for those where it is what is broken. `dialect` is one of requests.
    Raises `UnknownRule`, and `UnreachableRule` for the two that JSON cannot break, and for those that the dialect does
    not ask.
    """
    spared = {without} if isinstance(without, str) else {*without}
    for name in [*spared, *([rule] if rule else [])]:
        if name not in _all_rules():
            raise UnknownRule(name)
    operation = operation or _operation_of(rule)
    check(operation, workflow, dialect)
    if rule is not None:
        _is_reachable(rule, operation)
    if rule in REQUESTS[dialect].spared:
        raise UnreachableRule(rule, f"the dialect {dialect} does not ask it")
    wanted = frozenset({rule} if rule else _breakable(operation)) - spared - REQUESTS[dialect].spared
    if not wanted:
        raise ValueError("no rule is left to break: `without` names every one")
    broken = _broken(operation, wanted, workflow)
    return _moved(broken) if REQUESTS[dialect].is_nested and operations()[operation].is_submit else broken


#: A value of each type of JSON, such as sloppy code sends.
_OF_EACH_TYPE: Final = (None, True, "1", 1, 1.5, [1], {"value": 1})


def of_each_type(broken: BrokenRequest) -> Iterator[BrokenRequest]:
    """The same with values of each type in the place of the wrong one; some may keep the rule, or break others."""
    return (with_value(broken, value) for value in _OF_EACH_TYPE)


def with_value(broken: BrokenRequest, value: Any) -> BrokenRequest:
    """The same with this value in the place of the wrong one; it may keep the rule, or break others."""
    path = _path(broken.pointer, broken.document)
    return replace(broken, document=_put(broken.document, path, value), kind=_change(path, value))


def _path(text: str, document: Any) -> Path:
    """The names and indexes that a JSON Pointer stands for."""
    path: Path = ()
    for segment in text.split("/")[1:]:
        name = segment.replace("~1", "/").replace("~0", "~")
        path += (int(name) if isinstance(_at(document, path), list) else name,)
    return path


@st.composite
def _moved(draw: DrawFn, requests: SearchStrategy[BrokenRequest]) -> BrokenRequest:
    """The same with some parameters in `settings`, the broken one perhaps among them."""
    broken = draw(requests)
    if not isinstance(broken.document, dict):
        return broken
    document, names = draw(moved(broken.document))
    is_moved = any(f"{broken.pointer}/".startswith(f"{pointer([name])}/") for name in names)
    return replace(broken, document=document, pointer=("/settings" if is_moved else "") + broken.pointer)


@cache
def _all_rules() -> frozenset[str]:
    return frozenset(rule.id for operation in operations().values() for rule in rules(operation.request))


def _operation_of(rule: str | None) -> str:
    own = (rule or "").partition(".")[0]
    return own if own in operations() else "image_generation"


def _is_reachable(rule: str, operation: str) -> None:
    if rule in _breakable(operation):
        return
    reasons = [
        location.unbreakable for location in rule_locations(operations()[operation].request) if location.rule.id == rule
    ]
    if not reasons:
        raise ValueError(f"{rule} is no rule of {operation}")
    raise UnreachableRule(rule, reasons[0] or "")


@st.composite
def _broken(draw: DrawFn, operation: str, wanted: frozenset[str], workflow: str | None) -> BrokenRequest:
    location = draw(_rule_locations(operation, wanted))
    document = draw(_kept(operation, workflow, location.holds, _prompts(location)))
    path = draw(st.sampled_from(list(_paths(location.way, document))))
    mutation = draw(MUTATORS[location.keyword](location, _at(document, path)))
    broken = _put(document, (*path, *mutation.path), mutation.value)
    done = _change((*path, *mutation.path), mutation.value)
    return BrokenRequest(broken, location.rule.id, pointer((*path, *mutation.reported)), done)


@cache
def _rule_locations(operation: str, wanted: frozenset[str]) -> SearchStrategy[RuleLocation]:
    """Locations of these rules, each rule as often as the others."""
    each = [st.sampled_from(found) for name, found in _breakable(operation).items() if name in wanted]
    return weighted(*((1, found) for found in each))


@cache
def _kept(
    operation: str,
    workflow: str | None,
    holds: bool | None,  # noqa: FBT001 - None is the third
    prompt: SearchStrategy[Any] | None,
) -> SearchStrategy[dict[str, Any]]:
    """The requests that are then broken."""
    branches = range(len(stated_by(operation, workflow))) if holds is None else [int(holds)]
    return st.one_of(*(kept(operation, workflow, branch, prompt) for branch in branches))


def _prompts(location: RuleLocation) -> SearchStrategy[Any] | None:
    """What the prompt has to be for there to be something to break at the location."""
    needs_link = location.keyword == "links-exist" or AnyMember("array") in location.way
    return _GRAPHS[needs_link] if location.rule.schema == _GRAPH else None


@cache
def _breakable(operation: str) -> Mapping[str, list[RuleLocation]]:
    """Rule id -> where it can be broken, in the order of the rules."""
    request = operations()[operation].request
    found = [location for location in rule_locations(request) if location.unbreakable is None]
    return {
        rule.id: at
        for rule in rules(request)
        if (at := [location for location in found if location.rule.id == rule.id])
    }


def _paths(way: Way, value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths that a way stands for: each step to any member becomes one to each that the value has."""
    if not way:
        yield path
        return
    step = way[0]
    for name in _members(step, value) if isinstance(step, AnyMember) else [step]:
        yield from _paths(way[1:], _at(value, (name,)), (*path, name))


def _members(step: AnyMember, value: Any) -> list[str]:
    kept = _CONTAINERS.get(step.only or "", object)
    return [name for name, child in value.items() if isinstance(child, kept)] if isinstance(value, dict) else []


#: JSON Schema's name of a type by which schemas ask for some members alone -> the type.
_CONTAINERS: Final[Mapping[str, type]] = {"array": list, "object": dict, "string": str}


def _at(value: Any, path: Path) -> Any:
    """The value at the end of the path, or `GONE`."""
    for name in path:
        match value, name:
            case dict(), str():
                value = value.get(name, GONE)
            case list(), int() if name < len(value):
                value = value[name]
            case _:
                return GONE
    return value


def _put(value: Any, path: Path, new: Any) -> Any:
    """The value with another at the end of the path, or with that member left out."""
    if not path:
        return new
    name, *rest = path
    if isinstance(value, list):
        return [_put(item, tuple(rest), new) if index == name else item for index, item in enumerate(value)]
    if new is GONE and not rest:
        return {other: child for other, child in value.items() if other != name}
    return {**value, name: _put(value.get(name, {}), tuple(rest), new)}


def _change(path: Path, value: Any) -> str:
    if value is GONE:
        return f"{named(path)} left out"
    text = _written(value)
    return f"{named(path)} set to {text if len(text) <= _MAX_VALUE_CHARACTERS and text.isprintable() else shown(value)}"


#: Characters of a value that is written out in a kind; a longer one is described.
_MAX_VALUE_CHARACTERS: Final = 60
