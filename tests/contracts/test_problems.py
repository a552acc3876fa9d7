"""`problems` and `advice` answer for any Python value; nothing but `UnknownSchema` is ever raised."""

import os
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.contracts import UnknownSchema, advice, examples, names, problems
from safelight.contracts.validation import violations

NAMES: Final = sorted({"prompt", "workflow", "width", "cfg", "success", "data", "error", "id", "status", "result", "x"})

SCALARS: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.builds(pow, st.sampled_from([10, -10]), st.sampled_from([25, 401, 5_001])),
    st.floats(),
    st.complex_numbers(),
    st.decimals(),
    st.text(),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Lu"])),
    st.binary(),
    st.builds(object),
    st.sampled_from(["rr3", "queued", "completed", "grok_1", "123", range(3), ..., int]),
)
KEYS: Final[st.SearchStrategy[Any]] = st.one_of(
    st.sampled_from(NAMES),
    st.none(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.builds(object),
    st.just(10).map(lambda base: base**5_001),
)
VALUES: Final[st.SearchStrategy[Any]] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.dictionaries(KEYS, inner),
        st.lists(inner).map(tuple),
        st.sets(st.integers()),
        st.fixed_dictionaries({"class_type": inner, "inputs": st.dictionaries(KEYS, inner)}),
        st.fixed_dictionaries({"success": inner, "data": inner, "error": inner}),
    ),
    max_leaves=12,
)


def nested(depth: int, *, mapping: bool) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = {"prompt": value} if mapping else [value]
    return value


def cyclic() -> list[Any]:
    value: list[Any] = [1]
    value.append(value)
    return value


#: Values that nobody sends as JSON, and that have broken validators.
ODD: Final = {
    "a list 10,000 deep": nested(10_000, mapping=False),
    "an object 10,000 deep": nested(10_000, mapping=True),
    "a list in itself": cyclic(),
    "a huge integer": 10**20_000,
    "a Decimal": Decimal("NaN"),
    "a Fraction": Fraction(1, 3),
    "a generator": iter(()),
    "names that are no strings": {1: 2, None: 3, (1, 2): 4, 10**5_000: 5, frozenset(): 6, b"prompt": 7, False: 8},
    "half a pair": {"\ud800": "\ud800"},
}

#: Where in a request a value may stand.
PLACES: Final = ["prompt", "negative_prompt", "width", "workflow", "seed", "cfg", "model", "unknown"]


@given(st.sampled_from(names()), VALUES)
def test_no_value_raises(schema_name: str, value: Any) -> None:
    for found in problems(schema_name, value):
        assert found.message.isprintable()


@given(VALUES)
def test_no_value_raises_within_a_request(value: Any) -> None:
    for place in PLACES:
        document = {"prompt": "a lamp", place: value}
        assert all(found.pointer.startswith(f"/{place}") for found in problems("image_generation.request", document))
        assert all(advice.message.isprintable() for advice in advice(document))


@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_no_graph_raises(graph: Any) -> None:
    assert all(found.rule.startswith("comfyui_workflow.") for found in problems("comfyui_workflow", graph))


@given(VALUES)
def test_advice_never_raises(value: Any) -> None:
    assert advice(value) == advice(value)


@pytest.mark.parametrize("value", ODD.values(), ids=ODD.keys())
def test_odd_values_are_violations_and_no_more(value: Any) -> None:
    for schema_name in names():
        assert len(problems(schema_name, value)) < 20
    for place in ("width", "seed", "cfg", "workflow", "model", "negative_prompt"):
        found = problems("image_generation.request", {"prompt": "a lamp", place: value})
        assert {violation.pointer for violation in found} <= {f"/{place}"}
        assert advice({"prompt": "a lamp", "cfg": 1, "workflow": value, place: value}) is not None


@pytest.mark.parametrize("place", ["width", "seed", "cfg", "workflow", "model", "negative_prompt"])
@pytest.mark.parametrize("value", [nested(10_000, mapping=False), cyclic(), iter(()), Decimal(7), {1}, b"7", (7,)])
def test_what_json_does_not_know_is_no_parameter(place: str, value: Any) -> None:
    found = problems("image_generation.request", {"prompt": "a lamp", place: value})
    assert [violation.rule for violation in found] == [f"image_generation.{place}.type"]


@pytest.mark.parametrize("document", [b"{}", {}, b"", None])
def test_an_unknown_schema_is_an_error_whatever_the_document(document: Any) -> None:
    with pytest.raises(UnknownSchema):
        problems("image_generation.requests", document)


@pytest.mark.parametrize("name", names())
def test_the_answer_is_the_same_each_time(name: str) -> None:
    for example in examples(name):
        assert problems(name, example.document) == problems(name, example.document) == problems(name, example.text)


def test_the_order_is_the_same_in_each_process() -> None:
    document = {name: {"inputs": {"x": [name, 0], "y": ["none", 0]}} for name in "hgfedcba"}
    ask = f"from safelight.contracts import problems; print(problems('comfyui_workflow', {document!r}))"
    answers = {
        subprocess.check_output([sys.executable, "-c", ask], env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_the_number_of_violations_looked_for_can_be_bounded() -> None:
    graph = {str(number): None for number in range(100)}
    assert len(violations("comfyui_workflow", graph)) == 100
    assert violations("comfyui_workflow", graph, max_violations=3) == violations("comfyui_workflow", graph)[:3]
