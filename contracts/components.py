"""The schemas as components of an OpenAPI document, in the words that generators of clients understand.

Generators pass over what stands beside a `$ref`, know no `if`, take a title for the name of a class, and follow
references to components alone. So a reference with something beside it becomes one schema, a choice also says `anyOf`,
a title begins the description, and a definition is a component: `comfyui_workflow.link`.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.locations import EVERYTHING, Location, locations

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from safelight.contracts.schemas import Schema

Node = dict[str, Any]

#: What makes a schema a document of its own, and means something else within another.
_ALONE: Final = frozenset({"$schema", "$id", "$anchor"})

#: What describes a value and demands nothing of it; so do all keywords of our own, `x-...`.
_DESCRIBING: Final = frozenset({"description", "default"})

_SCHEMAS: Final = "#/components/schemas/"


def reference(name: str) -> Node:
    """A reference to a component."""
    return {"$ref": _SCHEMAS + name}


def any_of(nodes: Sequence[Node]) -> Node:
    """The one schema, or any of several: a value may keep more than one."""
    return nodes[0] if len(nodes) == 1 else {"anyOf": list(nodes)}


def component(name: str, files: Mapping[str, Schema]) -> Node:
    """A file as it stands within an OpenAPI document, a copy of one's own."""
    return _made(name, files)[name]


def components(files: Mapping[str, Schema], document: Any) -> Node:
    """Name -> schema, of those components that the document refers to, and that these refer to, sorted."""
    made = {name: node for file in files for name, node in _made(file, files).items()}
    reached = dict.fromkeys(_referred(document))
    waiting = list(reached)
    while waiting:
        found = [name for name in _referred(made[waiting.pop()]) if name not in reached]
        reached |= dict.fromkeys(found)
        waiting += found
    return {name: made[name] for name in sorted(reached)}


def _referred(value: Any) -> Iterator[str]:
    """The names of the components that are referred to anywhere in a value."""
    if isinstance(value, dict):
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith(_SCHEMAS):
            yield target.removeprefix(_SCHEMAS)
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _referred(child)


def _made(file: str, files: Mapping[str, Schema]) -> dict[str, Node]:
    """The components that a file becomes: itself, and its definitions."""
    found = copy.deepcopy(files[file])
    for location in reversed(list(locations(Location(file, "", found, files), EVERYTHING))):
        adapted = _adapted(location.node, file, files)
        location.node.clear()
        location.node.update(adapted)
    definitions = found.pop("$defs", {})
    return {file: found, **{f"{file}.{name}": node for name, node in definitions.items()}}


def _adapted(node: Node, file: str, files: Mapping[str, Schema]) -> Node:
    """A schema, of which all below is adapted."""
    node = _described({keyword: value for keyword, value in node.items() if keyword not in _ALONE})
    match node:
        case {"allOf": [{"if": _}, *_] as cases}:
            return _variants(node, cases, file, files)
        case {"type": list(types), "if": {"type": one}, "then": then} if one in types:
            return _by_type(node, [name for name in types if name != one], then)
        case {"if": _, "then": then, "else": other}:
            return {**node, "anyOf": _unique([*other.get("anyOf", [other]), then])}
        case {"$ref": target}:
            del node["$ref"]
            referred = reference(_named(target, file))
            return _merged(_target(referred, files), node) if node else referred
    return node


def _described(node: Node) -> Node:
    """With the title in the description, and the type of a constant; without a default that is one of several."""
    said = [node[keyword] for keyword in ("title", "description") if keyword in node]
    found = {keyword: value for keyword, value in node.items() if keyword not in ("title", "description")}
    if "x-defaults" in node and "default" in node:
        said.append(_defaults(found.pop("default"), node["x-defaults"]))
    if isinstance(node.get("const"), bool):  # else orval takes it for text
        found["type"] = "boolean"
    return {"description": _sentences(said), **found} if said else found


def _sentences(said: Sequence[str]) -> str:
    return said[0] if len(said) == 1 else " ".join(f"{one.rstrip('.')}." for one in said)


def _defaults(usual: Any, others: Mapping[str, Any]) -> str:
    """In words: a client that is generated sends a default, also to where it is another."""
    exceptions = (f"{value} with {name}" for name, value in others.items())
    return f"Left out, it is {usual}; {', '.join(exceptions)}"


def _variants(node: Node, cases: Sequence[Node], file: str, files: Mapping[str, Schema]) -> Node:
    """A schema of which one case always holds: each is a component, with its condition in it."""
    variants = {
        case["then"]["$ref"].rpartition(".")[2]: _merged(_target(case["then"], files), case["if"]) for case in cases
    }
    described, _ = _split(node)
    return {**described, "anyOf": [reference(f"{file}.{name}") for name in variants], "$defs": variants}


def _by_type(node: Node, others: Sequence[str], then: Node) -> Node:
    """A schema that demands more of the values of one type."""
    described, limits = _split(node)
    rest = {keyword: limit for keyword, limit in limits.items() if keyword not in ("if", "then")}
    return {**described, "anyOf": [{**rest, "type": others[0] if len(others) == 1 else [*others]}, then]}


def _split(node: Node) -> tuple[Node, Node]:
    """What describes the value, and what is demanded of it."""
    described = {keyword: value for keyword, value in node.items() if _describes(keyword)}
    return described, {keyword: value for keyword, value in node.items() if keyword not in described}


def _describes(keyword: str) -> bool:
    return keyword in _DESCRIBING or keyword.startswith("x-")


def _unique(nodes: Sequence[Node]) -> list[Node]:
    return [node for number, node in enumerate(nodes) if node not in nodes[:number]]


def _named(target: str, home: str) -> str:
    """The component that a reference leads to: a file, or a definition of the file `home`, in which it stands."""
    file, _, where = target.partition("#/$defs/")
    name = file.removesuffix(".json") or home
    return f"{name}.{where}" if where else name


def _target(referred: Node, files: Mapping[str, Schema]) -> Node:
    return component(referred["$ref"].removeprefix(_SCHEMAS), files)


def _merged(one: Node, other: Node) -> Node:
    """What demands both; described as by the other. Raises `ValueError` where no single schema says it."""
    found = dict(one)
    for keyword, value in other.items():
        found[keyword] = _both(keyword, found[keyword], value) if keyword in found else value
    return found


def _both(keyword: str, one: Any, other: Any) -> Any:
    match keyword:
        case "properties":
            members = {name: _merged(one[name], other[name]) for name in one.keys() & other.keys()}
            return {**one, **other, **members}
        case "required":
            return list(dict.fromkeys([*one, *other]))
        case _ if _describes(keyword) or one == other:
            return other
    raise ValueError(f"cannot make one schema of {keyword} {one} and {keyword} {other}")
