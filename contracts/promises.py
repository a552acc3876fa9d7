"""What a schema cannot express. A promise is a generator: it yields what it saw, and never raises.

A schema names its promises in `x-promises`; each is a rule like any other there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from safelight.contracts.wording import shown

#: What was seen: where below the value, and a clause that follows the subject of the sentence.
Sight = tuple[tuple[str | int, ...], str]
Promise = Callable[[Any], Iterator[Sight]]

#: Name -> promise, filled by the decorator.
PROMISES: Final[dict[str, Promise]] = {}


def promise(name: str) -> Callable[[Promise], Promise]:
    """Register a promise under the name that schemas use for it."""

    def register(function: Promise) -> Promise:
        PROMISES[name] = function
        return function

    return register


@promise("finite")
def finite(number: Any) -> Iterator[Sight]:
    """A number is finite: 1e400 is legal JSON, and infinite once it is parsed."""
    if isinstance(number, float) and not math.isfinite(number):
        yield (), "is not a finite number"


@promise("links-exist")
def links_exist(graph: Any) -> Iterator[Sight]:
    """A link points to a node of the same graph."""
    for node_id, name, target in _links(graph):
        if target not in graph:
            yield (node_id, "inputs", name), f"links to node {shown(target)}, which does not exist"


@promise("no-cycle")
def no_cycle(graph: Any) -> Iterator[Sight]:
    """No node depends on itself, however long the way."""
    waits_for: dict[str, set[str]] = {}
    for node_id, _, target in _links(graph):
        if target in graph and isinstance(node_id, str):
            if node_id in waits_for:
                waits_for[node_id].add(target)
            else:
                waits_for[node_id] = {target}
    node = _on_a_cycle(waits_for)
    if node is not None:
        yield (node,), "depends on itself through its links: the graph has a cycle"


def _links(graph: Any) -> Iterator[tuple[str, str, str]]:
    """Each well-formed link of a graph: its node, its input and the node it names. There may be 600,000."""
    for node_id, node in _members(graph):
        for name, value in _members(node.get("inputs") if isinstance(node, _OBJECTS) else None):
            if isinstance(value, list) and len(value) == _PARTS:
                target, output = value
                if isinstance(target, str) and isinstance(output, _NUMBERS):
                    yield node_id, name, target


#: Types as tuples, the commonest first: to ask an abstract one takes five times as long.
_OBJECTS: Final = (dict, Mapping)
_NUMBERS: Final = (int, float)

#: A link is a node and the number of its output.
_PARTS: Final = 2


def _members(value: Any) -> Iterable[tuple[str, Any]]:
    return value.items() if isinstance(value, _OBJECTS) else ()


def _on_a_cycle(waits_for: Mapping[str, set[str]]) -> str | None:
    """A node that can reach itself, or None. Nodes that wait for nothing are taken away until none is left."""
    waiting = {node: len(targets) for node, targets in waits_for.items()}
    wanted_by: dict[str, list[str]] = {}
    for node, targets in waits_for.items():
        for target in targets:
            wanted_by.setdefault(target, []).append(node)
    free = [node for node in wanted_by if node not in waiting]
    while free:
        for node in wanted_by.get(free.pop(), ()):
            waiting[node] -= 1
            if not waiting[node]:
                free.append(node)
    stuck = {node for node, count in waiting.items() if count}
    if not stuck:
        return None
    # A stuck node may only lead to the cycle: walking on along stuck nodes ends on it.
    node, seen = min(stuck), set[str]()
    while node not in seen:
        seen.add(node)
        node = min(target for target in waits_for[node] if target in stuck)
    return node
