"""A broken request breaks the one rule that it names, where it says, and each that JSON can break has its turn."""

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from safelight.contracts import operations, parse, problems, rule, rules, workflows
from safelight.contracts.constraints import CONSTRAINTS
from safelight.contracts.rules import RULE_KEYWORDS
from safelight.strategies import BrokenRequest, broken_requests, reachable_rules
from safelight.strategies.locations import RuleLocation
from safelight.strategies.mutations import GONE, MUTATORS, Mutation

REQUEST = "image_generation.request"

SOME = settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def breaks_its_rule_alone(broken: BrokenRequest) -> bool:
    """As a value, and as the bytes that are sent."""
    operation = rule(broken.rule).schema if broken.rule.split(".")[0] in operations() else REQUEST
    expected = [(broken.rule, broken.pointer)]
    found = (problems(operation, broken.document), problems(operation, broken.body))
    return all([(violation.rule, violation.pointer) for violation in violations] == expected for violations in found)


@settings(SOME, max_examples=300)
@given(broken_requests())
def test_a_broken_request_breaks_exactly_the_rule_it_names_on_the_wire(broken: BrokenRequest) -> None:
    assert breaks_its_rule_alone(broken)


@pytest.mark.parametrize("rule_id", [found.id for name in operations() for found in reachable_rules(name)])
def test_each_rule_can_be_asked_for(rule_id: str) -> None:
    @SOME
    @given(broken_requests(rule_id))
    def is_broken(broken: BrokenRequest) -> None:
        assert broken.rule == rule_id
        assert breaks_its_rule_alone(broken)

    is_broken()


@SOME
@given(broken_requests(without={found.id for found in reachable_rules() if found.schema == "comfyui_workflow"}))
def test_rules_can_be_left_out(broken: BrokenRequest) -> None:
    assert not broken.rule.startswith("comfyui_workflow.")


def test_a_single_rule_can_be_left_out_by_its_id_alone() -> None:
    other = "image_generation.width.maximum"
    rest = [found.id for found in reachable_rules() if found.id != other]
    first = settings(SOME, phases=[Phase.generate])
    assert find(broken_requests(without=rest), lambda _: True, settings=first).rule == other


@pytest.mark.parametrize("workflow", workflows())
def test_a_broken_request_asks_for_its_workflow(workflow: str) -> None:
    @SOME
    @given(broken_requests("image_generation.width.maximum", workflow=workflow))
    def asks_for_it(broken: BrokenRequest) -> None:
        assert broken.document.get("workflow", "default") == workflow
        assert breaks_its_rule_alone(broken)

    asks_for_it()


@SOME
@given(broken_requests())
def test_the_body_is_what_json_writes_but_for_infinite_numbers(broken: BrokenRequest) -> None:
    assert parse(broken.body).document == broken.document
    if broken.rule != "image_generation.cfg.finite":
        assert broken.body == json.dumps(broken.document).encode()


def test_the_word_infinity_in_a_text_stays_a_word() -> None:
    document = {"prompt": 'to "Infinity" and: Infinity\\', "cfg": math.inf}
    body = BrokenRequest(document, "image_generation.cfg.finite", "/cfg", "").body
    assert body.endswith(b'"cfg": 1e400}')
    assert parse(body).document == document
    assert parse(body).violations == []


@SOME
@given(broken_requests("comfyui_workflow.no-cycle"))
def test_the_node_that_is_reported_lies_on_the_cycle(broken: BrokenRequest) -> None:
    graph = broken.document["prompt"]
    start = broken.pointer.removeprefix("/prompt/").replace("~1", "/").replace("~0", "~")
    reached, waiting = set[str](), [start]
    while waiting:
        inputs = graph[waiting.pop()]["inputs"].values()
        targets = {value[0] for value in inputs if isinstance(value, list)} - reached
        reached |= targets
        waiting += targets
    assert start in reached


