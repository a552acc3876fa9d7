"""Keys in Base64 and in hexadecimal digits leave no text."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safelight.contracts.secrets import MARK, redacted, redacted_bytes, unquoted

if TYPE_CHECKING:
    from collections.abc import Callable

FORMED = "sk-" + "5afe" * 12
KNOWN = "my-secret-token-77"


@pytest.mark.parametrize("key", [FORMED, KNOWN])
@pytest.mark.parametrize("encode", [bytes.hex, lambda key: key.hex().upper(), lambda key: b64encode(key).decode()])
def test_an_encoded_key_is_redacted(key: str, encode: Callable[[bytes], str]) -> None:
    text = encode(key.encode())
    assert redacted(f"body 200 {text}", frozenset({KNOWN})).startswith(f"body 200 {MARK}")
    assert text.rstrip("=").encode() not in redacted_bytes(text.encode(), frozenset({KNOWN}))
    assert redacted("c2st 736b2d is no key", frozenset({KNOWN})) == "c2st 736b2d is no key"


@pytest.mark.parametrize("before", ["", " ", "-", "5", "a"])
@pytest.mark.parametrize("encode", [bytes.hex, lambda key: b64encode(key).decode()])
def test_an_encoded_key_is_one_where_it_begins_a_word(encode: Callable[[bytes], str], before: str) -> None:
    text = before + encode(FORMED.encode())
    begins = before in ("", " ") or (encode is bytes.hex and before == "-")
    assert (MARK in redacted(text)) is begins


@given(st.text(st.sampled_from("%%%%4cC3aA9eEfF80bB é")), st.integers(1, 3))
@example("%E2%82%AC", 5_000)
@example("a%C3%A9", 5_000)
@example("%F0%9F%92%A1", 5_000)
@example("%41", 5_000)
def test_a_text_is_unquoted_as_the_standard_library_does_it(text: str, times: int) -> None:
    assert unquoted(text * times) == unquote(text * times)
