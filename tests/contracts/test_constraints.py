"""What a ComfyUI workflow keeps beyond its schema: links lead somewhere, and nowhere round."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.contracts import problems
from safelight.contracts.validation import violations


def graph(**links: str | list[str]) -> dict[str, Any]:
    """Nodes by id, each with the nodes that it links to."""
    return {
        node: {"class_type": "Blend", "inputs": {f"image{place}": [target, 0] for place, target in enumerate(targets)}}
        for node, targets in links.items()
    }


def chain(length: int) -> dict[str, Any]:
    """Node 0 links to node 1, and so on; the last to none."""
    return graph(**{str(node): [str(node + 1)] if node + 1 < length else [] for node in range(length)})


def found(document: Any) -> list[tuple[str, str]]:
    return [(one.rule.removeprefix("comfyui_workflow."), one.pointer) for one in problems("comfyui_workflow", document)]


#: Graphs, and what is wrong with each.
GRAPHS: Final = {
    "one node": (graph(a=""), []),
    "a link": (graph(a="b", b=""), []),
    "the same link twice": (graph(a="bb", b=""), []),
    "a diamond": (graph(a="bc", b="d", c="d", d=""), []),
    "two parts": (graph(a="b", b="", c="d", d=""), []),
    "a dangling link": (graph(a="x"), [("links-exist", "/a/inputs/image0")]),
    "two dangling links": (
        graph(a="xy"),
        [("links-exist", "/a/inputs/image0"), ("links-exist", "/a/inputs/image1")],
    ),
    "a link to itself": (graph(a="a"), [("no-cycle", "/a")]),
    "two in a circle": (graph(a="b", b="a"), [("no-cycle", "/a")]),
    "a node that leads into a circle": (graph(a="b", b="c", c="b"), [("no-cycle", "/b")]),
    "a circle that leads out": (graph(b="ca", c="b", a=""), [("no-cycle", "/b")]),
    "two circles": (graph(a="b", b="a", c="d", d="c"), [("no-cycle", "/a")]),
    "a circle and a dangling link": (graph(a="ax"), [("links-exist", "/a/inputs/image1"), ("no-cycle", "/a")]),
    "a dangling link into nothing round": (graph(a="x", b="a"), [("links-exist", "/a/inputs/image0")]),
}


@pytest.mark.parametrize(("document", "expected"), GRAPHS.values(), ids=GRAPHS.keys())
def test_a_graph_is_judged(document: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found(document) == expected


def test_a_chain_of_5000_nodes_is_a_graph_like_any_other() -> None:
    assert found(chain(5_000)) == []


def test_a_circle_of_5000_nodes_is_found() -> None:
    nodes = chain(5_000)
    nodes["4999"]["inputs"]["image0"] = ["0", 0]
    assert found(nodes) == [("no-cycle", "/0")]


@pytest.mark.parametrize("length", [2, 50, 2_000])
def test_a_long_way_into_a_circle_is_walked_to_its_end(length: int) -> None:
    nodes = chain(length)
    nodes[str(length - 1)]["inputs"]["image0"] = [str(length - 1), 0]
    assert found(nodes) == [("no-cycle", f"/{length - 1}")]


@pytest.mark.parametrize(
    "value",
    [7, None, "a", {"a": ["x", 0]}, ["x"], ["x", 0, 0], [7, 0], ["x", None], [], [["x", 0]]],
    ids=repr,
)
def test_what_is_no_link_is_not_followed(value: Any) -> None:
    document = {"a": {"class_type": "Blend", "inputs": {"image": value}}}
    assert "links-exist" not in {rule for rule, _ in found(document)}


def test_an_output_index_may_be_written_with_a_point() -> None:
    document = {"a": {"class_type": "Blend", "inputs": {"image": ["x", 0.0]}}}
    assert found(document) == [("links-exist", "/a/inputs/image")]


def test_a_tuple_is_no_link_for_schema_and_constraints_alike() -> None:
    assert found({"a": {"class_type": "Blend", "inputs": {"image": ("x", -1, None)}}}) == []


def test_node_1_and_node_one_are_two_nodes() -> None:
    document = {1: graph(x="1")["x"], "1": graph(x="")["x"]}
    assert found(document) == [("propertyNames.type", "/1")]


def test_a_nameless_node_before_a_circle_is_no_obstacle() -> None:
    document = {1: graph(x="a")["x"], "a": graph(x="a")["x"]}
    assert found(document) == [("propertyNames.type", "/1"), ("no-cycle", "/a")]


def test_within_a_request_the_path_begins_at_the_prompt() -> None:
    [violation] = problems("image_generation.request", {"prompt": graph(a="x")})
    assert (violation.rule, violation.pointer) == ("comfyui_workflow.links-exist", "/prompt/a/inputs/image0")


@st.composite
def graphs(draw: st.DrawFn, *, only_backwards: bool) -> dict[str, Any]:
    """Graphs whose links lead to nodes that exist, and, if wanted, only to earlier ones."""
    size = draw(st.integers(1, 12))
    links = {}
    for node in range(size):
        targets = range(node) if only_backwards else range(size)
        links[str(node)] = draw(st.lists(st.sampled_from([str(one) for one in targets]), max_size=3)) if targets else []
    return graph(**{node: links[node] for node in draw(st.permutations(sorted(links)))})


@given(graphs(only_backwards=True))
def test_a_graph_without_a_cycle_is_never_said_to_have_one(document: dict[str, Any]) -> None:
    assert found(document) == []


@given(graphs(only_backwards=False))
def test_a_cycle_is_reported_once_where_there_is_one_and_names_a_node_on_it(document: dict[str, Any]) -> None:
    targets = {node: {link[0] for link in facts["inputs"].values()} for node, facts in document.items()}
    reach = {node: set(links) for node, links in targets.items()}
    for _ in document:
        reach = {node: links.union(*(reach[link] for link in links)) for node, links in reach.items()}
    on_cycle = {f"/{node}" for node, links in reach.items() if node in links}
    reported = found(document)
    assert len(reported) == bool(on_cycle)
    assert all(rule == "no-cycle" and pointer in on_cycle for rule, pointer in reported)


def test_no_more_violations_are_looked_for_than_are_wanted() -> None:
    document = graph(**{str(node): ["x"] for node in range(100)})
    assert violations("comfyui_workflow", document, max_violations=20) == problems("comfyui_workflow", document)[:20]
    assert len(problems("comfyui_workflow", document)) == 100
