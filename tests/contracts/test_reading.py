"""How the dialects of requests read a body: what is taken beyond what is published, and where a finding is placed."""

from typing import Any, Final

import pytest

from safelight.contracts.dialects import REQUESTS
from safelight.contracts.reading import operation_of, read
from safelight.contracts.rules import rules
from safelight.contracts.validation import violations

GRAPH: Final = {"3": {"class_type": "KSampler", "inputs": {}}}

#: What is sent in the Linux DO edition -> the parameters.
NESTED: Final[list[tuple[dict[str, Any], dict[str, Any]]]] = [
    ({"prompt": "a", "settings": {"width": 64}}, {"prompt": "a", "width": 64}),
    ({"prompt": "a", "width": 64}, {"prompt": "a", "width": 64}),
    ({"settings": {"prompt": "a", "steps": 9}}, {"prompt": "a", "steps": 9}),
    ({"settings": {"prompt": "a"}, "prompt": {"prompt": "b"}}, {"prompt": "b"}),
    ({"settings": {"prompt": {"prompt": "a"}}}, {"prompt": "a"}),
    ({"settings": {"width": 64}, "width": 65, "prompt": "a"}, {"prompt": "a", "width": 65}),
    ({"prompt": {"prompt": GRAPH}}, {"prompt": GRAPH}),
    ({"prompt": GRAPH}, {"prompt": GRAPH}),
    ({"prompt": {"prompt": GRAPH["3"]}}, {"prompt": {"prompt": GRAPH["3"]}}),
    ({"prompt": "a", "token": "sk-1"}, {"prompt": "a"}),
    ({"prompt": "a", "settings": {}}, {"prompt": "a"}),
]


@pytest.mark.parametrize(("sent", "parameters"), NESTED, ids=[str(row[0])[:50] for row in NESTED])
def test_settings_and_a_nested_prompt_are_read(sent: dict[str, Any], parameters: dict[str, Any]) -> None:
    assert read("image_generation", sent, "linux-do").document == parameters
    assert read("image_generation", sent).document == sent


@pytest.mark.parametrize("document", [None, 7, "prompt", [], [{"prompt": "a"}]])
def test_what_is_no_object_stays_as_it_is(document: Any) -> None:
    assert read("image_generation", document, "linux-do").document == document


#: What is sent in the Linux DO edition -> the rule that it breaks, where, and how the sentence begins.
BROKEN: Final[list[tuple[dict[str, Any], str, str, str]]] = [
    ({"prompt": "a", "settings": {"width": 2049}}, "width.maximum", "/settings/width", "settings.width is 2049"),
    ({"prompt": "a", "width": 2049}, "width.maximum", "/width", "width is 2049"),
    ({"prompt": {"prompt": ""}}, "prompt.minLength", "/prompt/prompt", "prompt.prompt is empty"),
    ({"settings": {"prompt": ""}}, "prompt.minLength", "/settings/prompt", "settings.prompt is empty"),
    ({"settings": {"steps": 3}}, "prompt.required", "/prompt", "prompt is missing"),
    ({"prompt": "a", "settings": {"workflow": 3}}, "workflow.type", "/settings/workflow", "settings.workflow is 3"),
]


@pytest.mark.parametrize(("sent", "rule", "pointer", "begin"), BROKEN, ids=[row[1] for row in BROKEN])
def test_a_violation_is_placed_where_the_parameter_was_sent(
    sent: dict[str, Any], rule: str, pointer: str, begin: str
) -> None:
    [found], advised = read("image_generation", sent, "linux-do").findings()
    assert (found.rule, found.pointer, advised) == (f"image_generation.{rule}", pointer, [])
    assert found.message.startswith(begin)


@pytest.mark.parametrize("dialect", ["lenient", "linux-do"])
def test_an_unknown_workflow_is_taken_with_advice(dialect: str) -> None:
    broken, [one] = read("image_generation", {"prompt": "a", "workflow": "flux"}, dialect).findings()
    assert (broken, one.pointer, one.provenance) == ([], "/workflow", "assumed")
    assert one.message.startswith('workflow is "flux"; it must be default, anime')
    assert one.message.endswith(f"the dialect {dialect} takes it")


WORKFLOWS: Final[list[Any]] = ["wan-t2v", "flux-edit", "default", "flux", None, 3, []]


def test_the_workflows_of_the_linux_do_edition_name_their_operation() -> None:
    def meant(workflow: Any) -> str | None:
        return operation_of("generate", {"settings": {"workflow": workflow}})

    assert [meant(name) for name in WORKFLOWS] == [
        "video_generation",
        "image_editing",
        *5 * ["image_generation"],
    ]
    assert [operation_of(name, {}) for name in ("task_status", "user_balance", "image_editing", "history", "")] == [
        "task_status",
        None,
        None,
        None,
        None,
    ]


def test_a_video_of_its_text_workflow_needs_no_picture_and_an_edit_neither() -> None:
    video = read("video_generation", {"prompt": "a", "settings": {"workflow": "wan-t2v"}}, "linux-do")
    assert video.document == {"prompt": "a", "mode": "t2v"}
    assert video.findings() == ([], [])
    edit = read("image_editing", {"prompt": "a", "settings": {"workflow": "flux-edit"}}, "linux-do")
    broken, [one] = edit.findings()
    assert (broken, one.message) == ([], "image is missing; the dialect linux-do takes it")
    assert [found.rule for found in read("image_editing", {"prompt": "a"}).findings()[0]] == [
        "image_editing.image.required"
    ]


def test_a_rule_that_is_spared_exists_and_is_no_fact_of_the_original_document() -> None:
    spared = {one for dialect in REQUESTS.values() for one in dialect.spared}
    assert spared <= {one.id for one in rules()}
    assert {one.provenance for one in rules() if one.id in spared} == {"assumed", "published"}


@pytest.mark.parametrize("document", [{}, {"prompt": 7}, {"prompt": "a", "workflow": "x"}, {"prompt": "a"}])
def test_the_published_dialect_asks_every_rule(document: Any) -> None:
    assert read("image_generation", document).findings()[0] == violations("image_generation.request", document)
