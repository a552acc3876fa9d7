"""What stands in a sentence of what somebody wrote: one line, bounded, and right JSON where it is shown as such."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.contracts.wording import bounded, brief, echoed, shown

KEY = "sk-" + 16 * "7e1"


@given(st.text(max_size=9) | st.text(st.characters(categories=["Cn", "Cc", "Cf", "Cs", "Co"]), max_size=4))
def test_a_text_that_is_shown_is_that_text_in_json(text: str) -> None:
    assert shown(text).isprintable()
    assert json.loads(shown(text)) == json.loads(json.dumps(text))


def test_characters_beyond_four_digits_are_two_escapes() -> None:
    assert shown("\U000103ff\ud800") == r'"\ud800\udfff\ud800"'


@given(st.text(min_size=40, max_size=200))
def test_what_is_cut_ends_in_no_half_of_an_escape(text: str) -> None:
    written = shown(text)
    if written.endswith("…"):
        assert text.startswith(json.loads(written.removesuffix("…") + '"')[:20])


#: Their names, as pytest prints those of values.
LONG = {
    "letters": "x" * 10_000,
    "digits": "9" * 10_000,
    "list": ["a" * 10_000],
    "integer": 10**10_000,
    "negative": -(10**9_999),
    "object": {"a": "x" * 10_000},
}


@pytest.mark.parametrize("value", LONG.values(), ids=LONG)
def test_no_value_is_shown_at_full_length(value: object) -> None:
    assert len(shown(value)) < 100
    assert len(echoed(value)) < 100
    assert len(bounded(f"no such option: {value if isinstance(value, str) else ''}")) < 300


@pytest.mark.parametrize("word", [shown, echoed, brief, bounded])
@pytest.mark.parametrize("before", range(0, 70, 7))
def test_no_key_is_shown_wherever_it_is_cut(word: object, before: int) -> None:
    assert callable(word)
    assert "7e17e1" not in word("x " * before + KEY)
