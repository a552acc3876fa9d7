"""Keys in Base64 and in hexadecimal digits leave no text."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from safelight.contracts.secrets import MARK, redacted, redacted_bytes

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
