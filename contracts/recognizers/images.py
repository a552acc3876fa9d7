"""What is sent in the place of a picture: texts that hold none, and files that are none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final

from safelight.contracts import pictures
from safelight.contracts.recognizers.row import Recognizer

#: Bytes at a file's beginning in which it says what it is.
_MAX_HEAD_BYTES: Final = 1_000


class Image:
    """A value that was sent as a picture."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.text = value if isinstance(value, str) else ""
        self.data_url = pictures.DataUrl.of(self.text)
        #: Without the data: URL around it, where there is one, and without white space behind it.
        self.data = (self.data_url.data if self.data_url else self.text).rstrip()

    @cached_property
    def file(self) -> bytes | None:
        """What is decoded of it, perhaps nothing; None where there is no text, or the file lies elsewhere."""
        return None if not self.text or pictures.is_url(self.text) else pictures.decoded(self.text) or b""

    @property
    def head(self) -> bytes:
        """How the file begins, in small letters."""
        return (self.file or b"")[:_MAX_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \r\n\t").lower()


Sees = Callable[[Image], object]


def _text(pattern: str) -> Sees:
    """The whole text reads so, in whichever case."""
    fits = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    return lambda image: fits(image.text)


def _data(pattern: str) -> Sees:
    """What a data: URL holds, or the text without one, reads so."""
    fits = re.compile(pattern, re.DOTALL).fullmatch
    return lambda image: fits(image.data)


def _file(sees: Callable[[bytes], object]) -> Sees:
    """It is seen in the file."""
    return lambda image: image.file is not None and sees(image.file)


def _begins(*starts: bytes) -> Sees:
    """The file begins so, after white space and in whichever case."""
    return lambda image: image.head.startswith(starts)


def _is_other_kind(image: Image) -> object:
    return image.data_url and image.data_url.type and not image.data_url.type.startswith("image/")


#: Values that are neither a URL nor a picture in Base64. The first row that sees one counts.
IMAGES: Final = (
    Recognizer(
        "a picture within an object", lambda image: isinstance(image.value, Mapping), "a string: a URL, or Base64"
    ),
    Recognizer("a list of pictures", lambda image: isinstance(image.value, list), "one, as a string"),
    Recognizer("a word for nothing", _text("undefined|null|none|nan|false|true"), "a picture, or leave it out"),
    Recognizer("an object of JavaScript as a text", _text(r"\[object .*"), "the picture in Base64"),
    Recognizer("bytes as Python shows them", _text(r"b(['\"]).*\1"), "them decoded: base64.b64encode(...).decode()"),
    Recognizer("a URL that one browser alone knows", _text("blob:.*"), "the picture in Base64"),
    Recognizer("a URL of a file on your machine", _text("file:.*"), "the picture in Base64"),
    Recognizer("a URL with blanks around it", _text(r"\s+https?://\S+\s*|https?://\S+\s+"), "it without them"),
    Recognizer("a URL of no host", _text("https?:/*"), "the whole URL"),
    Recognizer("a URL with a blank or a control character in it", _text("https?://.*"), "it encoded: %20 for a blank"),
    Recognizer("a URL without a scheme", _text(r"(//|www\.).+"), "it with https://"),
    Recognizer("a data: URL of no picture", _is_other_kind, "one of a picture: data:image/png;base64,..."),
    Recognizer(
        "a data: URL whose data is not Base64",
        lambda image: image.data_url and not image.data_url.is_base64,
        "one with ;base64",
    ),
    Recognizer("a data: URL without data", _text("data:[^,]*,?"), "one with the picture in it"),
    Recognizer(
        "a URL of another scheme", _text("(?!data:)[a-z][a-z0-9+.-]+:.*"), "one of https, or the picture itself"
    ),
    Recognizer("SVG as a text", _text(r"\s*<.*"), "a picture of pixels, such as PNG, in Base64"),
    Recognizer("the bytes of a picture as a text", _text(".?PNG\r?\n.*|GIF8.*|RIFF.*|\xff\xd8.*"), "them in Base64"),
    Recognizer("Base64 in the alphabet for URLs", _data(r"(?=.*[-_])[\w\r\n-]+={0,2}"), "it with + and / for - and _"),
    Recognizer("Base64 that was encoded for a URL", _data(r"(?=.*%)[A-Za-z0-9+/%\r\n]+=*"), "it as it was before"),
    Recognizer("Base64 with more than two = at its end", _data(r"[A-Za-z0-9+/\r\n]+={3,}"), "it without the others"),
    Recognizer(
        "several texts of Base64, in a row", _data(r"[A-Za-z0-9+/\r\n]+=+[A-Za-z0-9+/][A-Za-z0-9+/=\r\n]+"), "one"
    ),
    Recognizer(
        "Base64 with blanks in it",
        _data(r"(?=.*[ \t])(?=\S{20})[A-Za-z0-9+/ \t\r\n]+={0,2}"),
        "it without: a + becomes a blank on its way through a form or a query",
    ),
    Recognizer(
        "the path of a file",
        _text(r"(~|\.{0,2})[\\/].{0,4000}|[a-z]:[\\/].{0,4000}|.{0,4000}\.[a-z0-9]{2,5}"),
        "the file itself in Base64, or a URL of it",
    ),
    Recognizer("too little for a picture", _data(r"[A-Za-z0-9+/\r\n]{1,31}={0,2}"), "the whole picture in Base64"),
    Recognizer("neither a URL nor Base64", _data(r".*[^A-Za-z0-9+/=%\r\n].*"), "one of them"),
)

#: Files that are sent as a picture, and of which nobody says whether the service takes them.
FILES: Final = (
    Recognizer("Base64 that cannot be decoded", _file(lambda file: not file), "all of its characters"),
    Recognizer("a picture whose end is missing", _file(pictures.is_cut_short), "the whole file"),
    Recognizer("a picture of 0 pixels", _file(pictures.is_without_size), "one with a width and a height"),
    Recognizer(
        "an HTML page",
        _begins(b"<!doctype html", b"<html", b"<head", b"<body"),
        "the picture: a page may have come in its place, of an error or a login",
    ),
    Recognizer("an SVG drawing", lambda image: b"<svg" in image.head, "a picture of pixels, such as PNG"),
    Recognizer("an XML document", _begins(b"<"), "the picture: an error may have come in its place"),
    Recognizer("a HEIC or AVIF picture", _file(pictures.is_heif), "PNG or JPEG, which every engine reads"),
    Recognizer("a video", _file(pictures.is_video), "a picture of it"),
    Recognizer("a PDF", _begins(b"%pdf"), "a picture of its page"),
    Recognizer("a compressed file", _begins(b"pk\x03\x04", b"\x1f\x8b", b"\x28\xb5\x2f\xfd"), "the picture in it"),
    Recognizer(
        "Base64 of Base64", _begins(b"ivborw0k", b"/9j/", b"r0lgod", b"uklgr", b"data:image/"), "it encoded once"
    ),
    Recognizer("JSON", _begins(b"{", b"["), "the picture"),
    Recognizer("a text", _file(pictures.is_text), "the picture"),
    Recognizer("no kind of file that is known here", _file(lambda file: not pictures.is_picture(file)), "PNG or JPEG"),
)
