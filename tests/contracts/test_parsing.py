"""From bytes to a document: each rule of the text, and nothing raises."""

import gc
import json
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.contracts import Violation, examples, names, parse, problems
from safelight.contracts.parsing import MAX_DEPTH, MAX_INTEGER_DIGITS, parse_closely
from safelight.contracts.usual_texts import NOTHING, reader_of_usual_texts

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


#: Texts with very many violations, and the rule that they break.
MANY: Final[dict[str, tuple[bytes, int]]] = {
    "surrogate": (b"[" + b",".join([rb'"\ud800"'] * 500) + b"]", 500),
    "duplicate-key": (b"{" + b",".join(b'"%d":0,"%d":0' % (one, one) for one in range(500)) + b"}", 500),
    "digits": (b"[" + b",".join(b"1" * many for many in range(1_001, 1_101)) + b"]", 100),
}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rules of the violations that the parser has built."""
    rules = list[str]()

    def violation(rule_id: str, *facts: Any) -> Violation:
        rules.append(rule_id)
        return Violation(rule_id, *facts)

    monkeypatch.setattr("safelight.contracts.parsing.Violation", violation)
    return rules


@pytest.mark.parametrize("rule", MANY)
def test_no_more_violations_are_built_than_are_wanted(rule: str, built: list[str]) -> None:
    assert len(parse(MANY[rule][0], max_violations=20).violations) == 20
    assert built == [f"json.{rule}"] * 20


@pytest.mark.parametrize("rule", MANY)
def test_the_first_are_those_that_are_found_first_of_all(rule: str) -> None:
    body, count = MANY[rule]
    everything = parse(body)
    assert len(everything.violations) == count
    assert parse(body, max_violations=20).violations == everything.violations[:20]
    assert parse(body, max_violations=count + 1).document == everything.document


def test_without_a_bound_problems_reports_all() -> None:
    for rule, (body, count) in MANY.items():
        found = problems("image_generation.request", b'{"prompt": "a", "x": ' + body + b"}")
        assert [violation.rule for violation in found] == [f"json.{rule}"] * count


def test_a_violation_that_is_met_again_is_built_once(built: list[str]) -> None:
    parse(b"[" + b",".join([b'NaN,{"a":0,"a":0}'] * 500) + b"]")
    assert built == ["json.constant", "json.duplicate-key"]


def test_too_deep_comes_before_half_a_pair() -> None:
    body = b"[" * 101 + rb'"\ud800"' + b"]" * 101
    assert names_of(body) == ["depth"]
    assert [violation.rule for violation in parse(body, max_violations=1).violations] == ["json.depth"]


@given(st.lists(st.sampled_from([r"\\", r"\ud83d", r"\uDE00", r"\udBff", r"\\ud83d", r"\"", "u", "d", "[", "é"])))
def test_half_a_pair_is_found_among_whole_ones_and_escaped_backslashes(parts: list[str]) -> None:
    body = f'["{"".join(parts)}"]'.encode()
    is_half = any("\ud800" <= character <= "\udfff" for character in json.loads(body)[0])
    assert names_of(body) == ["surrogate"] * is_half


@given(st.lists(st.sampled_from(["[", "]", "{", "}", r"\"", r"\\"]), max_size=300))
def test_brackets_in_strings_are_not_deep(parts: list[str]) -> None:
    text = "".join(parts)
    assert names_of(f'["{text}", {{"{text}": [{"[]," * 100}"{text}"]}}]'.encode()) == []


def test_garbage_is_looked_for_again_after_a_large_text() -> None:
    assert gc.isenabled()
    parse(b'["' + b"a" * 1_000_000 + b'", NaN]', max_violations=1)
    assert gc.isenabled()


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


def test_a_name_that_nobody_reads_is_cut_in_a_pointer() -> None:
    [violation] = parse(b'{"' + b"n" * 100_000 + b'": "\\ud800"}').violations
    assert violation.pointer == "/" + 1_000 * "n" + "…"


#: The shortcut.
USUAL: Final = reader_of_usual_texts(max_digits=MAX_INTEGER_DIGITS, max_depth=MAX_DEPTH)

#: Pieces of JSON, right and wrong, and of what only looks like it.
PIECES: Final = [
    *("{", "}", "[", "]", ",", ":", '"', " ", "\n", "\t", "\x00", "\ufeff", "\u00a0", "\x1b"),
    *(
        '"a"',
        '"a": 1',
        '"b":2',
        '"é"',
        '"😀"',
        "'a'",
        '"\\ud800"',
        '"\\ud83d\\ude00"',
        '"\\\\u"',
        "\\",
        '"\\"',
        '"\\n"',
    ),
    *("0", "-0", "1.0", "1e400", "-1e400", "1E5", "01", "+1", ".5", "1.", "0x1", "1_0", "NaN", "Infinity", "-Infinity"),
    *("true", "false", "null", "True", "nul", "9" * 1_001, "-" + "9" * 1_000, "9" * 4_301, "٣"),
    *("[" * 101, "]" * 101, '{"a":' * 60, "}" * 60),
]

VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("x" * 1_100),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """JSON, perhaps with a piece put in somewhere; or pieces; or bytes."""
    match draw(st.integers(0, 3)):
        case 0:
            text = "".join(draw(st.lists(st.sampled_from(PIECES), max_size=8)))
        case 1:
            return draw(st.binary(max_size=20))
        case _:
            text = json.dumps(draw(VALUES), ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
            at, piece = draw(st.integers(0, len(text))), draw(st.sampled_from(["", "", *PIECES]))
            text = text[:at] + piece + text[at:]
    encoding = draw(st.sampled_from([*["utf-8"] * 8, "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be", "latin-1"]))
    return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")


def is_read_alike(body: bytes) -> bool:
    """What the shortcut reads is the document that is read closely, of which there is nothing to say."""
    document, closely = USUAL(body), parse_closely(body)
    return document is NOTHING or (closely.violations == [] and repr(document) == repr(closely.document))


@settings(max_examples=500)
@given(bodies())
def test_the_shortcut_reads_what_is_read_closely_without_a_violation(body: bytes) -> None:
    assert is_read_alike(body)


@pytest.mark.parametrize("body", [*(text for text, *_ in TEXTS), *(text for text, _ in RIGHT)])
def test_the_shortcut_leaves_unusual_texts_to_who_reads_closely(body: bytes) -> None:
    assert is_read_alike(body)


def test_the_shortcut_reads_what_clients_send() -> None:
    texts = [example.text for name in names() for example in examples(name)]
    assert all(map(is_read_alike, texts))
    right = [example.text for name in names() for example in examples(name) if example.rule is None]
    usual = [text.strip() for text in right if text.count(b"{") + text.count(b"[") <= MAX_DEPTH and b"\\u" not in text]
    assert [text for text in usual if USUAL(text) is NOTHING] == []
    assert len(usual) > len(right) / 2
