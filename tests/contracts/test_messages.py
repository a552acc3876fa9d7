"""What a violation says, where it points, and in which order violations come."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.contracts import Phase, advice, examples, problems
from safelight.contracts.locations import pointer

LONG: Final = "x" * 1_000
LINKED: Final = {"class_type": "X", "inputs": {"x": ["b", 0]}}
WORKFLOWS: Final = "default, anime, z-image, rr3 or grok"

#: A request's parameters, prompt aside, and the one sentence about them.
SENTENCES: Final = [
    ({"width": 2049}, "width is 2049; the most is 2048"),
    ({"width": 512.5}, "width is 512.5, a number; it must be an integer"),
    ({"width": 2049.0}, "width is 2049.0; the most is 2048"),
    ({"width": "512"}, 'width is "512", a string; it must be an integer'),
    ({"width": True}, "width is true, a boolean; it must be an integer"),
    ({"width": None}, "width is null; it must be an integer"),
    ({"height": 0}, "height is 0; the least is 1"),
    ({"height": 10**999}, "height is an integer of about 999 digits; the most is 2048"),
    ({"height": 10**5000}, "height is an integer of at least 1,000 digits; the most is 2048"),
    ({"steps": [20]}, "steps is an array of 1 item; it must be an integer"),
    ({"steps": {"a": 1, "b": 2}}, "steps is an object of 2 members; it must be an integer"),
    ({"steps": []}, "steps is [], an array; it must be an integer"),
    ({"steps": (20,)}, "steps is a tuple, which JSON does not know; it must be an integer"),
    ({"seed": -2}, "seed is -2; the least is -1"),
    ({"seed": float("inf")}, "seed is inf, a number; it must be an integer"),
    ({"cfg": float("nan")}, "cfg is not a finite number"),
    ({"cfg": 1j}, "cfg is a complex, which JSON does not know; it must be a number"),
    ({"workflow": "zimage"}, f'workflow is "zimage"; it must be {WORKFLOWS}; did you mean z-image?'),
    ({"workflow": "flux"}, 'workflow is "flux"; it must be default, anime, z-image, rr3 or grok'),
    ({"workflow": 3}, "workflow is 3, an integer; it must be a string"),
    ({"workflow": LONG}, f'workflow is "{"x" * 59}…; it must be default, anime, z-image, rr3 or grok'),
    ({"prompt": ""}, "prompt is empty; the least is 1 character"),
    ({"prompt": 7}, "prompt is 7, an integer; it must be a string or an object"),
    ({"prompt": b"text"}, "prompt is a bytes, which JSON does not know; it must be a string or an object"),
    ({"prompt": {}}, "prompt is empty; the least is 1 member"),
    ({"prompt": {"a b": 1}}, 'prompt."a b" is 1, an integer; it must be an object'),
    ({"prompt": {"3": {"class_type": "X", "input": {}}}}, "prompt.3.inputs is missing; input was sent"),
    ({"prompt": {"a": LINKED}}, 'prompt.a.inputs.x links to node "b", which does not exist'),
    ({"prompt": {"b": LINKED}}, "prompt.b depends on itself through its links: the graph has a cycle"),
    ({"model": "\x1b[2J\u202e"}, None),
    ({"model": ["\x1b"]}, "model is an array of 1 item; it must be a string"),
]  # fmt: skip


def sentences(document: Any, schema_name: str = "image_generation.request") -> list[str]:
    return [violation.message for violation in problems(schema_name, document)]


@pytest.mark.parametrize(("parameters", "sentence"), SENTENCES, ids=[str(row[1])[:70] for row in SENTENCES])
def test_a_violation_is_a_sentence_to_act_on(parameters: dict[str, Any], sentence: str | None) -> None:
    assert sentences({"prompt": "a lamp", **parameters}) == ([sentence] if sentence else [])


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "prompt is missing"),
        ({"Prompt": "a lamp"}, "prompt is missing; Prompt was sent"),
        ({"promt\x1b[2J": 1}, "prompt is missing"),
        ({"prompt\x1b": 1}, r'prompt is missing; "prompt\u001b" was sent'),
        (["prompt"], "the document is an array of 1 item; it must be an object"),
        (None, "the document is null; it must be an object"),
        ("prompt", 'the document is "prompt", a string; it must be an object'),
    ],
)
def test_what_is_missing_is_told_from_what_was_sent(document: Any, sentence: str) -> None:
    assert sentences(document) == [sentence]


@pytest.mark.parametrize("example", examples(), ids=lambda one: f"{one.schema}/{one.name}")
def test_a_message_is_one_short_printable_line(example: Any) -> None:
    found = problems("image_generation.request" if example.schema == "json" else example.schema, example.text)
    for violation in found:
        assert violation.message.isprintable()
        assert len(violation.message) < 250


@given(st.text(), st.text())
def test_a_document_cannot_write_to_the_terminal_through_a_message(name: str, value: str) -> None:
    document = {name: value, "workflow": value, f"prompt{name}"[:9]: name, "cfg": value}
    said = [violation.message for violation in problems("image_generation.request", document)]
    said += [advice.message for advice in advice(document)]
    assert all(message.isprintable() for message in said)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), ""),
        (("prompt", "3", "inputs", 0), "/prompt/3/inputs/0"),
        (("a/b", "c~d", "~1", ""), "/a~1b/c~0d/~01/"),
        (("ü", " "), "/ü/ "),
    ],
)
def test_a_pointer_is_escaped_as_rfc_6901_says(path: tuple[object, ...], expected: str) -> None:
    assert pointer(path) == expected


@given(st.lists(st.text()))
def test_a_pointer_leads_back_to_its_path(path: list[str]) -> None:
    found = [part.replace("~1", "/").replace("~0", "~") for part in pointer(path).split("/")[1:]]
    assert found == path


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"prompt": "a", "width": 0}, "/width"),
        ({}, "/prompt"),
        ([], ""),
        ({"prompt": {"a/b": {"class_type": "X", "inputs": {"~": ["a/b"]}}}}, "/prompt/a~1b/inputs/~0"),
        ({"prompt": {"n": {"class_type": "X", "inputs": {"x": ["m", 0]}}}}, "/prompt/n/inputs/x"),
    ],
)
def test_a_violation_points_to_its_value_or_to_where_it_belongs(document: Any, where: str) -> None:
    assert [violation.pointer for violation in problems("image_generation.request", document)] == [where]


def test_violations_come_in_the_order_of_the_schema_whatever_that_of_the_document() -> None:
    document = {"cfg": -1, "steps": 51, "width": 0, "workflow": "x", "prompt": "", "height": "1"}
    expected = ["prompt.minLength", "width.minimum", "height.type", "steps.maximum", "workflow.enum", "cfg.minimum"]
    for members in (document, dict(reversed(document.items()))):
        found = [violation.rule for violation in problems("image_generation.request", members)]
        assert found == [f"image_generation.{rule}" for rule in expected]


def test_violations_of_nodes_come_in_the_order_of_the_document() -> None:
    found = problems("comfyui_workflow", {"b": 1, "a": 2, "c": 3})
    assert [violation.pointer for violation in found] == ["/b", "/a", "/c"]


def test_a_rule_that_two_schemas_share_is_reported_once() -> None:
    document = {"success": True, "data": None, "error": None}
    for name in ("image_generation.response", "task_status.response", "task_status.response.plain"):
        assert [violation.rule for violation in problems(name, document)] == ["envelope.data.type"]


def test_words_of_an_enumeration_are_words() -> None:
    data = {"id": "7", "provider": "rr3", "status": Phase.QUEUED, "check_status": "?endpoint=task_status&task_id=7"}
    assert sentences({"success": True, "data": data, "error": None}, "image_generation.response.rr3") == []


#: Answers to a submit that are wrong in one way, and the rule: it tells which variant was meant.
BRANCHES: Final = [
    ({"id": 1234567890}, "rr3.data.provider.required", "rr3.data.id.type"),
    ({"provider": "rr3", "id": 1234567890}, "rr3.data.id.type"),
    ({"provider": "rr3", "id": "grok_7"}, "rr3.data.id.pattern"),
    ({"id": "1234567890"}, "rr3.data.provider.required"),
    ({"provider": "RR3", "id": "1234567890"}, "rr3.data.provider.const"),
    ({"provider": "grok", "id": "1234567890"}, "grok.data.id.pattern"),
    ({"id": "grok_7f"}, "grok.data.provider.required"),
    ({"provider": "xai", "id": "grok_7f"}, "grok.data.provider.const"),
    ({"id": "a1b2c3d4"}, "comfyui.data.id.pattern"),
    ({"id": "a1b2c3d4-5e6f-7a8b-9c0d-1e2f3a4b5c6d\n"}, "comfyui.data.id.pattern"),
    ({"id": None}, "comfyui.data.id.type"),
    ({}, "comfyui.data.id.required"),
]


@pytest.mark.parametrize(("data", "broken"), [(row[0], row[1:]) for row in BRANCHES])
def test_the_message_is_about_the_variant_that_was_meant(data: dict[str, Any], broken: tuple[str, ...]) -> None:
    rest = {"status": "queued", "message": "queued", "check_status": "?endpoint=task_status&task_id=7"}
    found = problems("image_generation.response", {"success": True, "data": rest | data, "error": None})
    assert [violation.rule for violation in found] == [f"image_generation.response.{rule}" for rule in broken]


@pytest.mark.parametrize(
    ("document", "rules"),
    [
        ({"success": False, "data": None, "error": "no"}, ["error.error.type"]),
        ({"success": 0, "data": {}, "error": None}, ["envelope.success.const"]),
        ({"success": False}, ["error.data.required", "error.error.required"]),
        ([], ["envelope.type"]),
    ],
)
def test_success_chooses_between_an_answer_and_an_error(document: Any, rules: list[str]) -> None:
    for name in ("image_generation.response", "task_status.response"):
        found = [violation.rule for violation in problems(name, document)]
        assert [rule for rule in found if rule.startswith("e")] == rules


@pytest.mark.parametrize(
    ("status", "rules"),
    [
        ("running", ["running.data.progress.required"]),
        ("processing", ["running.data.progress.required"]),
        ("done", ["done.data.result.type"]),
        ("completed", ["done.data.result.type"]),
        ("failed", ["failed.data.error.required"]),
        ("Completed", ["published.data.status.enum"]),
        (3, ["published.data.status.type"]),
        ("pending", []),
        ("queued", []),
    ],
)
def test_the_status_word_chooses_the_phase(status: object, rules: list[str]) -> None:
    data = {"id": "7", "status": status, "created_at": None, "result": None}
    found = problems("task_status.response", {"success": True, "data": data, "error": None})
    assert [violation.rule for violation in found] == [f"task_status.response.{rule}" for rule in rules]
