"""A key is found wherever it stands, and nowhere else, whatever a request holds."""

import gzip
import json
import zlib
from base64 import b32encode, b64encode, encodebytes
from typing import Final
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.traffic.leaks import ELSEWHERE, IN_BODY, IN_QUERY, _in_headers, leaks

KEY: Final = "sk-" + 24 * "d7"
BYTES: Final = KEY.encode()

#: What a body is -> how the key stands in it.
BODIES: Final = [
    (BYTES, "the body"),
    (b"key=" + quote(KEY).encode(), "the body"),
    (json.dumps({"api_key": KEY}).encode(), IN_BODY),
    (json.dumps({"auth": {"api_key": KEY}}).encode(), "the body"),
    (json.dumps([KEY]).replace("d7", "\\u00647").encode(), "the body"),
    (KEY.replace("d", "&#100;").encode(), "the body"),
    (KEY.encode("utf-16"), "the body (in UTF-16)"),
    (b"{" + b64encode(BYTES) + b"}", "the body (in Base64)"),
    (encodebytes(b"a mail with a long line before the key" + BYTES), "the body (in Base64)"),
    (b32encode(b"a" + BYTES), "the body (in Base32)"),
    (BYTES[:20] + b"=\r\n" + BYTES[20:], "the body"),
    (gzip.compress(BYTES, mtime=0), "the body"),
    (zlib.compress(BYTES), "the body"),
    (bytes(200_000) + b64encode(BYTES), "the body (in Base64)"),
]


@pytest.mark.parametrize(("body", "place"), BODIES)
def test_a_key_is_found_in_a_body(body: bytes, place: str) -> None:
    assert leaks("/v1/index.php", {"x-api-key": KEY}, body, [KEY]) == (place,)


def test_a_key_that_stands_there_twice_is_in_both_places() -> None:
    body = json.dumps({"api_key": KEY, "auth": {"api_key": KEY}}).encode()
    assert leaks(f"/?api_key={KEY}&x={KEY}", {}, body, [KEY]) == (IN_QUERY, "the query", IN_BODY, "the body")


@pytest.mark.parametrize("key", ["k", "own"])
def test_a_short_key_is_looked_for_in_its_headers_alone(key: str) -> None:
    assert leaks("/?k=own", {"cookie": "k=own"}, b"own", [key]) == ()
    assert leaks("/elsewhere/", {"x-api-key": key}, b"", [key]) == (ELSEWHERE,)


@given(
    st.text(max_size=60),
    st.dictionaries(st.text(max_size=9), st.text(max_size=60), max_size=3),
    st.binary(max_size=200),
)
def test_where_no_key_is_none_is_found(target: str, headers: dict[str, str], body: bytes) -> None:
    assert leaks(target, headers, body, [KEY, "", "x"]) == ()


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_key_is_found_in_the_middle_of_anything(before: str, after: str) -> None:
    text = b64encode(f"{before}{KEY}{after}".encode("utf-8", "replace"))
    assert leaks("/", {}, b'{"x": "' + text + b'"}', [KEY]) == ("the body (in Base64)",)


@given(st.text(max_size=20), st.text(max_size=20), st.integers(0, 600))
def test_a_key_is_found_in_a_short_text_as_in_a_long_one(before: str, after: str, padding: int) -> None:
    target = f"/?x={' ' * padding}{before.replace('&', '')}{KEY.encode().hex()}{after}"
    assert leaks(target, {}, b"", [KEY]) == ("the query (in hexadecimal digits)",)


def test_the_headers_of_a_client_are_looked_at_once_however_many_tasks_it_polls() -> None:
    _in_headers.cache_clear()
    for number in range(50):
        assert leaks(f"/?endpoint=task_status&task_id={number}", {"x-api-key": KEY, "accept": "*/*"}, b"", [KEY]) == ()
    assert _in_headers.cache_info().misses == 1
