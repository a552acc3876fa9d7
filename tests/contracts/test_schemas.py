"""The schema files: sound, complete, and with a provenance for each constraint."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from safelight.contracts import Provenance, UnknownSchema, names, rule, rules, schema
from safelight.contracts.constraints import CONSTRAINTS
from safelight.contracts.locations import ALONE, BY_NAME, EVERYTHING, LISTED, Location, locations, root
from safelight.contracts.recognizers import TABLES
from safelight.contracts.rules import RULE_KEYWORDS, TEXT_RULES, rules_at
from safelight.contracts.schemas import schemas, texts

#: Keywords that neither constrain nor lead on.
ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "$ref", "$anchor", "title", "description", "default"}
    | {"x-provenance", "x-defaults", "x-effective-for", "x-workflows", "x-words", "x-price", "x-method"}
    | {"x-contract-version", "x-longest-side", "x-choice", "x-form", "x-recognized", "x-linux-do-workflows"}
)

#: The table of the original document: parameter, JSON type, default, bound. Everything else there is prose.
TABLE: Final = [
    ("prompt", ["string", "object"], None, {}),
    ("negative_prompt", "string", None, {}),
    ("width", "integer", 512, {"maximum": 2048}),
    ("height", "integer", 512, {"maximum": 2048}),
    ("steps", "integer", 20, {"maximum": 50}),
    ("workflow", "string", "default", {}),
    ("seed", "integer", -1, {}),
    ("cfg", "number", None, {}),
    ("model", "string", None, {}),
]

REQUEST: Final = schema("image_generation.request")["properties"]


def parts(name: str) -> Iterator[dict[str, Any]]:
    """A schema and all schemas in its file."""
    return (location.node for location in locations(root(name), EVERYTHING))


@pytest.mark.parametrize("name", names())
def test_a_schema_is_valid_2020_12(name: str) -> None:
    assert schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("name", names())
def test_a_schema_is_named_as_its_file_and_says_what_it_is(name: str) -> None:
    assert schema(name)["$id"] == f"{name}.json"
    assert schema(name)["title"]
    assert schema(name)["description"].endswith(".")


@pytest.mark.parametrize("name", names())
def test_every_keyword_of_a_schema_is_known(name: str) -> None:
    used = {keyword for part in parts(name) for keyword in part}
    assert used <= set(RULE_KEYWORDS) | BY_NAME | LISTED | ALONE | ANNOTATIONS


@pytest.mark.parametrize("name", names())
def test_the_walk_visits_whatever_looks_like_a_schema(name: str) -> None:
    """Text by text: each place in the file where a type is stated, but for parameters of that name."""
    assert json.dumps(schema(name)).count('"type": ') == sum("type" in part for part in parts(name))
    assert json.dumps(schema(name)).count('"properties": ') == sum("properties" in part for part in parts(name))


@pytest.mark.parametrize("name", names())
def test_a_location_is_found_at_its_pointer_once(name: str) -> None:
    found = list(locations(root(name), EVERYTHING))
    assert len({location.pointer for location in found}) == len(found)
    for location in found:
        node: Any = schemas()[name]
        for part in location.pointer.split("/")[1:]:
            node = node[int(part) if isinstance(node, list) else part]
        assert node is location.node


def test_every_limit_outside_a_condition_is_a_rule() -> None:
    for name in names():
        stated = {
            (location.pointer, keyword)
            for location in locations(root(name), EVERYTHING)
            for keyword in location.node
            if keyword in RULE_KEYWORDS and not is_condition(location)
        }
        known = {(at, keyword) for (of, at), found in rules_at().items() if of == name for keyword, _ in found}
        assert stated == known


def is_condition(location: Location | None) -> bool:
    return location is not None and (location.keyword == "if" or is_condition(location.parent))


def test_a_pattern_has_words_and_a_table_is_one_that_there_is() -> None:
    for one in (part for name in names() for part in parts(name)):
        assert "x-form" not in one or "pattern" in one
        assert one.get("x-recognized", "body") in TABLES


def test_a_pattern_means_the_same_in_every_language() -> None:
    r"""In Python `\s` is more than in ECMAScript, `\d` and `\w` are other scripts' too, `\Z` is no end elsewhere."""
    patterns = [re.findall(r'"pattern": "(.*?)"[,}\n]', text) for text in texts().values()]
    assert sum(map(len, patterns)) > 10
    assert not [pattern for found in patterns for pattern in found if re.search(r"\\[sSdDwWbBAZzpP]|\(\?", pattern)]


