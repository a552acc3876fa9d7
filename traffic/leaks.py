"""Where a request holds a key beside the headers for it, in whatever reversible encoding.

It is found before anything is redacted: an encoded key looks like no key any more.
"""

from __future__ import annotations

import codecs
import re
import zlib
from base64 import b32encode, b64encode
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from safelight.traffic.exchange import SECOND_ORIGIN, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

#: Ways in which the service takes a key, though it ends up in logs there.
IN_QUERY: Final = "the query (as api_key)"
IN_BODY: Final = "the body (as api_key)"

#: The key left the origin of the API.
ELSEWHERE: Final = "another origin"

#: The headers that are there for a key.
KEY_HEADERS: Final = ("x-api-key", "authorization")

#: Characters of a key that stands nowhere by chance.
_MIN_KEY_CHARACTERS: Final = 8

#: Bytes of a text that is also read as escaped, folded or compressed.
_MAX_READ_BYTES: Final = 100_000

#: Bytes of a text in which the beginnings of all spellings are sooner looked up than the spellings found.
_MAX_SHORT_BYTES: Final = 500

#: How many times over a text may be escaped.
_MAX_ESCAPES: Final = 3


def keys_in(headers: Mapping[str, str]) -> Iterator[str]:
    """The keys in the headers for them."""
    for name in KEY_HEADERS:
        if key := _SCHEME.sub("", headers.get(name, "")).strip(" \t"):
            yield key


#: What stands in front of a key.
_SCHEME: Final = re.compile(r"bearer +", re.IGNORECASE)


def leaks(target: str, headers: Mapping[str, str], body: bytes, keys: Iterable[str]) -> tuple[str, ...]:
    """The places of a request that hold one of these keys and are not for it, in words: `the query (in Base64)`."""
    sent = [key for key in keys if key]
    found = dict.fromkeys(
        place for key in sent if len(key) >= _MIN_KEY_CHARACTERS for place in _places(target, headers, body, key)
    )
    if target.startswith(f"{SECOND_ORIGIN}/"):
        is_in_header = any(key in headers.get(name, "") for key in sent for name in KEY_HEADERS)
        return (*found, ELSEWHERE) if found or is_in_header else ()
    return tuple(found)


def how_held(text: bytes, key: str) -> str | None:
    """How any text holds a key: nothing for as it is, ` (in Base64)`; None where it does not."""
    return _how(text, _spellings(key)) if len(key) >= _MIN_KEY_CHARACTERS else None


def _places(target: str, headers: Mapping[str, str], body: bytes, key: str) -> Iterator[str]:
    yield from _in_target(target, key)
    yield from _in_headers(tuple(headers.items()), key)
    yield from _in_body(body, key)


@lru_cache(1_024)
def _in_target(target: str, key: str) -> tuple[str, ...]:
    """Kept, as a client sends the same again and again; apart from its headers, as it may have many tasks."""
    path, _, query = target.partition("?")
    pairs = query.split("&")
    usual = [pair for pair in pairs if pair.startswith("api_key=") and unquote_plus(pair[8:]) == key]
    rest = "&".join(pair for pair in pairs if pair not in usual)
    return (*([IN_QUERY] if usual else []), *_in_texts({"the path": path, "the query": rest}, key))


@lru_cache(1_024)
def _in_headers(headers: tuple[tuple[str, str], ...], key: str) -> tuple[str, ...]:
    """Kept, as above."""
    texts = {f"the header {name}": value if name in KEY_HEADERS else f"{name} {value}" for name, value in headers}
    plain = {f"the header {name}" for name in KEY_HEADERS}
    return tuple(place for place in _in_texts(texts, key) if place not in plain)


def _in_texts(texts: Mapping[str, str], key: str) -> Iterator[str]:
    spellings = _deep_spellings(key)
    for place, text in texts.items():
        if (how := _how(text.encode("utf-8", "replace"), spellings)) is not None:
            yield f"{place}{how}"


def _in_body(body: bytes, key: str) -> Iterator[str]:
    if not body:
        return
    if b'"api_key"' in body and object_of(body).get("api_key") == key:
        yield IN_BODY
        body = _MEMBER.sub(b"", body, count=1)
    if (how := _how(body, _spellings(key))) is not None:
        yield f"the body{how}"


_MEMBER: Final = re.compile(rb'"api_key"\s*:\s*"(?:[^"\\]|\\.)*"')


