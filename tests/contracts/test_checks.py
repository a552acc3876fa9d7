"""Our checks and jsonschema, which knows nothing of ours, find the same errors in the same documents."""

import json
import math
import os
import re
import subprocess
import sys
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from safelight.contracts import examples, names, schema
from safelight.contracts.checks import Breach, breaches, check_of, demands
from safelight.contracts.locations import EVERYTHING, Location, locations, root
from safelight.contracts.shortcuts import accept_of

#: JSON, with the numbers, words and members that schemas mention.
JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 0.5, 51, 2049, 1e400, 2**70])
    | st.sampled_from(["", "a", "rr3", "t2v", "pending", "completed", "done", "grok_1", "123", "http://a/"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "status", "inputs", "class_type", "id", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every value within one."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for name, child in members for found in paths(child, (*path, name)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with another at the end of a path."""
    if not path:
        return new
    items = dict(value) if isinstance(value, dict) else list(value)
    items[path[0]] = changed(items[path[0]], path[1:], new)
    return items


@st.composite
def documents(draw: st.DrawFn, schema_name: str) -> Any:
    """A golden example, right or wrong, with none to three of its values replaced or members left out."""
    document = json.loads(draw(st.sampled_from([example.text for example in examples(schema_name)])))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(paths(document)))
        new = draw(JSON)
        if isinstance(new, dict) and draw(st.booleans()):
            (*before, last) = path or ("",)
            old = document
            for name in before:
                old = old[name]
            new = {name: child for name, child in old.items() if name != last} if isinstance(old, dict) else new
            path = tuple(before)
        document = changed(document, path, new)
    return document


@cache
def other(schema_name: str) -> Draft202012Validator:
    """jsonschema's validator, from the exported files; in Python `$` lets a line break follow, in JSON Schema not."""
    files = {name: schema(name) for name in names()}
    for name in names():
        for location in locations(root(name, files), EVERYTHING):
            if "pattern" in location.node:
                location.node["pattern"] = re.sub(r"\$$", r"\\Z", location.node["pattern"])
    resources = [(f"{name}.json", DRAFT202012.create_resource(contents)) for name, contents in files.items()]
    return Draft202012Validator(files[schema_name], registry=Registry[Any]().with_resources(resources))


def ours(schema_name: str, document: Any) -> set[tuple[str, tuple[object, ...]]]:
    """Keyword and path of each error, as jsonschema has them: an absent member is an error of its object."""
    found = [one for one in breaches(check_of(root(schema_name)), document) if one.keyword != "x-constraints"]
    return {(one.keyword, one.path[:-1] if one.keyword == "required" else one.path) for one in found}


def theirs(schema_name: str, document: Any) -> set[tuple[str, tuple[object, ...]]]:
    """The same of theirs, but that a value of a wrong type is told so, and not that it is no word of a list."""
    errors = list(other(schema_name).iter_errors(document))
    return {
        (str(error.validator), tuple(error.absolute_path))
        for error in errors
        if error.validator != "enum" or isinstance(error.instance, str)
    }


@pytest.mark.parametrize("schema_name", names())
def test_both_find_the_same_errors_in_examples_and_in_changed_ones(schema_name: str) -> None:
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(schema_name))
    def agree(document: Any) -> None:
        assert ours(schema_name, document) == theirs(schema_name, document)

    agree()


#: Schemas of keywords that the contract does not use, or not so; a document, and the keyword and path of its errors.
FOREIGN: Final[list[tuple[dict[str, Any], Any, Any]]] = [
    ({"items": {"type": "integer"}}, [1, "a", 2, None], [("type", (1,)), ("type", (3,))]),
    ({"prefixItems": [{}], "items": {"const": 1}}, ["a", 1, 2], [("const", (2,))]),
    ({"exclusiveMinimum": 0}, 0, [("exclusiveMinimum", ())]),
    ({"maxProperties": 1}, {"a": 1, "b": 2}, [("maxProperties", ())]),
    ({"allOf": [{"minimum": 2}, {"maximum": 0}]}, 1, [("minimum", ()), ("maximum", ())]),
    ({"if": {"const": 1}, "then": {"const": 2}, "else": {"const": 3}}, 3, []),
    ({"$defs": {"a/b": {"type": "null"}}, "$ref": "#/$defs/a~1b"}, 1, [("type", ())]),
]


