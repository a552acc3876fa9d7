"""The OpenAPI documents: valid, made from the contract alone, and as strict as its schemas."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from safelight.cli.main import main
from safelight.contracts import VERSION, Example, examples, openapi, operations, problems, rule, schema, vocabularies

FORMS: Final = {"one path": openapi(), "a path for each operation": openapi(paths=True)}
PATHS: Final = openapi(paths=True)
ENTRY: Final = openapi()["paths"]["/v1/index.php"]

#: Operation -> the statuses of its answers where it has a path of its own.
STATUSES: Final = {
    "image_editing": "200 400 401 402 413 500 502",
    "image_generation": "200 400 401 402 413 500 502",
    "task_status": "200 400 401 404 500",
    "user_balance": "200 401 500",
    "video_generation": "200 400 401 402 413 500 502",
}


def of(name: str) -> Any:
    """The operation of this name in its own path."""
    return PATHS["paths"][f"/v1/{name}"][operations()[name].method.lower()]


def validator(form: str, place: str) -> Any:
    """A validator for the schema at a place of a document, which knows nothing of ours."""
    document = DRAFT202012.create_resource(FORMS[form])
    registry = Registry[Any]().with_resource("urn:openapi", document)
    return Draft202012Validator({"$ref": f"urn:openapi#{place}"}, registry=registry)


def nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(child)


def bundled() -> list[Example]:
    return [one for one in examples() if one.schema in PATHS["components"]["schemas"]]


@pytest.mark.parametrize("form", FORMS)
def test_a_document_is_valid_openapi(form: str) -> None:
    assert list(OpenAPIV31SpecValidator(FORMS[form]).iter_errors()) == []


@pytest.mark.parametrize("example", bundled(), ids=lambda one: f"{one.schema}/{one.name}")
def test_bundling_loses_nothing(example: Example) -> None:
    is_right = example.rule is None or rule(example.rule).keyword == "x-constraints"
    for form in FORMS:
        found = validator(form, f"/components/schemas/{example.schema}")
        assert found.is_valid(json.loads(example.text)) == is_right


@pytest.mark.parametrize("form", FORMS)
def test_every_message_that_is_reached_is_there_and_no_other(form: str) -> None:
    document = FORMS[form]
    targets = {node["$ref"] for node in nodes(document) if "$ref" in node}
    there = document["components"]["schemas"]
    assert {target.rpartition("/")[2] for target in targets if "/schemas/" in target} == there.keys()
    assert {"comfyui_workflow.link", "task_status.response.published.done"} <= there.keys()
    assert all(re.fullmatch(r"#/components/\w+/[^/]+", target) for target in targets)
    assert not any({"$id", "$schema", "$anchor"} & node.keys() for node in nodes(there))


def test_what_the_contract_says_of_itself_is_kept() -> None:
    there = PATHS["components"]["schemas"]
    assert there["image_editing.request"]["x-price"] == 20
    cfg = schema("image_generation.request")["properties"]["cfg"]
    said = f"{cfg.pop('title')}. {cfg.pop('description')}"
    assert there["image_generation.request"]["properties"]["cfg"] == {"description": said, **cfg}
    assert of("video_generation")["x-price"] == 200
    assert PATHS["info"]["version"] == VERSION


@pytest.mark.parametrize("form", FORMS)
def test_nothing_stands_beside_a_reference_and_each_choice_names_its_alternatives(form: str) -> None:
    """What generators of clients pass over: a sibling of `$ref`, and `if`."""
    for node in nodes(FORMS[form]):
        assert "$ref" not in node or len(node) == 1
        assert not {"if", "then", "else"} <= node.keys() or "anyOf" in node
        assert "title" not in node or node is FORMS[form]["info"]


def test_a_default_that_is_another_for_one_workflow_is_said_and_not_sent() -> None:
    width = PATHS["components"]["schemas"]["image_generation.request"]["properties"]["width"]
    assert "default" not in width
    assert width["description"] == "Width in pixels. Left out, it is 512; 1024 with grok."


@pytest.mark.parametrize("vocabulary", vocabularies())
def test_the_answer_to_a_poll_is_one_of_its_phases_each_with_its_word(vocabulary: str) -> None:
    there = PATHS["components"]["schemas"]
    for phase, word in vocabularies()[vocabulary].words.items():
        status = there[f"task_status.response.{vocabulary}.{phase}"]["properties"]["data"]["properties"]["status"]
        assert status["const"] == word


#: What may stand where something else belongs: what chooses another variant, and what fits none.
OTHERS: Final[list[Any]] = [None, True, 0, {}, "queued", "done", "completed", "failed", "t2v", "rr3", "grok_1f", "12"]


def changed(answer: Any) -> Iterator[Any]:
    """The answer, then with one member left out or another value, at the top or within the data."""
    yield answer
    for members in [answer, answer["data"]]:
        for name in [*members, "provider", "mode"]:
            kept = dict(members)
            members.pop(name, None)
            yield answer
            for other in OTHERS:
                members[name] = other
                yield answer
            members.clear()
            members.update(kept)


@pytest.mark.parametrize("one", operations().values(), ids=lambda one: one.name)
def test_a_200_allows_what_the_contract_allows_of_a_success_and_no_more(one: Any) -> None:
    place = f"~1v1~1{one.name}/{one.method.lower()}/responses/200/content/application~1json/schema"
    allows = validator("a path for each operation", f"/paths/{place}").is_valid
    right = [json.loads(example.text) for example in examples(one.response) if not example.rule]
    for answer in (answer for found in right if found["success"] for answer in changed(found)):
        assert allows(answer) == (not problems(one.response, answer) and answer.get("success") is not False)


def test_each_operation_has_a_path_and_its_name() -> None:
    assert list(PATHS["paths"]) == [f"/v1/{name}" for name in operations()]
    for name, one in operations().items():
        assert list(PATHS["paths"][f"/v1/{name}"]) == [one.method.lower()]
        assert of(name)["operationId"] == name
        assert " ".join(of(name)["responses"]) == STATUSES[name]


@pytest.mark.parametrize("name", ["image_editing", "image_generation", "video_generation", "task_status"])
def test_a_task_that_was_answered_with_can_be_polled(name: str) -> None:
    (link,) = of(name)["responses"]["200"]["links"].values()
    assert link["operationId"] in operations()
    (parameter,) = of(link["operationId"])["parameters"]
    assert link["parameters"] == {parameter["name"]: "$response.body#/data/id"}


def test_a_balance_leads_nowhere() -> None:
    assert "links" not in of("user_balance")["responses"]["200"]


def test_a_parameter_is_required_where_its_operation_is_alone() -> None:
    (own,) = of("task_status")["parameters"]
    endpoint, shared = ENTRY["get"]["parameters"]
    assert (own["required"], shared["required"], endpoint["required"]) == (True, False, True)
    task_id = schema("task_status.request")["properties"]["task_id"]
    assert own["description"] == task_id.pop("title")
    assert own["schema"] == shared["schema"] == task_id
    assert "required by task_status" in shared["description"]
    assert of("user_balance")["parameters"] == []


def test_the_one_path_names_the_operations_of_each_method() -> None:
    for method, item in ENTRY.items():
        endpoint = item["parameters"][0]
        expected = [one.name for one in operations().values() if one.method.lower() == method]
        assert (endpoint["name"], endpoint["schema"]["enum"]) == ("endpoint", expected)
        assert {"404", "405"} <= item["responses"].keys()


@pytest.mark.parametrize("one", operations().values(), ids=lambda one: one.name)
def test_a_200_is_a_success_of_its_operation(one: Any) -> None:
    method, content = one.method.lower(), "responses/200/content/application~1json/schema"
    places = {"one path": "~1v1~1index.php", "a path for each operation": f"~1v1~1{one.name}"}
    right = [example.document for example in examples(one.response) if not example.rule]
    errors = [example.document for example in examples("error") if not example.rule]
    for form, path in places.items():
        found = validator(form, f"/paths/{path}/{method}/{content}")
        assert any(map(found.is_valid, right))
        assert [found.is_valid(document) for document in right] == [document["success"] for document in right]
        assert not any(map(found.is_valid, errors))


@pytest.mark.parametrize("form", FORMS)
def test_every_answer_may_say_the_version_and_every_error_is_the_envelope(form: str) -> None:
    answers = [
        (status, answer)
        for item in FORMS[form]["paths"].values()
        for method in item.values()
        for status, answer in method["responses"].items()
    ]
    for status, answer in answers:
        assert list(answer["headers"]) == ["x-safelight-contract"]
        if status != "200":
            assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/error"}


def test_there_are_three_ways_to_bring_a_key_in_their_order() -> None:
    schemes = [PATHS["components"]["securitySchemes"][name] for (name,) in PATHS["security"]]
    assert [(one["type"], one.get("name", one.get("scheme"))) for one in schemes] == [
        ("apiKey", "x-api-key"),
        ("http", "bearer"),
        ("apiKey", "api_key"),
    ]


@pytest.mark.parametrize("paths", [False, True])
def test_a_document_is_ones_own_to_change(*, paths: bool) -> None:
    text = json.dumps(openapi(paths=paths))
    for node in list(nodes(openapi(paths=paths))):
        node.clear()
    assert json.dumps(openapi(paths=paths)) == text


@pytest.mark.parametrize(("options", "form"), [([], "one path"), (["--paths"], "a path for each operation")])
def test_the_command_prints_it(options: list[str], form: str) -> None:
    result = CliRunner().invoke(main, ["schema", "openapi", *options])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == json.dumps(FORMS[form], indent=2, ensure_ascii=False) + "\n"
