"""From bytes to a document: each rule of the text, and nothing raises."""

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.contracts import examples, parse, problems

#: Text, the rules that it breaks, and how the first sentence goes.
TEXTS: Final[list[tuple[bytes, list[str], str]]] = [
    (b"", ["empty"], "the document is empty; a JSON object is expected"),
    (b" \r\n\t", ["empty"], "the document is empty"),
    (b"\xef\xbb\xbf", ["bom", "empty"], "the document starts with a byte order mark"),
    (b"\xef\xbb\xbf{}", ["bom"], "the document starts with a byte order mark; JSON on the wire has none"),
    ('{"a": 1}'.encode("utf-16"), ["encoding"], "the document is UTF-16"),
    ('{"a": 1}'.encode("utf-16-be"), ["encoding"], "the document is UTF-16-BE"),
    ('{"a": 1}'.encode("utf-32"), ["encoding"], "the document is UTF-32"),
    ('{"ä": 1}'.encode("latin-1"), ["encoding"], "the document is not UTF-8: byte 2 (0xe4) starts no character"),
    (b'"\xed\xa0\x80"', ["encoding"], "the document is not UTF-8"),
    (b"{", ["syntax"], "the document is not JSON: expecting property name enclosed in double quotes at line 1"),
    (b'{"a": \n "b', ["syntax"], "the document is not JSON: unterminated string starting at line 2, column 2"),
    (b'{"a": "\x1b"}', ["syntax"], "the document is not JSON: invalid control character at line 1, column 8"),
    (b"prompt=a+lamp", ["syntax"], "the document is not JSON: expecting value at line 1, column 1"),
    (b"{'a': 1}", ["syntax"], "the document is not JSON"),
    (b"[1, 2,]", ["syntax"], "the document is not JSON"),
    (b"{} {}", ["syntax"], "the document is not JSON: extra data at line 1, column 4"),
    (b"\x00", ["syntax"], "the document is not JSON"),
    (b"[NaN]", ["constant"], "NaN is not JSON; a number must be finite"),
    (b"[Infinity, -Infinity, Infinity]", ["constant", "constant"], "Infinity is not JSON"),
    (b"[" + b"1" * 1_001 + b"]", ["digits"], "an integer has 1,001 digits; the most is 1,000"),
    (b"-" + b"1" * 5_000, ["digits"], "an integer has 5,000 digits; the most is 1,000"),
    (b"[" * 101 + b"]" * 101, ["depth"], "arrays and objects are nested too deep; the most is 100"),
    (b'{"a":' * 101 + b"1" + b"}" * 101, ["depth"], "arrays and objects are nested too deep; the most is 100"),
    (b"[" * 10_000 + b"]" * 10_000, ["depth"], "arrays and objects are nested too deep; the most is 100"),
    (b"[" * 1_000_000, ["depth"], "arrays and objects are nested too deep; the most is 100"),
    (b'{"a": 1, "a": 2, "a": 3}', ["duplicate-key"], 'the member "a" stands twice in one object'),
    (b'{"\\u001b": 1, "\\u001b": 2}', ["duplicate-key"], r'the member "\u001b" stands twice in one object'),
    (b'{"a": 1, "a": 2, "b": 3, "b": 4}', ["duplicate-key", "duplicate-key"], 'the member "a" stands twice'),
    (b'["\\ud800"]', ["surrogate"], r'"\ud800" holds half of a surrogate pair, which is no character'),
    (b'{"\\udfff": 1}', ["surrogate"], r'"\udfff" holds half of a surrogate pair'),
    (b'["\\ude00\\ud83d"]', ["surrogate"], r'"\ude00\ud83d" holds half'),
    (b'{"a": NaN, "a": "\\ud800"}', ["constant", "duplicate-key", "surrogate"], "NaN is not JSON"),
]  # fmt: skip