@pytest.mark.parametrize("name", names())
def test_a_file_says_a_name_once(name: str) -> None:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)

    json.loads(texts()[name], object_pairs_hook=members)


@pytest.mark.parametrize("name", names())
def test_a_provenance_is_one_of_four_words(name: str) -> None:
    stated = [part["x-provenance"] for part in parts(name) if "x-provenance" in part]
    words = {word for one in stated for word in ([one] if isinstance(one, str) else one.values())}
    assert words <= set(Provenance)
    assert stated, "a schema says who says so"


def test_every_rule_has_a_provenance_and_an_id_of_its_own() -> None:
    assert {type(one.provenance) for one in rules()} == {Provenance}
    assert len({one.id for one in rules()}) == len(rules())
    assert all(rule(one.id) is one for one in rules())


def test_every_constraint_is_named_by_a_schema_and_documented() -> None:
    used = {name for one in names() for part in parts(one) for name in part.get("x-constraints", ())}
    assert used == CONSTRAINTS.keys()
    assert all(CONSTRAINTS[name].__doc__ for name in used)


def test_the_rules_of_the_text_are_rules_like_any_other() -> None:
    assert [one.id for one in rules() if one.schema == "json"] == list(TEXT_RULES)


def test_the_rules_of_a_schema_include_those_it_refers_to() -> None:
    assert {one.schema for one in rules("image_generation.request")} == {"image_generation.request", "comfyui_workflow"}
    assert {one.schema for one in rules("task_status.response.done")} == {"task_status.response.done", "envelope"}


@pytest.mark.parametrize(("name", "type_", "default", "bound"), TABLE, ids=[row[0] for row in TABLE])
def test_the_table_of_the_original_document_is_kept(name: str, type_: object, default: object, bound: object) -> None:
    stated = REQUEST[name]
    assert (stated["type"], stated.get("default")) == (type_, default)
    assert {keyword: stated[keyword] for keyword in ("maximum",) if keyword in stated} == bound


def test_the_table_of_the_original_document_has_every_parameter() -> None:
    assert list(REQUEST) == [row[0] for row in TABLE]
    assert schema("image_generation.request")["required"] == ["prompt"]


def test_what_the_original_document_states_is_its_own_and_the_rest_is_not() -> None:
    by_seed = {one.id for one in rules() if one.schema == "image_generation.request" and one.provenance == "seed"}
    assert by_seed == {
        "image_generation.type",
        "image_generation.prompt.required",
        *(f"image_generation.{name}.type" for name, *_ in TABLE),
        *(f"image_generation.{name}.maximum" for name, *_, bound in TABLE if bound),
    }


def test_a_parameter_works_for_workflows_that_exist() -> None:
    workflows = set(REQUEST["workflow"]["enum"])
    assert all(set(stated.get("x-effective-for", ())) <= workflows for stated in REQUEST.values())
    assert all(set(stated.get("x-defaults", ())) <= workflows for stated in REQUEST.values())


def test_the_lowest_bounds_are_ours() -> None:
    lowest = {"width": 1, "height": 1, "steps": 1, "seed": -1, "cfg": 0}
    for name, least in lowest.items():
        found = rule(f"image_generation.{name}.minimum")
        assert (found.limit, found.provenance) == (least, Provenance.ASSUMED)


def test_a_schema_is_ones_own_to_change() -> None:
    schema("error").clear()
    assert schema("error")["title"] == "Envelope of an error"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("image_generation", "image_generation.request"),
        ("task-status.request", 'no schema is called "task-status.request"; did you mean task_status.request?'),
        ("x", 'no schema is called "x"; there are comfyui_workflow, envelope, error'),
        ("\x1b[2J", r"\u001b[2J"),
    ],
)
def test_an_unknown_schema_is_told_from_those_there_are(name: str, sentence: str) -> None:
    with pytest.raises(UnknownSchema) as caught:
        schema(name)
    assert sentence in str(caught.value)


def test_names_are_sorted() -> None:
    assert list(names()) == sorted(names())