def _how(text: bytes, spellings: Spellings) -> str | None:
    """How a text holds a key: nothing for as it is, ` (in Base64)`; None where it does not."""
    shortest = len(next(iter(spellings)))  # that of the key as it is
    for view in _views(text) if len(text) <= _MAX_READ_BYTES else (text,):
        if len(view) >= shortest and any(map(view.__contains__, _begun(view, spellings))):
            return next(how for spelling, how in spellings.items() if spelling in view)
    return None


def _begun(view: bytes, spellings: Spellings) -> Iterable[bytes]:
    """The spellings that may stand in a text: of a short one, only if one of them begins there."""
    if len(view) > _MAX_SHORT_BYTES:
        return spellings
    starts, size = spellings.starts, spellings.size
    return spellings if any(view[at : at + size] in starts for at in range(len(view) - size + 1)) else ()


def _views(text: bytes) -> Iterator[bytes]:
    """A text as it is, and what it says where it is escaped, folded or compressed."""
    yield text
    plain = text
    for _ in range(_MAX_ESCAPES if b"%" in text or b"=" in text or b"\\" in text else 0):
        further = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), plain)
        if further == plain:
            break
        yield (plain := further)
    if b"&#" in plain:
        yield unescape(plain.decode("utf-8", "replace")).encode("utf-8", "replace")
    if b"\n" in plain or b"\r" in plain:
        yield _FOLD.sub(b"", plain)
    if text.startswith((b"\x1f\x8b", b"\x78")):
        yield _unpacked(text)


#: How URLs, JSON, C and mails write any byte.
_ESCAPE: Final = re.compile(rb"(?:%|=|\\x|\\u00)([0-9A-Fa-f]{2})")

#: A break within a word, as mails have it.
_FOLD: Final = re.compile(rb"=?\r?\n[ \t]*")


def _unpacked(text: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(text, _MAX_READ_BYTES)
    except zlib.error:
        return b""


def _in_groups(encode: Callable[[bytes], bytes], bytes_of_group: int, bits: int) -> Callable[[bytes], Iterator[bytes]]:
    """How a text stands within a longer one in this encoding: that hangs on where in a group of bytes it begins."""

    def spelled(text: bytes) -> Iterator[bytes]:
        for offset in range(bytes_of_group):
            encoded = encode(bytes(offset) + text)
            yield encoded[-(-offset * 8 // bits) : (offset + len(text)) * 8 // bits]

    return spelled


#: How it is called -> the spellings of a text in an encoding.
_ENCODINGS: Final[Mapping[str, Callable[[bytes], Iterable[bytes]]]] = {
    "in Base64": _in_groups(b64encode, 3, 6),
    "in Base64 of URLs": _in_groups(lambda text: b64encode(text, b"-_"), 3, 6),
    "in Base32": _in_groups(b32encode, 5, 5),
    "in hexadecimal digits": lambda text: (text.hex().encode(), text.hex().upper().encode()),
    "reversed": lambda text: (text[::-1],),
    "in ROT13": lambda text: (codecs.encode(text.decode("latin-1"), "rot13").encode("latin-1"),),
    "in UTF-16": lambda text: (text.decode("latin-1").encode("utf-16-le"),),
}


@lru_cache(256)
def _spellings(key: str) -> Spellings:
    """How a key stands in a text, and what that is called: as it is, or encoded once."""
    told = key.removeprefix("sk-") if len(key) > 2 * _MIN_KEY_CHARACTERS else key  # the rest is as good as the whole
    plain = told.encode("utf-8", "replace")
    return Spellings([("", plain), *((f" ({how})", text) for how, text in _encoded(plain))])


@lru_cache(256)
def _deep_spellings(key: str) -> Spellings:
    """The same, and encoded twice: these are many, and for what is looked at once for many requests."""
    once = _spellings(key)
    twice = [(f"{how[:-1]} and then {more})", text) for one, how in once.items() if how for more, text in _encoded(one)]
    return Spellings([*((how, one) for one, how in once.items()), *twice])


class Spellings(dict[bytes, str]):
    """Text -> its first name; and with what the texts begin, by which a text that holds none is soon known."""

    def __init__(self, named: Iterable[tuple[str, bytes]]) -> None:
        for how, text in named:
            self.setdefault(text, how)
        #: Bytes of the shortest, and so many of each.
        self.size = min(map(len, self))
        self.starts = frozenset(text[: self.size] for text in self)


def _encoded(text: bytes) -> Iterator[tuple[str, bytes]]:
    for how, encode in _ENCODINGS.items():
        yield from ((how, spelling) for spelling in encode(text))
