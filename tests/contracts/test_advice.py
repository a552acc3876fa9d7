"""What is legal and has no effect."""

from typing import Any, Final

import pytest

from safelight.contracts import Provenance, advice, examples, problems

#: Parameters beside the prompt, and what is said about them.
TABLE: Final[list[tuple[dict[Any, Any], list[str]]]] = [
    ({}, []),
    ({"cfg": 7, "workflow": "rr3"}, []),
    ({"cfg": 7, "workflow": "anime"}, []),
    ({"cfg": 7, "workflow": "z-image"}, ["cfg has no effect with the workflow z-image: only with rr3 or anime"]),
    ({"cfg": 7}, ["cfg has no effect with the workflow default: only with rr3 or anime"]),
    ({"model": "m"}, []),
    ({"model": "m", "workflow": "rr3"}, ["model has no effect with the workflow rr3: only with default or anime"]),
    ({"steps": 5, "workflow": "grok"}, []),
    (
        {"steps": 5, "workflow": "z-image"},
        ["steps has no effect with the workflow z-image: only with default, anime, rr3 or grok"],
    ),
    ({"cfg": 7, "workflow": "flux"}, []),
    ({"cfg": 7, "workflow": None}, []),
    ({"cfg": 7, "workflow": ["rr3"]}, []),
    ({"endpoint": "image_generation", "api_key": "sk-0"}, []),
    ({"batch": 4}, ["batch is no parameter and is ignored"]),
    ({"negativePrompt": "x"}, ["negativePrompt is no parameter and is ignored; did you mean negative_prompt?"]),
    ({"Width": 1, "hight": 2}, [
        "Width is no parameter and is ignored; did you mean width?",
        "hight is no parameter and is ignored; did you mean height?",
    ]),
    ({"\x1b[2J": 1}, [r'"\u001b[2J" is no parameter and is ignored']),
    ({7: 1}, ["7 is no parameter and is ignored"]),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "messages"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_what_has_no_effect_is_advised_against(parameters: dict[Any, Any], messages: list[str]) -> None:
    assert [advice.message for advice in advice({"prompt": "a lamp", **parameters})] == messages


@pytest.mark.parametrize("document", [None, [], "prompt", 7, b"{}"])
def test_there_is_no_advice_on_what_is_no_object(document: Any) -> None:
    assert advice(document) == []


def test_advice_comes_in_the_order_of_the_request_and_can_be_bounded() -> None:
    document = {"z": 1, "prompt": "a", "cfg": 1, "a": 2}
    assert [advice.pointer for advice in advice(document)] == ["/z", "/cfg", "/a"]
    assert advice(document, max_advice=2) == advice(document)[:2]


def test_advice_has_a_provenance() -> None:
    document = {"prompt": "a", "cfg": 1, "steps": 1, "x": 1, "workflow": "z-image"}
    assert [advice.provenance for advice in advice(document)] == [
        Provenance.SEED,
        Provenance.PUBLISHED,
        Provenance.ASSUMED,
    ]


def test_other_requests_have_unknown_parameters_too() -> None:
    document = {"endpoint": "task_status", "taskid": "7"}
    [one] = advice(document, "task_status.request")
    assert one.message == "taskid is no parameter and is ignored; did you mean task_id?"


def test_what_is_advised_against_is_legal() -> None:
    found = [one for one in examples("image_generation.request") if one.rule is None and advice(one.document)]
    assert {one.name for one in found} >= {"without-effect", "unknown-parameter"}
    assert all(problems("image_generation.request", one.document) == [] for one in found)


def test_there_is_no_advice_on_the_original_example() -> None:
    [seed] = [one for one in examples("image_generation.request") if one.name == "seed"]
    assert advice(seed.document) == []


def test_what_has_no_effect_with_a_mode_is_advised_against() -> None:
    document = {"prompt": "a lamp", "image": "https://example.com/a.png", "width": 640, "workflow": "default"}
    assert [(advice.message, advice.provenance) for advice in advice(document, "video_generation.request")] == [
        ("width has no effect with the mode i2v: only with t2v", "published"),
        ("workflow is no parameter and is ignored", "assumed"),
    ]
    assert advice({"prompt": "a lamp", "width": 640, "mode": "t2v"}, "video_generation.request") == []
