"""Whether a value keeps a schema, without saying why not: what is asked of each of very many members.

A client may send half a million, and jsonschema takes 20 microseconds to find nothing wrong with one. So the schemas
of members are made into plain functions, and jsonschema is left what they do not let pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.schemas import Schema, schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Does a value keep a schema?
Test = Callable[[Any], bool]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """JSON Schema's `$` is the end; Python's also stands before a last line break."""
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))


#: Keyword -> does a value of the right type break its limit? A value of another type is `type`'s matter.
BREAKS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "const": lambda value, limit: not isinstance(value, type(limit)) or value != limit,
    "enum": lambda value, limit: isinstance(value, str) and value not in limit,
    "pattern": lambda value, limit: isinstance(value, str) and not _compiled(limit).search(value),
    "minLength": lambda value, limit: isinstance(value, str) and len(value) < limit,
    "maxLength": lambda value, limit: isinstance(value, str) and len(value) > limit,
    "minimum": lambda value, limit: is_number(value) and value < limit,
    "maximum": lambda value, limit: is_number(value) and value > limit,
    "minItems": lambda value, limit: isinstance(value, list) and len(value) < limit,
    "maxItems": lambda value, limit: isinstance(value, list) and len(value) > limit,
    "minProperties": lambda value, limit: isinstance(value, dict) and len(value) < limit,
}


def is_number(value: object) -> bool:
    """What JSON calls a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def tests() -> Mapping[int, Test]:
    """The identity of each schema that stands for any number of members -> its test."""
    return {
        id(node[keyword]): _test(node[keyword], root) or _never
        for root in schemas().values()
        for node in _nodes(root)
        for keyword in ("additionalProperties", "propertyNames")
        if keyword in node
    }


def _never(_: object) -> bool:
    """The test of a schema that has none."""
    return False


def _nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(child)


def _test(schema: Any, root: Schema) -> Test | None:
    """None where the schema, or one within, has a keyword of which nothing is known here."""
    if not isinstance(schema, dict):
        return None
    made = [_TESTS.get(word, _unknown)(schema, root) for word in schema if word not in _SILENT]
    known = [test for test in made if test]
    return _all(known) if len(known) == len(made) else None


def _all(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def test(value: Any) -> bool:
        for one in tests:  # noqa: SIM110 - `all` and its generator take twice as long
            if not one(value):
                return False
        return True

    return test


def _unknown(_: object, __: object) -> None:
    return None


def _limit(keyword: str, schema: Schema, _: object) -> Test:
    breaks, limit = BREAKS[keyword], schema[keyword]
    return lambda value: not breaks(value, limit)


def _type(schema: Schema, _: object) -> Test | None:
    return _TYPES.get(str(schema["type"]))


def _required(schema: Schema, _: object) -> Test:
    names = frozenset(schema["required"])
    return lambda value: not isinstance(value, dict) or value.keys() >= names


def _properties(schema: Schema, root: Schema) -> Test | None:
    tests = {name: _test(child, root) for name, child in schema["properties"].items()}
    known = [(name, test) for name, test in tests.items() if test]
    if len(known) < len(tests):
        return None

    def test(value: Any) -> bool:
        if isinstance(value, dict):
            for name, one in known:
                if name in value and not one(value[name]):
                    return False
        return True

    return test


def _additional(schema: Schema, root: Schema) -> Test | None:
    one, listed = _test(schema["additionalProperties"], root), schema.get("properties", ())
    if one is None:
        return None

    def test(value: Any) -> bool:
        if isinstance(value, dict):
            for name, member in value.items():
                if not one(member) and name not in listed:
                    return False
        return True

    return test


def _items(schema: Schema, root: Schema) -> Test | None:
    tests = [_test(child, root) for child in schema["prefixItems"]]
    known = [test for test in tests if test]
    if len(known) < len(tests):
        return None

    def test(value: Any) -> bool:
        if isinstance(value, list):
            for one, item in zip(known, value, strict=False):
                if not one(item):
                    return False
        return True

    return test


def _choice(schema: Schema, root: Schema) -> Test | None:
    condition, then, other = (_test(schema.get(word, {}), root) for word in ("if", "then", "else"))
    if condition is None or then is None or other is None:
        return None
    return lambda value: then(value) if condition(value) else other(value)


def _reference(schema: Schema, root: Schema) -> Test | None:
    file, _, name = schema["$ref"].partition("#/$defs/")
    return None if file or not name else _test(root["$defs"][name], root)


#: JSON Schema's names of types, those that schemas of members use.
_TYPES: Final[Mapping[str, Test]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: is_number(value) and (isinstance(value, int) or value.is_integer()),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}

#: Keyword -> what makes its test.
_TESTS: Final[Mapping[str, Callable[[Schema, Schema], Test | None]]] = {
    **{keyword: partial(_limit, keyword) for keyword in BREAKS},
    "type": _type,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "prefixItems": _items,
    "if": _choice,
    "$ref": _reference,
}

#: Keywords that demand nothing of a value, or nothing by themselves.
_SILENT: Final = frozenset(
    {"$anchor", "$defs", "title", "description", "default", "then", "else", "x-provenance", "x-effective-for"}
)
