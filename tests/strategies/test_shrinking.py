"""Examples shrink to what a person would write by hand: the minimal ones for planted bugs."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st

from safelight.contracts import Phase, Timeline, schema
from safelight.strategies import (
    broken_requests,
    comfyui_workflows,
    fault_plans,
    requests,
    responses,
    statuses,
    timelines,
)
from safelight.strategies.values import values

PATIENT = settings(max_examples=5_000, database=None, deadline=None, suppress_health_check=list(HealthCheck))

Document = Mapping[str, Any]


#: What a search draws hangs on its seed, and on the constants that Hypothesis finds in our source; now and then one
#: ends where no small step leads further down. One of so many searches has to end on the example.
SEARCHES = 8


def minimal(strategy: st.SearchStrategy[Any], is_hit: Callable[[Any], bool], seed: int) -> Any:
    return find(strategy, is_hit, settings=PATIENT, random=Random(seed))


def shrinks_to(example: Any, strategy: st.SearchStrategy[Any], is_hit: Callable[[Any], bool]) -> bool:
    """The example, its members in this order, is where a search ends."""
    return any(repr(minimal(strategy, is_hit, seed)) == repr(example) for seed in range(SEARCHES))


def breaks_above_1024(request: Document) -> bool:
    """A client that halves large pictures, and forgets those of odd width."""
    return bool(request.get("width", 0) > 1024)


def drops_an_empty_negative_prompt(request: Document) -> bool:
    """A client that leaves out what is falsy."""
    sent = {name: value for name, value in request.items() if name != "negative_prompt" or value}
    return sent != request


def escapes_no_quotes(request: Document) -> bool:
    """A client that pastes the prompt into JSON by hand."""
    return '"' in str(request["prompt"])


def rounds_seeds(request: Document) -> bool:
    """A client that keeps numbers as doubles."""
    return bool(int(float(request.get("seed", 0))) != request.get("seed", 0))


REQUESTS: list[tuple[Callable[[Document], bool], Document]] = [
    (breaks_above_1024, {"prompt": "a", "width": 1025}),
    (drops_an_empty_negative_prompt, {"prompt": "a", "negative_prompt": ""}),
    (escapes_no_quotes, {"prompt": '"'}),
    (rounds_seeds, {"prompt": "a", "seed": 2**53 + 1}),
]


@pytest.mark.parametrize(("bug", "example"), REQUESTS)
def test_a_bug_in_requests_is_shown_by_what_a_person_would_write(
    bug: Callable[[Document], bool], example: Document
) -> None:
    assert shrinks_to(example, requests(), bug)


@pytest.mark.parametrize("seed", range(6))
def test_a_bound_that_finds_a_bug_shrinks_to_where_the_bug_begins(seed: int) -> None:
    assert (
        minimal(values(schema("image_generation.request")["properties"]["width"]), lambda width: width > 1024, seed)
        == 1025
    )


LOAD = {"class_type": "LoadImage", "inputs": {"image": "a.png"}}


def sorts_by_id(graph: Document) -> bool:
    """A client that takes the order of ids for the order of nodes."""
    ids = [int(node_id) for node_id in graph if node_id.isdecimal()]
    return ids != sorted(ids)


def draws_two_nodes(graph: Document) -> bool:
    """A client with room for two nodes."""
    return len(graph) > 2


@pytest.mark.parametrize(
    ("bug", "example"),
    [(sorts_by_id, {"2": LOAD, "1": LOAD}), (draws_two_nodes, {"1": LOAD, "2": LOAD, "3": LOAD})],
)
def test_a_bug_in_graphs_is_shown_by_the_smallest_graph(bug: Callable[[Document], bool], example: Document) -> None:
    assert shrinks_to(example, comfyui_workflows(), bug)


@pytest.mark.parametrize(
    ("rule", "example"),
    [
        ("image_generation.width.maximum", {"prompt": "a", "width": 2049}),
        ("image_generation.width.type", {"prompt": "a", "width": None}),
        ("image_generation.prompt.required", {}),
        ("comfyui_workflow.node.inputs.required", {"prompt": {"1": {"class_type": "LoadImage"}}}),
        ("comfyui_workflow.no-cycle", {"prompt": {"1": {"class_type": "LoadImage", "inputs": {"image": ["1", 0]}}}}),
        (
            "comfyui_workflow.link.output.minimum",
            {
                "prompt": {
                    "1": LOAD,
                    "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "a", "images": ["1", -1]}},
                }
            },
        ),
    ],
)
def test_a_server_that_does_not_check_a_rule_is_shown_by_the_plainest_broken_request(rule: str, example: Any) -> None:
    documents = broken_requests(rule).map(lambda broken: broken.document)
    assert shrinks_to(example, documents, lambda _: True)


def test_answers_and_timelines_shrink_to_plain_ones() -> None:
    ids = responses("rr3").map(lambda answer: answer["data"]["id"])
    assert shrinks_to("0", ids, lambda _: True)
    errors = responses("error").map(lambda answer: answer["error"])
    assert shrinks_to({"message": "Insufficient balance"}, errors, lambda _: True)
    results = statuses(Phase.DONE).map(lambda answer: answer["data"]["result"])
    assert shrinks_to({"image_url": "http://localhost/1.png"}, results, lambda _: True)
    found = timelines(Phase.DONE, whole=True)
    assert shrinks_to(Timeline.of(queued=6), found, lambda timeline: timeline.wait > 5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fault", ["http 502", "garbled", "hang inf"])
def test_a_plan_shrinks_to_the_one_rule_that_matters(fault: str, seed: int) -> None:
    plan = minimal(fault_plans(), lambda rules: any(str(rule).endswith(fault) for rule in rules), seed)
    assert list(map(str, plan)) == [f"submit#1: {fault}"]


def test_a_plan_that_has_to_strike_the_second_poll_shrinks_to_that() -> None:
    plan = minimal(fault_plans(), lambda rules: any(rule.kind == "poll" and rule.last == 2 for rule in rules), 0)
    assert list(map(str, plan)) == ["poll#2: http 502 before"]
