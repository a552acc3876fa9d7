"""What the strategies answer to a mistake in asking: at once, and in a sentence."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from safelight.contracts import Phase
from safelight.strategies import (
    UnknownRule,
    UnreachableRule,
    broken_requests,
    comfyui_workflows,
    fault_plans,
    prompts,
    requests,
    responses,
    statuses,
    timelines,
)

CFG: Final = "image_generation.cfg.finite"
UNREACHABLE: Final = "no JSON document breaks comfyui_workflow"

SENTENCES: Final[list[tuple[Callable[[], Any], str]]] = [
    (lambda: requests("animee"), "no workflow is called 'animee'; did you mean anime?"),
    (lambda: requests("x"), "no workflow is called 'x'; there are default, anime, z-image, rr3 and grok"),
    (lambda: prompts("grpah"), "no kind of prompt is called 'grpah'; there are text and graph"),  # type: ignore[arg-type]
    (lambda: responses("comfy"), "no variant is called 'comfy'; did you mean comfyui?"),
    (lambda: statuses("dnoe"), "no phase is called 'dnoe'; did you mean done?"),
    (lambda: statuses("completed"), "no phase is called 'completed', which is a status word; did you mean done?"),
    (lambda: statuses(vocabulary="x"), "no vocabulary is called 'x'; there are plain and published"),
    (lambda: timelines(Phase.RUNNING), "a timeline does not end running; it ends done or failed"),
    (lambda: timelines(max_dwell=-1), "max_dwell is -1; it must be 0 or more, and finite"),
    (lambda: comfyui_workflows(0), "max_nodes is 0; a workflow has at least 1"),
    (lambda: comfyui_workflows(1, linked=True), "max_nodes is 1; a linked workflow has at least 2"),
    (lambda: fault_plans(kinds=["pole"]), "no request is called 'pole'; did you mean poll?"),
    (lambda: fault_plans(without=["htp"]), "no fault is called 'htp'; did you mean http?"),
    (lambda: broken_requests(workflow="animee"), "no workflow is called 'animee'; did you mean anime?"),
    (lambda: broken_requests(CFG, without=CFG), "no rule is left to break: `without` names every one"),
    (
        lambda: broken_requests(operation="image_edit"),
        "no operation is called 'image_edit'; did you mean image_editing?",
    ),
    (
        lambda: broken_requests(operation="image_editing", workflow="rr3"),
        "image_editing has no workflows: leave it out",
    ),
    (
        lambda: broken_requests("image_editing.image.pattern", operation="video_generation"),
        "image_editing.image.pattern is no rule of video_generation",
    ),
]

UNKNOWN: Final[list[tuple[Callable[[], Any], str]]] = [
    (lambda: broken_requests(f"{CFG}x"), f"no rule of a request is called '{CFG}x'; did you mean {CFG}?"),
    (
        lambda: broken_requests(without=["x"]),
        "no rule of a request is called 'x'; reachable_rules() lists those there are",
    ),
]


@pytest.mark.parametrize(("ask", "sentence"), SENTENCES, ids=[row[1][:50] for row in SENTENCES])
def test_a_wrong_argument_is_a_value_error(ask: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        ask()
    assert str(error.value) == sentence


@pytest.mark.parametrize(("ask", "sentence"), UNKNOWN, ids=["as a rule", "without"])
def test_an_unknown_rule_has_an_error_of_its_own(ask: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(UnknownRule) as error:
        ask()
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("comfyui_workflow.type", f"{UNREACHABLE}.type: the rule is asked only of values that keep it"),
        (
            "comfyui_workflow.propertyNames.type",
            f"{UNREACHABLE}.propertyNames.type: the name of a member is always a string in JSON",
        ),
    ],
)
def test_a_rule_out_of_reach_has_an_error_of_its_own(rule: str, sentence: str) -> None:
    with pytest.raises(UnreachableRule) as error:
        broken_requests(rule)
    assert str(error.value) == sentence
