"""Bodies that are no JSON: compressed ones, forms, and JSON as other languages write it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Final

from safelight.contracts.pictures import is_picture, is_text
from safelight.contracts.recognizers.row import Recognizer

#: A string, within which nothing means anything; and what stands for each.
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_NO_STRING: Final = b'""'

#: Bytes at the beginning of a body in which a part of a form names itself.
_MAX_PART_BYTES: Final = 2_000

_ZLIB: Final = 0x78
_CHECKED_BY: Final = 31


class Body:
    """A body that could not be read as JSON."""

    def __init__(self, body: bytes) -> None:
        self.bytes = body
        self.start = body[:_MAX_PART_BYTES].lstrip()

    @cached_property
    def bare(self) -> bytes:
        """Without what stands in double quotes."""
        return _STRING.sub(_NO_STRING, self.bytes)

    @property
    def is_open(self) -> bool:
        """It opens more than it closes: it lacks its end."""
        brackets = [(self.bare.count(one), self.bare.count(other)) for one, other in (b"{}", b"[]")]
        return self.start[:1] in (b"{", b"[") and any(opened > closed for opened, closed in brackets)


def _begins(*starts: bytes) -> Callable[[Body], object]:
    return lambda body: body.bytes.startswith(starts)


def _looks(pattern: bytes) -> Callable[[Body], object]:
    """The body begins so, after white space."""
    return lambda body: re.match(pattern, body.start)


def _has(pattern: bytes) -> Callable[[Body], object]:
    """It is JSON but for this, outside of strings."""
    return lambda body: body.start[:1] in (b"{", b"[") and re.search(pattern, body.bare)


def _is_zlib(body: Body) -> object:
    return body.bytes[:1] == bytes([_ZLIB]) and int.from_bytes(body.bytes[:2]) % _CHECKED_BY == 0


def _is_plain(body: Body) -> object:
    return body.start[:1] not in (b"{", b"[", b'"') and is_text(body.bytes)


_PLAIN: Final = "the JSON itself, uncompressed and without Content-Encoding"
_OBJECT: Final = 'a JSON object: {"prompt": "..."}'
_WRITER: Final = "what json.dumps or JSON.stringify writes"

#: The first row that sees a body counts.
BODIES: Final = (
    Recognizer("compressed with gzip", _begins(b"\x1f\x8b"), _PLAIN),
    Recognizer("compressed with zstd", _begins(b"\x28\xb5\x2f\xfd"), _PLAIN),
    Recognizer("compressed with xz", _begins(b"\xfd7zXZ"), _PLAIN),
    Recognizer("compressed with bzip2", _begins(b"BZh"), _PLAIN),
    Recognizer("a ZIP archive", _begins(b"PK\x03\x04"), _PLAIN),
    Recognizer("compressed with deflate", _is_zlib, _PLAIN),
    Recognizer(
        "a picture", lambda body: is_picture(body.bytes), "a JSON object with the picture in Base64 as its image"
    ),
    Recognizer(
        "a form (multipart/form-data)",
        _looks(rb'(?is)--[^\r\n]+\r?\ncontent-disposition:|--[^\r\n]+\r?\n.*name="'),
        f"{_OBJECT}, with a picture in Base64",
    ),
    Recognizer("JSON that was encoded for a URL", _looks(rb"(?i)%7b|%22|%5b"), "it as it was before"),
    Recognizer("JSON in Base64", _looks(rb"(?:eyJ|eyA|ewo|W3s)[A-Za-z0-9+/_-]*={0,2}\s*$"), "the JSON itself"),
    Recognizer("a form (application/x-www-form-urlencoded)", _looks(rb"[\w.%+\[\]-]+="), _OBJECT),
    Recognizer("an HTML or XML document", _looks(rb"<"), _OBJECT),
    Recognizer("an object of JavaScript that was not written as JSON", _looks(rb"\[object "), _WRITER),
    Recognizer("bytes as Python shows them", _looks(rb"b['\"]"), "the bytes themselves"),
    Recognizer(
        "the name of a file, as curl takes it", _looks(rb"@"), "the file's content, by curl --data-binary @FILE"
    ),
    Recognizer(
        "JSON in single quotes, which the shell should have taken away",
        _looks(rb"'"),
        "it without them: where the shell is that of Windows, put it into a file and use --data-binary @FILE",
    ),
    Recognizer("an object with single quotes, as Python and JavaScript write it", _looks(rb"[{\[]\s*'"), _WRITER),
    Recognizer("JSON with typographic quotation marks", _has(rb"\xe2\x80[\x9c-\x9f]"), 'it with "'),
    Recognizer("JSON with comments", _has(rb"(?:^|[\s,{}\[\]:])(?://|/\*)"), "it without them"),
    Recognizer(
        "an object with names that are not quoted, as JavaScript writes it",
        _has(rb"[{,]\s*[A-Za-z_$][\w$]*\s*:"),
        _WRITER,
    ),
    Recognizer("JSON with a comma after the last member", _has(rb",\s*[}\]]"), "it without this comma"),
    Recognizer(
        "an object as Python or JavaScript writes it", _has(rb"[:,\[]\s*(?:None|True|False|undefined)\b"), _WRITER
    ),
    Recognizer(
        "JSON5, with a number that JSON does not have", _has(rb"[:,\[]\s*(?:[+.]|0[xX])"), "it with a plain number"
    ),
    Recognizer(
        "an object with a text that is not quoted",
        _has(rb"[:,\[]\s*(?!true|false|null|NaN|Infinity)[A-Za-z_$]"),
        _WRITER,
    ),
    Recognizer("several documents, one after the other", _has(rb"[}\]]\s*[{\[]"), "each in a request of its own"),
    Recognizer(
        "JSON whose end is missing",
        lambda body: body.is_open,
        "all of it: a Content-Length counts bytes, not characters",
    ),
    Recognizer("plain text", _is_plain, _OBJECT),
)
