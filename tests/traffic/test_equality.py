"""Two JSON values are equal as JSON Schema has it."""

import json
from typing import Any, Final
from unittest.mock import ANY

from hypothesis import given
from hypothesis import strategies as st

from safelight.traffic.expectations.equality import same

_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 0.5]) | st.sampled_from(["", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)


def canonical(value: Any) -> str:
    """A value as text that is the same for the same value alone: 1.0 is 1."""
    return json.dumps(
        json.loads(json.dumps(value), parse_float=lambda text: float(text) if float(text) % 1 else int(float(text))),
        sort_keys=True,
    )


@given(_JSON, _JSON)
def test_two_json_values_are_equal_where_they_read_the_same(one: Any, other: Any) -> None:
    assert same(one, json.loads(json.dumps(one)))
    assert same(one, other) is same(other, one) is (canonical(one) == canonical(other))


def test_what_is_wanted_may_know_what_it_equals() -> None:
    assert same({"a": [ANY, 1]}, {"a": [True, 1.0]})
    assert not same({"a": [ANY, 1]}, {"a": [True, True]})
