"""Constraints: what a schema cannot express. Each is a generator that yields what breaks it, and never raises.

A schema names its constraints in `x-constraints`; each is a rule like any other there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from safelight.contracts.wording import shown

#: What breaks a constraint: the path below the value, and words that follow the subject of the sentence.
Clause = tuple[tuple[str | int, ...], str]
Constraint = Callable[[Any], Iterator[Clause]]

#: Name -> constraint, filled by the decorator.
CONSTRAINTS: Final[dict[str, Constraint]] = {}


def constraint(name: str) -> Callable[[Constraint], Constraint]:
    """Register a constraint under the name that schemas use for it."""

    def register(function: Constraint) -> Constraint:
        CONSTRAINTS[name] = function
        return function

    return register


@constraint("finite")
def finite(number: Any) -> Iterator[Clause]:
    """A number is finite: 1e400 is legal JSON, and infinite once it is parsed."""
    if isinstance(number, float) and not math.isfinite(number):
        yield (), "is not a finite number"


@constraint("links-exist")
def links_exist(graph: Any) -> Iterator[Clause]:
    """A link points to a node of the same graph."""
    for node_id, name, target in _links(graph):
        if target not in graph:
            yield (node_id, "inputs", name), f"links to node {shown(target)}, which does not exist"


@constraint("no-cycle")
def no_cycle(graph: Any) -> Iterator[Clause]:
    """No node depends on itself, directly or through others."""
    sources, targets = list[str](), list[str]()
    for node_id, _, target in _links(graph):
        if target in graph and isinstance(node_id, str):
            sources.append(node_id)
            targets.append(target)
    node = _on_a_cycle(sources, targets)
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


# Links are kept in flat lists, each knowing the one before it to the same target: a list or a set for each of 200,000
# nodes would keep the garbage collector busy for longer than all the rest takes.
def _on_a_cycle(sources: Sequence[str], targets: Sequence[str]) -> str | None:
    """A node that can reach itself, or None. Nodes that wait for nothing are taken away until none is left."""
    waiting = Counter(sources)
    before, last = list[int](), dict[str, int]()
    for link, target in enumerate(targets):
        before.append(last.get(target, -1))
        last[target] = link
    free = [node for node in last if node not in waiting]
    while free:
        link = last.get(free.pop(), -1)
        while link >= 0:
            node = sources[link]
            waiting[node] -= 1
            if not waiting[node]:
                free.append(node)
            link = before[link]
    stuck = {node for node, count in waiting.items() if count}
    return _at_the_end(min(stuck), stuck, sources, targets) if stuck else None


def _at_the_end(node: str, stuck: set[str], sources: Sequence[str], targets: Sequence[str]) -> str:
    """A stuck node may only lead to the cycle: walking on along stuck nodes, the least first, ends on it."""
    least = dict[str, str]()
    for source, target in zip(sources, targets, strict=True):
        if target in stuck and (source not in least or target < least[source]):
            least[source] = target
    seen = set[str]()
    while node not in seen:
        seen.add(node)
        node = least[node]
    return node
