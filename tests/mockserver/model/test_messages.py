"""A query is read alike whether it is plain or not."""

from typing import Final
from urllib.parse import parse_qsl

from hypothesis import example, given
from hypothesis import strategies as st

from safelight.mockserver.model.messages import parameters

PARTS: Final = st.sampled_from(
    ["endpoint", "task_id", "a", "=", "&", "==", "&&", "%41", "+", ";", "~", ".", "é", "\n", ""]
)


@given(st.lists(PARTS, max_size=9).map("".join) | st.text())
@example("endpoint=task_status&task_id=4f9d-1")
@example("a=1&a=2")
@example("a=&b")
def test_the_parameters_of_a_query_are_those_that_python_reads(query: str) -> None:
    assert parameters(query) == dict(parse_qsl(query, keep_blank_values=True))
