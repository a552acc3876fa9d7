"""No sentence shows a key, and nothing that is kept holds one: what looks like a key, or is known to be one.

It is found as it is, percent-encoded, or escaped as in JSON, several times over, and in Base64 or hexadecimal digits.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

#: What stands in the place of a key.
MARK: Final = "sk-..."

#: The form of the service's keys.
_KEY: Final = re.compile(r"sk-[0-9A-Za-z_-]{8,}")

#: Keys, and the values of `api_key` in a query and in a JSON body.
_FORMS: Final = rf'{_KEY.pattern}|(?<=api_key=)[^&\s"\'\\]+|("api_key"\s*:\s*")(?:[^"\\]++|\\(?s:.))*+'
_IN_TEXT: Final = re.compile(_FORMS)
_IN_BYTES: Final = re.compile(_FORMS.encode())

#: A key in hexadecimal digits, and a word that begins as one in Base64.
#: What stands before is looked at second: to search for plain letters first takes a fortieth of the time.
_IN_HEX: Final = re.compile(r"736[bB]2[dD](?<![0-9A-Fa-f]736[bB]2[dD])(?:[0-9A-Fa-f]{2}){8,}")
_IN_BASE64: Final = re.compile(r"c2st(?<![0-9A-Za-z+/_-]c2st)[0-9A-Za-z+/_-]{12,}=*")

#: How many times over a key may be percent-encoded or escaped.
_MAX_DECODINGS: Final = 3

#: Bytes that are percent-encoded, one after the other. A long row is taken in pieces, none of which ends within a
#: character: so the interpreter is given up between them.
_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2}){1,4096}(?:%[89ABab][0-9A-Fa-f]){0,3}")

#: How JSON may write any letter of a key.
_ESCAPE: Final = re.compile(r"\\u00([2-7][0-9A-Fa-f])")

#: What ends a text that was cut, and the characters of a known key before it that are one still.
_CUT: Final = "…"
_MIN_CUT_CHARACTERS: Final = 6

#: No key is known but by its form.
NO_KEYS: Final[AbstractSet[str]] = frozenset()


def is_plain_key(text: str) -> bool:
    """It is a key by its form: nobody has to know it to find it."""
    return _KEY.fullmatch(text) is not None


@lru_cache(4_096)
def with_keys(known: AbstractSet[str], *further: str) -> AbstractSet[str]:
    """The known keys and those that a request is about, but for what is found by its form."""
    return known | {key for key in further if key and not is_plain_key(key)}


def redacted(text: str, keys: AbstractSet[str] = NO_KEYS) -> str:
    """The text without keys, however they are encoded in it; `keys` are those that are known."""
    found = further = _without(text, keys)
    for _ in range(_MAX_DECODINGS):
        if "%" not in further and "\\u" not in further:
            break
        decoded = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), unquoted(further))
        further = _without(decoded, keys)
        if further != decoded:  # and others may be encoded more often
            found = further
    return found


def unquoted(text: str) -> str:
    """As `urllib.parse.unquote`, which takes three times as long and keeps other threads waiting."""
    return _PERCENT.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode(errors="replace"), text)


def redacted_bytes(text: bytes, keys: AbstractSet[str] = NO_KEYS) -> bytes:
    """As `redacted`."""
    if not text:
        return text
    if any(mark in text for mark in (b"%", b"\\u", b"c2st", b"736")):
        return redacted(text.decode("utf-8", "surrogateescape"), keys).encode("utf-8", "surrogateescape")
    for _, own in _spellings(keys):
        if own in text:
            text = text.replace(own, MARK.encode())
    return _IN_BYTES.sub(rb"\1" + MARK.encode(), text) if b"sk-" in text or b"api_key" in text else text


def masked(text: str) -> str:
    """The text with dots in the place of keys: as long as it was, for who points at a column of it."""
    return redacted(_KEY.sub(lambda key: "sk-".ljust(len(key[0]), "."), text))


def _without(text: str, keys: AbstractSet[str]) -> str:
    for own, _ in _spellings(keys):
        if own in text:
            text = text.replace(own, MARK)
    if keys and _CUT in text:
        text = _without_halves(text, keys)
    text = _IN_BASE64.sub(MARK, _IN_HEX.sub(MARK, text)) if "c2st" in text or "736" in text else text
    return _IN_TEXT.sub(rf"\1{MARK}", text) if "sk-" in text or "api_key" in text else text


def _without_halves(text: str, keys: AbstractSet[str]) -> str:
    """The text without the beginnings of known keys that were cut off."""
    for key in keys:
        for size in range(len(key) - 1, _MIN_CUT_CHARACTERS - 1, -1):
            text = text.replace(key[:size] + _CUT, MARK + _CUT)
    return text


@lru_cache(4_096)
def _spellings(keys: AbstractSet[str]) -> tuple[tuple[str, bytes], ...]:
    """The keys as they are, and as they stand within a text of JSON, where that differs; the longest first."""
    found = {spelling for key in keys if key for spelling in spelled(key)}
    return tuple((own, own.encode("utf-8", "surrogateescape")) for own in sorted(found, key=len, reverse=True))


def spelled(key: str) -> tuple[str, ...]:
    """A key as it is, as within JSON, and where it is long enough in Base64 and hexadecimal digits."""
    plain = key.encode("utf-8", "surrogateescape")
    encoded = (b64encode(plain).decode().rstrip("="), plain.hex(), plain.hex().upper()) if len(key) >= _MIN_KEY else ()
    return (key, json.dumps(key)[1:-1], *encoded)


#: Characters of a key whose encoded form stands nowhere by chance.
_MIN_KEY: Final = 8
