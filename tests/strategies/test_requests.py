"""What is drawn keeps the contract, before and after a trip over the wire."""

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import Phase as Generation
from hypothesis import strategies as st

from safelight.contracts import FINAL, Phase, Timeline, operations, problems, schema, vocabularies, workflows
from safelight.mockserver.control.forms import timeline_form
from safelight.strategies import comfyui_workflows, prompts, requests, responses, statuses, timelines
from safelight.strategies.graphs import TEXT_TO_IMAGE, classes
from safelight.strategies.values import values

MANY = settings(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def keeps(schema_name: str, document: Any) -> bool:
    """The document keeps the schema as a value, and as bytes with every letter escaped or none."""
    escaped, plain = json.dumps(document), json.dumps(document, ensure_ascii=False)
    return not any(problems(schema_name, form) for form in (document, escaped.encode(), plain.encode()))


def there_is(strategy: st.SearchStrategy[Any], condition: Any) -> bool:
    """An example meets the condition; otherwise `find` raises."""
    find(strategy, condition, settings=settings(MANY, max_examples=3_000, phases=[Generation.generate]))
    return True


@MANY
@given(requests())
def test_a_request_keeps_the_contract_on_the_wire(document: dict[str, Any]) -> None:
    assert keeps("image_generation.request", document)
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize("operation", operations())
def test_a_request_of_any_operation_keeps_the_contract(operation: str) -> None:
    @MANY
    @given(requests(operation=operation))
    def keeps_it(document: dict[str, Any]) -> None:
        assert keeps(f"{operation}.request", document)

    keeps_it()


def test_videos_are_asked_for_in_both_modes_and_pictures_in_every_form() -> None:
    videos = requests(operation="video_generation")
    for condition in (
        lambda document: document.get("mode") == "t2v" and "image" not in document,
        lambda document: "mode" not in document,
        lambda document: document.get("image", "").startswith("https://"),
        lambda document: document.get("image", "").startswith("data:image/"),
        lambda document: document.get("image", ":").isalnum(),
    ):
        assert there_is(videos, condition)


@pytest.mark.parametrize(
    ("operation", "variants"),
    [
        ("image_generation", ["comfyui", "rr3", "grok", "error"]),
        ("image_editing", ["comfyui", "error"]),
        ("video_generation", ["i2v", "t2v", "error"]),
        ("user_balance", ["success", "error"]),
    ],
)
def test_an_answer_of_any_operation_keeps_the_contract(operation: str, variants: list[str]) -> None:
    for variant in variants:
        schema_name = "error" if variant == "error" else f"{operation}.response"
        assert keeps(schema_name, find(responses(variant, operation=operation), lambda _: True))

    @MANY
    @given(responses(operation=operation))
    def keeps_it(answer: dict[str, Any]) -> None:
        assert keeps(f"{operation}.response" if answer["success"] else "error", answer)

    keeps_it()


@pytest.mark.parametrize("workflow", workflows())
def test_a_request_names_the_workflow_that_was_asked_for(workflow: str) -> None:
    default = schema("image_generation.request")["properties"]["workflow"]["default"]

    @settings(MANY, max_examples=50)
    @given(requests(workflow))
    def names_it(document: dict[str, Any]) -> None:
        assert document.get("workflow", default) == workflow
        assert keeps("image_generation.request", document)

    names_it()


@pytest.mark.parametrize("name", schema("image_generation.request")["properties"])
def test_a_parameter_is_there_or_not(name: str) -> None:
    assert there_is(requests(), lambda document: name in document)
    assert name == "prompt" or there_is(requests(), lambda document: name not in document)


def test_a_request_has_an_unknown_parameter_now_and_then() -> None:
    known = schema("image_generation.request")["properties"].keys()
    assert there_is(requests(), lambda document: document.keys() - known)


def test_the_prompts_of_requests_can_be_chosen() -> None:
    assert find(requests(prompt=st.just("a cat")), lambda _: True) == {"prompt": "a cat"}


@MANY
@given(prompts())
def test_a_prompt_is_valid_by_itself(prompt: Any) -> None:
    assert keeps("image_generation.request", {"prompt": prompt})


@pytest.mark.parametrize(("kind", "expected"), [("text", str), ("graph", dict)])
def test_prompts_are_of_the_kind_that_was_asked_for(kind: Any, expected: type) -> None:
    @settings(MANY, max_examples=50)
    @given(prompts(kind))
    def is_of_it(prompt: Any) -> None:
        assert isinstance(prompt, expected)

    is_of_it()


@pytest.mark.parametrize(
    "part", ["\N{CAT}", "\u0642\u0637\u0629", '"', "\\", "\r\n", "\N{NULL}", "\N{RIGHT-TO-LEFT OVERRIDE}"]
)
def test_there_are_prompts_that_have_broken_clients(part: str) -> None:
    assert there_is(prompts("text"), lambda text: part in text)


def test_there_are_prompts_of_thousands_of_characters() -> None:
    assert there_is(prompts("text"), lambda text: len(text) > 2_000)


@MANY
@given(comfyui_workflows())
def test_a_graph_keeps_the_contract_on_the_wire(graph: Mapping[str, Any]) -> None:
    assert keeps("comfyui_workflow", graph)
    assert 1 <= len(graph) <= 30


def links(graph: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """For each link: the node that has it, the node and the output that it names."""
    values_of = [(node_id, value) for node_id, node in graph.items() for value in node["inputs"].values()]
    return [(node_id, *value) for node_id, value in values_of if isinstance(value, list)]


def kind_of(node: Mapping[str, Any]) -> str:
    return str(node["class_type"]).removesuffix(" (Custom)")


@MANY
@given(comfyui_workflows())
def test_a_link_takes_an_output_of_the_kind_that_its_input_wants(graph: Mapping[str, Any]) -> None:
    for node in graph.values():
        for name, wanted in classes()[kind_of(node)].links.items():
            source, output = node["inputs"][name]
            assert classes()[kind_of(graph[source])].outputs[output] == wanted


@settings(MANY, max_examples=100)
@given(comfyui_workflows(3, linked=True))
def test_a_linked_graph_has_a_link_and_no_more_nodes_than_allowed(graph: Mapping[str, Any]) -> None:
    assert links(graph)
    assert len(graph) <= 3


def test_graphs_are_large_now_and_then() -> None:
    assert there_is(comfyui_workflows(), lambda graph: len(graph) == 30)


def test_a_link_points_forwards_now_and_then() -> None:
    def looks_ahead(graph: Mapping[str, Any]) -> bool:
        order = list(graph)
        return any(order.index(user) < order.index(source) for user, source, _ in links(graph))

    assert there_is(comfyui_workflows(), looks_ahead)


def test_the_workflow_that_everyone_starts_with_is_among_the_graphs() -> None:
    assert there_is(comfyui_workflows(), lambda graph: tuple(map(kind_of, graph.values())) == TEXT_TO_IMAGE)


@pytest.mark.parametrize("source", [found.name for found in classes().values() if not found.links])
def test_what_links_to_nothing_can_be_taken_by_something_alone(source: str) -> None:
    given_ = set(classes()[source].outputs)
    assert any(found.links and set(found.links.values()) <= given_ for found in classes().values())


@MANY
@given(responses())
def test_an_answer_keeps_the_contract(answer: Any) -> None:
    assert keeps("image_generation.response", answer)


@pytest.mark.parametrize(
    ("variant", "name"),
    [(found.variant, f"image_generation.response.{found.variant}") for found in workflows().values()]
    + [("error", "error")],
)
def test_an_answer_is_of_the_variant_that_was_asked_for(variant: str, name: str) -> None:
    @settings(MANY, max_examples=50)
    @given(responses(variant))
    def is_of_it(answer: Any) -> None:
        assert keeps(name, answer)
        assert keeps("image_generation.response", answer)

    is_of_it()


@settings(MANY, max_examples=50)
@given(responses("rr3"))
def test_an_answer_says_where_to_poll_for_its_own_task(answer: Any) -> None:
    assert answer["data"]["check_status"].endswith(f"task_id={answer['data']['id']}")


@pytest.mark.parametrize("vocabulary", vocabularies())
@pytest.mark.parametrize("phase", Phase)
def test_a_status_keeps_the_contract_in_its_phase_and_words(phase: Phase, vocabulary: str) -> None:
    word = vocabularies()[vocabulary].words[phase]

    @settings(MANY, max_examples=30)
    @given(statuses(phase, vocabulary=vocabulary))
    def keeps_it(answer: Any) -> None:
        assert answer["data"]["status"] == word
        for name in ("task_status.response", f"task_status.response.{vocabulary}", f"task_status.response.{phase}"):
            assert keeps(name, answer)

    keeps_it()


def test_a_status_is_of_any_phase_where_none_is_asked_for() -> None:
    for word in vocabularies()["published"].words.values():
        assert there_is(statuses(), lambda answer, word=word: answer["data"]["status"] == word)


@MANY
@given(timelines())
def test_a_timeline_is_legal_and_ends(timeline: Timeline) -> None:
    assert list(timeline.illegal_moves()) == []
    assert timeline.steps[0].phase is Phase.QUEUED
    assert timeline.at(math.inf).is_final
    assert not any(step.phase in FINAL for step in timeline.steps[:-1])


@MANY
@given(timelines(endless=True))
def test_a_timeline_can_be_endless_and_is_legal_all_the_same(timeline: Timeline) -> None:
    assert list(timeline.illegal_moves()) == []
    assert timeline.length < math.inf
    assert timeline_form(timeline) == timeline_form(Timeline.read(timeline_form(timeline)))


@pytest.mark.parametrize("phase", Phase)
def test_an_endless_timeline_ends_in_any_phase(phase: Phase) -> None:
    assert there_is(timelines(endless=True), lambda timeline: timeline.steps[-1].phase is phase)


@pytest.mark.parametrize("end", sorted(FINAL))
def test_a_timeline_ends_as_was_asked_for(end: Phase) -> None:
    @settings(MANY, max_examples=100)
    @given(timelines(end, max_dwell=3, whole=True))
    def ends_so(timeline: Timeline) -> None:
        assert timeline.steps[-1].phase is end
        assert all(step.dwell in {0, 1, 2, 3} for step in timeline.steps[:-1])

    ends_so()


def test_timelines_are_instant_long_and_cut_short_now_and_then() -> None:
    assert there_is(timelines(), lambda timeline: timeline.length == 0)
    assert there_is(timelines(), lambda timeline: any(step.dwell == 60 for step in timeline.steps))
    assert there_is(timelines(), lambda timeline: Phase.RUNNING not in {step.phase for step in timeline.steps})
    assert there_is(timelines(), lambda timeline: [step.phase for step in timeline.steps].count(Phase.RUNNING) > 1)


@pytest.mark.parametrize(
    "stated",
    [
        {"type": "integer", "minimum": 3, "maximum": 3},
        {"type": "integer", "maximum": -7},
        {"type": "integer"},
        {"type": "integer", "minimum": 2.5, "maximum": 9.5, "default": 4},
        {"type": "number", "minimum": -0.5, "maximum": 0.5},
        {"type": "number"},
        {"type": ["string", "null"], "minLength": 2, "maxLength": 3},
        {"type": "string", "pattern": "^[a-z]+$"},
        {"type": "boolean"},
        {"const": 7},
        {"type": "object", "required": ["a"], "properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "null"}}},
    ],
)
def test_values_keep_limits_that_no_schema_of_ours_states(stated: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - costs a tenth of a second

    @settings(MANY, max_examples=100)
    @given(values(stated))
    def keep_them(value: Any) -> None:
        assert Draft202012Validator(stated).is_valid(value)

    keep_them()
