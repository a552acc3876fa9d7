"""What is kept holds no keys: neither the session's own, nor what looks like one, nor what is sent as one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote

from safelight.contracts import Notice, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The form of the service's keys, and the values of `api_key` in a query and in a JSON body.
_FORMS: Final = r'sk-[0-9A-Za-z_-]{8,}|(?<=api_key=)[^&]+|("api_key"\s*:\s*")(?:[^"\\]++|\\(?s:.))*+'
_IN_TEXT: Final = re.compile(_FORMS)
_IN_BYTES: Final = re.compile(_FORMS.encode())

#: Headers whose values are secrets.
_HEADERS: Final = frozenset({"x-api-key", "authorization", "proxy-authorization", "cookie"})

_Found = TypeVar("_Found", Violation, Notice)


def redacted(text: str, key: str) -> str:
    """The text without keys; `key` is the session's own, or empty."""
    if key and key in text:
        text = text.replace(key, "sk-...")
    if key and "%" in text and key in unquote(text):
        text = unquote(text).replace(key, "sk-...")
    return _IN_TEXT.sub(r"\1sk-...", text) if "sk-" in text or "api_key" in text else text


def redacted_document(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A JSON object without the session's own key: what is told to people who never had it."""
    text, own = json.dumps(document), json.dumps(key)[1:-1]
    found: Mapping[str, Any] = json.loads(text.replace(own, "sk-...")) if own in text else document
    return found


def redacted_bytes(text: bytes, key: str) -> bytes:
    """As `redacted`."""
    if key and (own := key.encode()) in text:
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
    """A violation or notice without keys: its message shows what was sent."""
    return replace(found, pointer=redacted(found.pointer, key), message=redacted(found.message, key))