@pytest.mark.parametrize(
    ("rule_id", "kinds"),
    [
        ("image_generation.width.maximum", {"width set to 2049", "width set to 2049.0"}),
        ("image_generation.prompt.required", {"prompt left out"}),
        ("image_generation.prompt.minLength", {'prompt set to ""'}),
        ("image_generation.cfg.finite", {"cfg set to 1e400"}),
        ("image_generation.workflow.enum", {'workflow set to "DEFAULT"'}),
        ("image_generation.type", {"the document set to null"}),
        ("comfyui_workflow.minProperties", {"prompt set to {}"}),
        ("comfyui_workflow.node.inputs.required", {"prompt.1.inputs left out"}),
    ],
)
def test_the_kind_says_what_was_changed(rule_id: str, kinds: set[str]) -> None:
    many = settings(SOME, max_examples=5_000, phases=[Phase.generate])
    for kind in kinds:
        found = find(broken_requests(rule_id), lambda broken: broken.kind == kind, settings=many)  # noqa: B023
        assert found.rule == rule_id


def test_the_rules_out_of_reach_are_these() -> None:
    unreachable = {found.id for found in rules(REQUEST)} - {found.id for found in reachable_rules()}
    assert unreachable == {"comfyui_workflow.type", "comfyui_workflow.propertyNames.type"}


def test_there_is_a_mutator_for_every_keyword_and_constraint() -> None:
    unused = {"x-constraints", "exclusiveMinimum", "maxProperties"}
    assert not unused - {"x-constraints"} & {one.keyword for one in rules()}
    assert MUTATORS.keys() == {*RULE_KEYWORDS, *CONSTRAINTS} - unused


@pytest.mark.parametrize(
    ("keyword", "stated", "value"),
    [
        ("maximum", {"type": "integer", "minimum": 0, "maximum": 2**70}, 5),
        ("maximum", {"type": "number", "maximum": 0.5}, 0.25),
        ("minimum", {"type": "number", "minimum": 0.5}, 1),
        ("minimum", {"type": "integer", "minimum": -(2**70)}, GONE),
        ("minLength", {"type": "string", "minLength": 3}, "abc"),
        ("maxLength", {"type": "string", "maxLength": 3}, "abc"),
        ("pattern", {"type": "string", "pattern": "^[a-z]+$"}, "abc"),
        ("pattern", {"type": "string", "pattern": "^[a-z]+$"}, GONE),
        ("enum", {"enum": ["", "A", "a "]}, "A"),
        ("const", {"const": "done"}, "done"),
        ("const", {"const": True}, True),
        ("const", {"const": 1}, 1),
        ("minItems", {"minItems": 3}, [1, 2, 3]),
        ("maxItems", {"maxItems": 2}, [1]),
        ("maxItems", {"maxItems": 2}, [1, 2]),
        ("minProperties", {"minProperties": 2}, {"a": 1, "b": 2}),
        ("type", {"type": ["integer", "null"], "minimum": 3, "maximum": 4}, None),
        ("type", {"type": "integer", "minimum": 3, "maximum": 3}, 3),
        ("type", {"type": "number", "minimum": 3}, 3),
        ("type", {"type": ["boolean", "array", "object"]}, True),
    ],
)
def test_a_mutator_breaks_its_keyword_alone_in_schemas_that_are_not_ours(
    keyword: str, stated: dict[str, Any], value: Any
) -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - costs a tenth of a second

    location = RuleLocation(rule("image_generation.type"), (), stated, "")
    kept = copy.deepcopy(value)

    @settings(SOME, max_examples=100)
    @given(MUTATORS[keyword](location, value))
    def breaks_it(mutation: Mutation) -> None:
        assert [error.validator for error in Draft202012Validator(stated).iter_errors(mutation.value)] == [keyword]
        assert value == kept

    breaks_it()


@pytest.mark.parametrize("operation", operations())
def test_every_rule_of_an_operation_is_within_reach_but_those_that_say_why_not(operation: str) -> None:
    out_of_reach = {"comfyui_workflow.type", "comfyui_workflow.propertyNames.type"}
    found = {one.id for one in rules(operations()[operation].request)}
    assert {one.id for one in reachable_rules(operation)} == found - out_of_reach
