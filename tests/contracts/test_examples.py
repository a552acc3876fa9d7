"""The golden examples: each is what its place says, and every rule has one."""

import hashlib
import json
from collections import Counter
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from safelight.contracts import Example, UnknownSchema, examples, names, parse, problems, rule, rules, schema

VALID: Final = [example for example in examples() if example.rule is None]
INVALID: Final = [example for example in examples() if example.rule is not None]

#: Rules that no text can break, and why.
UNBREAKABLE: Final = {
    "comfyui_workflow.propertyNames.type": "a name in JSON text is a string; a Python dict may have others",
}

#: The blocks of the original document, with the line break before the closing fence: SHA-256.
SEEDS: Final = {
    "image_generation.request": "5c334b1683a3d3bcc88719c5c1175673f694c9b5cd97c76ad062e70c172bfc29",
    "image_generation.response.comfyui": "35bfae6ba58e764f3594a3f81c49d2cfe4fdee3b891f2150066c66ff71389a5d",
    "image_generation.response.rr3": "fab9c51ce4188f3551e2dd69eaee47f2c7bc7707b7c5060a197ef5317ff5865d",
}


def broken(example: Example) -> list[str]:
    found = parse(example.text).violations if example.schema == "json" else problems(example.schema, example.text)
    return [violation.rule for violation in found]


def label(example: Example) -> str:
    return f"{example.schema}/{example.name}"


@pytest.mark.parametrize("example", VALID, ids=label)
def test_a_valid_example_breaks_nothing(example: Example) -> None:
    assert broken(example) == []


@pytest.mark.parametrize("example", INVALID, ids=label)
def test_an_invalid_example_breaks_its_rule_and_no_other(example: Example) -> None:
    assert broken(example) == [example.rule]


@pytest.mark.parametrize("example", INVALID, ids=label)
def test_an_invalid_example_stands_with_the_schema_that_owns_its_rule(example: Example) -> None:
    assert rule(str(example.rule)).schema == example.schema


def test_every_rule_has_an_example_or_a_reason_why_not() -> None:
    assert {example.rule for example in INVALID} | UNBREAKABLE.keys() == {one.id for one in rules()}
    assert not {example.rule for example in INVALID} & UNBREAKABLE.keys()


@pytest.mark.parametrize("rule_id", UNBREAKABLE)
def test_what_no_text_breaks_a_python_document_does(rule_id: str) -> None:
    document = {1: {"class_type": "LoadImage", "inputs": {}}}
    assert [found.rule for found in problems("comfyui_workflow", document)] == [rule_id]


def test_every_schema_has_a_valid_example() -> None:
    assert {example.schema for example in VALID} == {*names(), "json"}


def test_examples_come_by_schema_valid_ones_first() -> None:
    assert [(one.schema, one.rule is not None, one.name) for one in examples()] == sorted(
        (one.schema, one.rule is not None, one.name) for one in examples()
    )
    assert examples("error") == tuple(one for one in examples() if one.schema == "error")


def test_examples_of_an_unknown_schema_are_an_error() -> None:
    with pytest.raises(UnknownSchema, match="did you mean envelope"):
        examples("envelop")


def test_no_two_examples_of_a_schema_are_the_same() -> None:
    assert max(Counter((one.schema, one.text) for one in examples()).values()) == 1


@pytest.mark.parametrize(("schema_name", "digest"), SEEDS.items(), ids=SEEDS)
def test_the_blocks_of_the_original_document_are_kept_byte_for_byte(schema_name: str, digest: str) -> None:
    [seed] = [one for one in examples(schema_name) if one.name == "seed"]
    assert seed.rule is None
    assert hashlib.sha256(seed.text).hexdigest() == digest


def test_an_example_is_small_and_ends_its_last_line() -> None:
    texts = [one.text for one in examples() if one.schema != "json"]
    assert max(map(len, texts)) < 2_000
    assert all(text.endswith((b"}\n", b"]\n", b'"\n')) for text in texts)


def test_an_example_without_a_document_says_so() -> None:
    [empty] = [one for one in examples("json") if one.name == "json.empty"]
    with pytest.raises(ValueError, match=r"json/json\.empty holds no document: the document is empty"):
        _ = empty.document


@pytest.mark.parametrize("example", [one for one in examples() if one.schema != "json"], ids=label)
def test_a_validator_that_knows_nothing_of_ours_agrees_where_json_schema_says_all(example: Example) -> None:
    """The exported files alone are enough in any language, but for the constraints."""
    contents = [(f"{name}.json", DRAFT202012.create_resource(schema(name))) for name in names()]
    registry = Registry[Any]().with_resources(contents)
    accepted = Draft202012Validator(schema(example.schema), registry=registry).is_valid(json.loads(example.text))
    is_constraint = example.rule is not None and rule(example.rule).keyword == "x-constraints"
    assert accepted == (example.rule is None or is_constraint)
