"""What came in the place of a request, a graph or a picture is named, with what to send instead.

The table in docs/recognised.md is made of the rows; `python tests/write.py` writes it.
"""

import bz2
import gzip
import json
import lzma
import zlib
from base64 import b64encode
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parts import Part, check_fresh, table
from safelight.contracts import advice, examples, parse, problems
from safelight.contracts.recognizers import TABLES, recognized, sentence_on
from safelight.contracts.rules import rules
from safelight.strategies import comfyui_workflows

PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000020800000000"
    "57dd52f80000000e49444154789c63 6c606062600000000292008 4f77ca3580000000049454e44ae426082".replace(" ", "")
)
GRAPH: Final = {"3": {"class_type": "KSampler", "inputs": {}}}
EDITOR: Final = {"last_node_id": 9, "nodes": [{"id": 7, "type": "CLIPTextEncode"}], "links": [], "version": 0.4}
REQUEST: Final = {"prompt": "a lamp"}
TEXT: Final = json.dumps(REQUEST)

#: What is sent as a body -> what it is.
BODIES: Final[list[tuple[bytes, str]]] = [
    (gzip.compress(TEXT.encode(), mtime=0), "compressed with gzip"),
    (b"\x28\xb5\x2f\xfd\x04\x00", "compressed with zstd"),
    (lzma.compress(TEXT.encode()), "compressed with xz"),
    (bz2.compress(TEXT.encode()), "compressed with bzip2"),
    *((zlib.compress(TEXT.encode(), level), "compressed with deflate") for level in (1, 6, 9)),
    (b"PK\x03\x04\x14\x00", "a ZIP archive"),
    (PNG, "a picture"),
    (b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na lamp\r\n--x--', "a form (multipart/form-data)"),
    (b'--------x\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name="a"\r\n', "a form (multipart/"),
    (b"prompt=a+lamp&width=512", "a form (application/x-www-form-urlencoded)"),
    (b"settings%5Bwidth%5D=1", "a form (application/x-www-form-urlencoded)"),
    (b"%7B%22prompt%22%3A%22a%22%7D", "JSON that was encoded for a URL"),
    (b"<!DOCTYPE html>", "an HTML or XML document"),
    (b64encode(TEXT.encode()), "JSON in Base64"),
    (b"[object Object]", "an object of JavaScript that was not written as JSON"),
    (b"b'{}'", "bytes as Python shows them"),
    (b"@request.json", "the name of a file, as curl takes it"),
    (b"'{prompt:", "JSON in single quotes, which the shell should have taken away"),
    (b"{'prompt': 'a lamp'}", "an object with single quotes, as Python and JavaScript write it"),
    ("{\u201cprompt\u201d: \u201ca\u201d}".encode(), "JSON with typographic quotation marks"),
    (b'{"prompt": "a" // what\n}', "JSON with comments"),
    (b'{"prompt": "a" /* what */}', "JSON with comments"),
    (b'{prompt: "a"}', "an object with names that are not quoted, as JavaScript writes it"),
    (b'{"prompt": "a",}', "JSON with a comma after the last member"),
    (b'{"a": [1, 2, ]}', "JSON with a comma after the last member"),
    (b'{"prompt": "a", "seed": None}', "an object as Python or JavaScript writes it"),
    (b'{"prompt": "a", "seed": undefined}', "an object as Python or JavaScript writes it"),
    (b'{"prompt": "a", "cfg": .5}', "JSON5, with a number that JSON does not have"),
    (b'{"prompt": "a", "seed": 0x10}', "JSON5, with a number that JSON does not have"),
    (b'{"prompt": a lamp}', "an object with a text that is not quoted"),
    (b'{"prompt": "a"}\n{"prompt": "b"}', "several documents, one after the other"),
    (b'{"prompt": "a", "seed": 1', "JSON whose end is missing"),
    (b'{"prompt": "a', "JSON whose end is missing"),
    (b"a lamp", "plain text"),
]

#: What is sent as a document or as its prompt, legal or not -> what it is.
DOCUMENTS: Final[list[tuple[Any, str]]] = [
    (TEXT, "a request as a text of JSON, encoded twice"),
    ([REQUEST, REQUEST], "a list of requests"),
    (GRAPH, "a graph"),
    (EDITOR, "a graph as ComfyUI's editor saves it"),
    ({**REQUEST, "settings": {"width": 512}}, "a request of the Linux DO edition"),
    ({"settings": REQUEST}, "a request of the Linux DO edition"),
    ({"model": "m", "messages": []}, "a request to a chat completion"),
    ({"input": REQUEST}, "a request within another object"),
]
PROMPTS: Final[list[tuple[Any, str]]] = [
    (EDITOR, "a graph as ComfyUI's editor saves it"),
    (json.dumps(EDITOR), "a graph as ComfyUI's editor saves it"),
    ({"7": {"id": 7, "type": "CLIPTextEncode", "inputs": []}}, "a graph as ComfyUI's editor saves it"),
    ({"workflow": EDITOR, "output": GRAPH}, "what ComfyUI's graphToPrompt gives"),
    ({"prompt": GRAPH, "client_id": "c"}, "the body of ComfyUI's /prompt"),
    (json.dumps({"prompt": GRAPH}), "the body of ComfyUI's /prompt"),
    ({"workflow": EDITOR}, "a graph within a member workflow"),
    (json.dumps(GRAPH), "a graph as a text of JSON"),
    (REQUEST, "a prompt within a prompt, as the Linux DO edition takes it"),
    (TEXT, "a request as a text of JSON"),
    ({"messages": []}, "messages of a chat"),
]

#: What is no picture -> what it is.
IMAGES: Final[list[tuple[Any, str]]] = [
    ({"url": "https://example.com/a.png"}, "a picture within an object"),
    (["https://example.com/a.png"], "a list of pictures"),
    ("undefined", "a word for nothing"),
    ("[object Blob]", "an object of JavaScript as a text"),
    (f"b'{40 * 'A'}'", "bytes as Python shows them"),
    ("blob:http://localhost/0b5c", "a URL that one browser alone knows"),
    ("FILE:///lamp.png", "a URL of a file on your machine"),
    (" https://example.com/a.png", "a URL with blanks around it"),
    ("https://example.com/a.png\n", "a URL with blanks around it"),
    ("https://example.com/a b.png", "a URL with a blank or a control character in it"),
    ("HTTPS://", "a URL of no host"),
    ("//example.com/a.png", "a URL without a scheme"),
    ("www.example.com/a.png", "a URL without a scheme"),
    ("data:text/html;base64," + 40 * "A", "a data: URL of no picture"),
    ("data:image/png," + 40 * "A", "a data: URL whose data is not Base64"),
    ("data:image/svg+xml;utf8,<svg/>", "a data: URL whose data is not Base64"),
    ("data:image/png;base64,", "a data: URL without data"),
    ("s3://bucket/a.png", "a URL of another scheme"),
    ("<svg></svg>", "SVG as a text"),
    ("\x89PNG\r\n\x1a\n\0\0", "the bytes of a picture as a text"),
    (20 * "ab-_", "Base64 in the alphabet for URLs"),
    ("data:image/png;base64," + 20 * "ab-_", "Base64 in the alphabet for URLs"),
    (20 * "A%2B", "Base64 that was encoded for a URL"),
    (40 * "A" + "===", "Base64 with more than two = at its end"),
    (2 * (40 * "A" + "=="), "several texts of Base64, in a row"),
    (20 * "AB" + " " + 20 * "CD", "Base64 with blanks in it"),
    ("lamp.png", "the path of a file"),
    (r"C:\lamp", "the path of a file"),
    ("./lamp", "the path of a file"),
    ("lamp", "too little for a picture"),
    ("a lamp at night, and nobody near it", "neither a URL nor Base64"),
]

#: Files that are sent as a picture -> what they are.
FILES: Final[list[tuple[bytes, str]]] = [
    (PNG[:40], "a picture whose end is missing"),
    (b"\xff\xd8\xff\xe0" + bytes(40), "a picture whose end is missing"),
    (b"RIFF\xff\0\0\0WEBPVP8 " + bytes(20), "a picture whose end is missing"),
    (PNG[:16] + bytes(8) + PNG[24:], "a picture of 0 pixels"),
    (b"GIF89a" + bytes(30), "a picture of 0 pixels"),
    (b"\n<!DOCTYPE html><html>Log in, please</html>", "an HTML page"),
    (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "an XML document"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC or AVIF picture"),
    (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "a HEIC or AVIF picture"),
    (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "a video"),
    (b"\x1a\x45\xdf\xa3" + bytes(30), "a video"),
    (b"%PDF-1.7" + bytes(30), "a PDF"),
    (gzip.compress(PNG, mtime=0), "a compressed file"),
    (b64encode(PNG), "Base64 of Base64"),
    (b'{"error": "there is no such picture"}', "JSON"),
    ("the picture that you wanted, \u4e00\u53ea\u732b".encode(), "a text"),
    (bytes(40), "no kind of file that is known here"),
]

#: Pictures that nobody has anything to say about.
PICTURES: Final = (
    PNG,
    b"\xff\xd8\xff\xe0" + bytes(40) + b"\xff\xd9",
    b"GIF89a\x01\0\x01\0" + bytes(30),
    b"RIFF\x1c\0\0\0WEBPVP8 " + bytes(20),
    b"BM" + bytes(40),
    b"II*\0" + bytes(40),
)


def parts() -> list[Part]:
    return [Part("recognised.md", "recognised", rows_of_all)]


def rows_of_all() -> str:
    places = {"body": "the body", "document": "the document", "prompt": "`prompt`", "image": "`image`"}
    rows = [(places[name], row.what, row.send) for name, found in TABLES.items() for row in found.broken]
    return table(
        ("in the place of", "it is", "send"), [*rows, *(("a picture", row.what, row.send) for row in FILE_ROWS)]
    )


FILE_ROWS: Final = TABLES["image"].legal


def test_the_page_has_every_row() -> None:
    check_fresh(parts())


def file_of(content: bytes) -> str:
    return "data:image/png;base64," + b64encode(content).decode()


@pytest.mark.parametrize(("body", "what"), BODIES, ids=[repr(row[0])[:30] for row in BODIES])
def test_a_body_that_is_no_json_is_named(body: bytes, what: str) -> None:
    [violation] = parse(body).violations
    assert f"; it is {what}" in violation.message
    assert "send " in violation.message


@pytest.mark.parametrize(("document", "what"), DOCUMENTS, ids=[str(row[0])[:40] for row in DOCUMENTS])
def test_a_document_that_is_no_request_is_named(document: Any, what: str) -> None:
    broken, advised = problems("image_generation.request", document), advice(document)
    message = (broken or advised)[0].message
    assert message.startswith("the document is ")
    assert what in message


@pytest.mark.parametrize(("prompt", "what"), PROMPTS, ids=[str(row[0])[:40] for row in PROMPTS])
def test_a_prompt_that_is_neither_text_nor_graph_is_named(prompt: Any, what: str) -> None:
    broken, advised = problems("image_generation.request", {"prompt": prompt}), advice({"prompt": prompt})
    message = (broken or advised)[0].message
    assert message.startswith("prompt is ")
    assert what in message
    assert bool(broken) != isinstance(prompt, str), "a text is a legal prompt, whatever it says"
    assert {(violation.pointer, violation.message) for violation in broken} <= {("/prompt", message)}


@pytest.mark.parametrize("operation", ["image_editing", "video_generation"])
@pytest.mark.parametrize(("image", "what"), IMAGES, ids=[repr(row[0])[:40] for row in IMAGES])
def test_what_is_no_picture_is_refused_and_named(operation: str, image: Any, what: str) -> None:
    [violation] = problems(f"{operation}.request", {"prompt": "a", "image": image})
    assert what in violation.message
    assert "send " in violation.message


@pytest.mark.parametrize(("content", "what"), FILES, ids=[repr(row[0])[:40] for row in FILES])
def test_a_file_that_is_no_picture_is_accepted_with_advice(content: bytes, what: str) -> None:
    request = {"prompt": "a", "image": file_of(content)}
    assert problems("image_editing.request", request) == []
    [one] = advice(request, "image_editing.request")
    assert f", {what}: send " in one.message
    assert (one.pointer, one.provenance) == ("/image", "assumed")


def test_base64_of_no_whole_number_of_bytes_is_advised_against() -> None:
    [one] = advice({"prompt": "a", "image": 41 * "A"}, "image_editing.request")
    assert "Base64 that cannot be decoded" in one.message


@pytest.mark.parametrize("picture", PICTURES, ids=[repr(one)[:20] for one in PICTURES])
def test_there_is_no_advice_on_a_picture_or_a_url(picture: bytes) -> None:
    for image in (file_of(picture), b64encode(picture).decode(), "HTTPS://EXAMPLE.COM/A.PDF"):
        assert advice({"prompt": "a", "image": image}, "image_editing.request") == []


def test_every_row_has_an_example() -> None:
    shown = [what for rows in (BODIES, DOCUMENTS, PROMPTS, IMAGES, FILES) for _, what in rows]
    rows = [row for found in TABLES.values() for row in (*found.broken, *found.legal)]
    lost = [row.what for row in rows if not any(row.what.startswith(what) for what in shown)]
    assert lost == ["Base64 that cannot be decoded"]


@given(comfyui_workflows())
def test_a_graph_in_the_api_format_is_never_taken_for_something_else(graph: dict[str, Any]) -> None:
    assert recognized("prompt", graph) == ""
    assert recognized("document", {"prompt": graph}) == ""


@given(st.sampled_from(sorted(TABLES)), st.one_of(st.binary(), st.text(), st.dictionaries(st.text(), st.text())))
def test_nothing_that_comes_makes_a_table_fail(name: str, value: Any) -> None:
    sent = value if isinstance(value, bytes) or name != "body" else json.dumps(value).encode()
    for is_legal in (True, False):
        assert isinstance(sentence_on(["a"], sent, name, is_legal=is_legal), str)


def test_no_text_takes_long_to_be_recognised() -> None:
    for piece in ('"', "{", "A", " ", "\\", "a.b", "data:", "%", "[", "=", "A ", "-", ", ", "data:image/png;"):
        body = f"{piece * (1_000_000 // len(piece))}!"
        assert isinstance(recognized("body", body.encode()), str)
        assert isinstance(recognized("image", body), str)
        assert isinstance(recognized("prompt", "{" + body), str)


PATTERNS: Final = [one for one in rules() if one.keyword == "pattern"]


@pytest.mark.parametrize("rule", PATTERNS, ids=[one.id for one in PATTERNS])
def test_a_pattern_is_said_in_words(rule: Any) -> None:
    assert rule.form
    assert rule.form != rule.limit
    found = [one for one in examples() if one.rule == rule.id]
    messages = [violation.message for one in found for violation in problems(one.schema, one.text)]
    assert len(messages) == len(found) > 0
    assert not [message for message in messages if rule.limit in message or "[0-9" in message]