#: Text that is unusual, and right.
RIGHT: Final[list[tuple[bytes, Any]]] = [
    (b"0", 0),
    (b"-0", 0),
    (b" null\n", None),
    (b'"\\ud83d\\ude00"', "😀"),
    ('"😀"'.encode(), "😀"),
    (b'"\\\\ud800"', r"\ud800"),
    (b'{"a": {"x": 1}, "b": {"x": 2}}', {"a": {"x": 1}, "b": {"x": 2}}),
    (b"1e400", float("inf")),
    (b"-" + b"1" * 1_000, -int("1" * 1_000)),
    (b'"' + b"[{" * 500 + b'"', "[{" * 500),
    (b"[" + b"[]," * 500 + b"[]]", [[]] * 501),
    (b'"\xef\xbb\xbf"', "\ufeff"),
]

DEEPEST: Final = b"[" * 100 + b"]" * 100

JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


def names_of(body: bytes) -> list[str]:
    return [violation.rule.removeprefix("json.") for violation in parse(body).violations]


@pytest.mark.parametrize(("body", "broken", "sentence"), TEXTS, ids=[repr(row[0])[:40] for row in TEXTS])
def test_a_broken_text_says_what_is_wrong(body: bytes, broken: list[str], sentence: str) -> None:
    assert names_of(body) == broken
    assert parse(body).violations[0].message.startswith(sentence)


@pytest.mark.parametrize(("body", "document"), RIGHT, ids=[repr(row[0])[:40] for row in RIGHT])
def test_an_unusual_text_is_read(body: bytes, document: Any) -> None:
    assert parse(body).violations == []
    assert parse(body).document == document


def test_a_hundred_deep_is_not_too_deep_a_hundred_and_one_is() -> None:
    assert names_of(DEEPEST) == []
    assert names_of(b"[" + DEEPEST + b"]") == ["depth"]
    assert names_of(b"[" + DEEPEST.replace(b"[]", b"[0]") + b"]") == ["depth"]


@pytest.mark.parametrize("rule", ["empty", "encoding", "syntax", "depth"])
def test_some_texts_leave_no_document(rule: str) -> None:
    [example] = [one for one in examples("json") if one.rule == f"json.{rule}"]
    assert not parse(example.text).is_complete
    found = problems("image_generation.request", example.text)
    assert [violation.rule for violation in found] == [f"json.{rule}"]


@pytest.mark.parametrize("rule", ["bom", "constant", "digits", "duplicate-key", "surrogate"])
def test_other_texts_leave_a_document_to_look_at(rule: str) -> None:
    [example] = [one for one in examples("json") if one.rule == f"json.{rule}"]
    assert parse(example.text).is_complete


def test_violations_of_the_text_come_before_those_of_the_schema() -> None:
    found = problems("image_generation.request", b'{"width": NaN, "width": 0}')
    assert [violation.rule for violation in found] == [
        "json.constant",
        "json.duplicate-key",
        "image_generation.prompt.required",
        "image_generation.width.minimum",
    ]


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_too_long_to_read_is_too_large_too(sign: str) -> None:
    found = problems("image_generation.request", f'{{"prompt": "a", "width": {sign}{"9" * 5000}}}'.encode())
    bound = "minimum" if sign else "maximum"
    assert [violation.rule for violation in found] == ["json.digits", f"image_generation.width.{bound}"]


def test_half_a_pair_is_pointed_to() -> None:
    found = parse(b'{"a": [0, {"b/c": "x\\ud800"}]}').violations
    assert [violation.pointer for violation in found] == ["/a/1/b~1c"]


def test_bytes_are_parsed_bytearrays_too() -> None:
    assert problems("task_status.request", bytearray(b'{"task_id": "7"}')) == []


@given(st.binary())
def test_no_bytes_raise(body: bytes) -> None:
    parsed = parse(body)
    assert parsed.is_complete or parsed.violations


@given(JSON, st.data())
def test_no_mutilated_document_raises(document: Any, data: st.DataObject) -> None:
    body = bytearray(json.dumps(document).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    parsed = parse(bytes(body))
    assert parsed.is_complete or parsed.violations


@given(JSON, st.sampled_from([{}, {"indent": 0}, {"indent": 2, "ensure_ascii": False}, {"separators": (",", ":")}]))
def test_a_valid_document_is_read_as_the_standard_library_reads_it(document: Any, style: dict[str, Any]) -> None:
    body = json.dumps(document, **style).encode()
    parsed = parse(body)
    assert parsed.violations == []
    assert parsed.document == json.loads(body)