def check(stated: dict[str, Any], document: Any) -> list[Breach]:
    return breaches(check_of(root("foreign", {"foreign": stated})), document)


@pytest.mark.parametrize(("stated", "document", "found"), FOREIGN, ids=[str(row[0])[:40] for row in FOREIGN])
def test_keywords_mean_what_the_standard_says(stated: dict[str, Any], document: Any, found: Any) -> None:
    assert [(one.keyword, one.path) for one in check(stated, document)] == found
    expected = [(one.validator, tuple(one.absolute_path)) for one in Draft202012Validator(stated).iter_errors(document)]
    assert found == expected


def test_members_that_are_not_allowed_are_named_one_by_one() -> None:
    stated = {"properties": {"a": {}}, "additionalProperties": False}
    assert [one.path for one in check(stated, {"a": 1, "b": 2, "c": 3})] == [("b",), ("c",)]


def test_a_keyword_that_is_not_known_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"foreign\.json at /items has the keyword oneOf, which is not known here"):
        check({"items": {"oneOf": []}}, 1)


def near(location: Location) -> list[Any]:
    """Values about the limits of a subschema, of the right type and of others."""
    numbers = [limit for limit in location.node.values() if isinstance(limit, int | float)]
    words = [word for listed in location.node.values() if isinstance(listed, list) for word in listed]
    texts = ["x" * (int(number) + more) for number in numbers if number < 10_000 for more in (-1, 0, 1)]
    beside = [kind(number + more) for number in numbers for more in (-1, 0, 1) for kind in (int, float)]
    return [*texts, *words, *beside, *ODD, *([texts] if texts else []), dict.fromkeys(map(str, words), "a")]


#: What Python takes for a number, or for the same as another.
ODD: Final[list[Any]] = [
    True,
    False,
    0.0,
    -0.0,
    1.5,
    math.nan,
    math.inf,
    -math.inf,
    2**70,
    -(2**70),
    None,
    "",
    "\ud800",
    [],
    {},
]

#: Every subschema of the contract, and the keywords that it does not use.
SUBSCHEMAS: Final = [
    *(found for name in names() for found in locations(root(name), EVERYTHING)),
    *(root("foreign", {"foreign": row[0]}) for row in FOREIGN),
]


@pytest.mark.parametrize("keyword", sorted({name for one in SUBSCHEMAS for name in one.node if demands(name)}))
def test_the_shortcut_accepts_nothing_that_breaks_a_keyword(keyword: str) -> None:
    with_it = [location for location in SUBSCHEMAS if keyword in location.node]
    for location in with_it:
        accept, check = accept_of(location), check_of(location)
        wrong = [value for value in near(location) if accept(value) and not check(value, None, None)]
        assert not wrong, location


@pytest.mark.parametrize("schema_name", names())
def test_the_shortcut_accepts_no_example_with_an_error(schema_name: str) -> None:
    accept, kept = accept_of(root(schema_name)), check_of(root(schema_name))

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(documents(schema_name))
    def agree(document: Any) -> None:
        assert not accept(document) or kept(document, None, None)

    agree()


def test_the_shortcut_accepts_the_usual_requests() -> None:
    right = [(name, example) for name in names() for example in examples(name) if example.rule is None]
    left = {example.name for name, example in right if not accept_of(root(name))(example.document)}
    assert left == {"whole-number-written-with-a-point", "workflow-object"}


def test_shortcuts_can_be_turned_off() -> None:
    program = "from safelight.contracts import problems, shortcuts; print(shortcuts.ARE_TAKEN, problems(*{!r}))"
    asked = ("image_generation.request", b'{"prompt": "a lamp", "width": 1}')
    off = {**os.environ, "SAFELIGHT_SHORTCUTS": "off"}
    done = subprocess.run([sys.executable, "-c", program.format(asked)], env=off, capture_output=True, check=True)
    assert done.stdout.decode().split() == ["False", "[]"]
