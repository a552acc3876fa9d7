"""What is kept holds no keys: neither the session's own, nor what looks like one, nor what is sent as one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote

from safelight.contracts import Advice, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.traffic.exchange import Exchange

#: The form of the service's keys, and the values of `api_key` in a query and in a JSON body.
_FORMS: Final = r'sk-[0-9A-Za-z_-]{8,}|(?<=api_key=)[^&\s"\'\\]+|("api_key"\s*:\s*")(?:[^"\\]++|\\(?s:.))*+'
_IN_TEXT: Final = re.compile(_FORMS)
_IN_BYTES: Final = re.compile(_FORMS.encode())

#: Headers whose values are secrets.
_HEADERS: Final = frozenset(
    {"x-api-key", "authorization", "proxy-authorization", "cookie", "set-cookie", "x-safelight-token"}
)

#: How many times over a key may be percent-encoded or escaped.
_MAX_DECODINGS: Final = 3

_Found = TypeVar("_Found", Violation, Advice)


def redacted(text: str, key: str) -> str:
    """The text without keys, however they are encoded in it; `key` is the session's own, or empty."""
    plain = _without(text, key)
    further = plain
    for _ in range(_MAX_DECODINGS):
        if "%" not in further and "\\u" not in further:
            break
        decoded = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), unquote(further))
        further = _without(decoded, key)
        if further != decoded:
            return further
    return plain


@lru_cache(256)
def _redacted_again(text: str, key: str) -> str:
    return redacted(text, key)


def redacted_again(text: str, key: str) -> str:
    """As `redacted`. Kept where it is short, as a client asks the same again and again."""
    return _redacted_again(text, key) if len(text) <= _MAX_CACHED_CHARACTERS else redacted(text, key)


#: Characters of a text that is kept.
_MAX_CACHED_CHARACTERS: Final = 500

#: How JSON may write any letter of a key.
_ESCAPE: Final = re.compile(r"\\u00([2-7][0-9A-Fa-f])")


@lru_cache(4_096)
def _spellings(key: str) -> tuple[tuple[str, bytes], ...]:
    """A key as it is, and as it stands within a text of JSON, where that differs."""
    return tuple((own, own.encode()) for own in dict.fromkeys((key, json.dumps(key)[1:-1]))) if key else ()


def _without(text: str, key: str) -> str:
    for own, _ in _spellings(key):
        if own in text:
            text = text.replace(own, "sk-...")
    return _IN_TEXT.sub(r"\1sk-...", text) if "sk-" in text or "api_key" in text else text


def redacted_value(value: Any, key: str) -> Any:
    """A JSON value without keys; of the names of its members, only long ones can be any."""
    match value:
        case str():
            return redacted(value, key)
        case dict():
            return {_name(name, key): redacted_value(child, key) for name, child in value.items()}
        case list():
            return [redacted_value(child, key) for child in value]
        case _:
            return value


def _name(name: str, key: str) -> str:
    """The name of a member; that of a parameter stays, though somebody may have it for a key."""
    return redacted(name, key) if len(name) > _MAX_PARAMETER_CHARACTERS else name


#: Characters of the longest parameter of the API, or of an input of its graphs.
_MAX_PARAMETER_CHARACTERS: Final = 24


def redacted_bytes(text: bytes, key: str) -> bytes:
    """As `redacted`."""
    if not text:
        return text
    if b"%" in text or b"\\u" in text:
        return redacted(text.decode("utf-8", "surrogateescape"), key).encode("utf-8", "surrogateescape")
    for _, own in _spellings(key):
        if own in text:
            text = text.replace(own, b"sk-...")
    return _IN_BYTES.sub(rb"\1sk-...", text) if b"sk-" in text or b"api_key" in text else text


def without_secrets(headers: Mapping[str, str], key: str) -> Mapping[str, str]:
    """The headers without keys, wherever a client put them."""
    return _without_secrets(tuple(headers.items()), key)


@lru_cache(256)
def _without_secrets(headers: tuple[tuple[str, str], ...], key: str) -> Mapping[str, str]:
    """Kept, as a client sends the same headers again and again."""
    return {redacted(name, key): "..." if name in _HEADERS else redacted(value, key) for name, value in headers}


def without_key(found: _Found, key: str) -> _Found:
    """A violation or advice without keys: its message shows what was sent."""
    return replace(found, pointer=redacted(found.pointer, key), message=redacted(found.message, key))


def without_keys(exchange: Exchange, key: str = "") -> Exchange:
    """An exchange of any origin without keys, nor what looks like one."""
    return exchange._replace(
        method=redacted(exchange.method, key),
        target=redacted_again(exchange.target, key),
        headers=without_secrets(exchange.headers, key),
        body=redacted_bytes(exchange.body, key),
        media_type=redacted(exchange.media_type, key),
        answer=redacted_bytes(exchange.answer, key),
        answer_headers=without_secrets(exchange.answer_headers, key),
        task_id=exchange.task_id and redacted(exchange.task_id, key),
        violations=[replace(without_key(one, key), rule=redacted(one.rule, key)) for one in exchange.violations],
        advice=[without_key(advice, key) for advice in exchange.advice],
        fault=redacted(exchange.fault, key),
    )
