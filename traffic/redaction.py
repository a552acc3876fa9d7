"""The one way out of what others wrote: an exchange, or an answer of control, leaves the fake without keys."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from safelight.contracts import Advice, Violation
from safelight.contracts.secrets import NO_KEYS, redacted, redacted_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from safelight.traffic.exchange import Exchange

#: Headers whose values are secrets.
_HEADERS: Final = frozenset(
    {"x-api-key", "authorization", "proxy-authorization", "cookie", "set-cookie", "x-safelight-token"}
)

#: Characters of a text that is kept.
_MAX_CACHED_CHARACTERS: Final = 500

_Found = TypeVar("_Found", Violation, Advice)

_redacted_again = lru_cache(256)(redacted)


def without_keys(exchange: Exchange, keys: AbstractSet[str] = NO_KEYS) -> Exchange:
    """An exchange of any origin without keys: neither those that are known, nor what looks like one."""
    found, remarks = exchange.violations, exchange.advice
    return exchange._replace(
        method=_again(exchange.method, keys),
        target=_again(exchange.target, keys),
        headers=without_secrets(exchange.headers, keys),
        body=redacted_bytes(exchange.body, keys),
        media_type=_again(exchange.media_type, keys),
        answer=redacted_bytes(exchange.answer, keys),
        answer_headers=without_secrets(exchange.answer_headers, keys),
        operation=exchange.operation and _again(exchange.operation, keys),
        task_id=exchange.task_id and _again(exchange.task_id, keys),
        violations=[replace(_without_key(one, keys), rule=redacted(one.rule, keys)) for one in found] if found else [],
        advice=[_without_key(one, keys) for one in remarks] if remarks else [],
        fault=_again(exchange.fault, keys),
        wire=_again(exchange.wire, keys),
        key=_again(exchange.key, keys),
        leaks=tuple(_again(place, keys) for place in exchange.leaks) if exchange.leaks else (),
    )


def _again(text: str, keys: AbstractSet[str]) -> str:
    """As `redacted`. Kept where it is short, as a client asks the same again and again."""
    if not text:
        return text
    return _redacted_again(text, keys) if len(text) <= _MAX_CACHED_CHARACTERS else redacted(text, keys)


def without_secrets(headers: Mapping[str, str], keys: AbstractSet[str]) -> Mapping[str, str]:
    """The headers without keys, wherever a client put them."""
    return _without_secrets(tuple(headers.items()), keys) if headers else headers


@lru_cache(256)
def _without_secrets(headers: tuple[tuple[str, str], ...], keys: AbstractSet[str]) -> Mapping[str, str]:
    """Kept, as a client sends the same headers again and again."""
    return {redacted(name, keys): "..." if name in _HEADERS else redacted(value, keys) for name, value in headers}


def _without_key(found: _Found, keys: AbstractSet[str]) -> _Found:
    """A violation or advice without keys: its message shows what was sent."""
    return replace(found, pointer=redacted(found.pointer, keys), message=redacted(found.message, keys))


def redacted_value(value: Any, keys: AbstractSet[str] = NO_KEYS) -> Any:
    """A JSON value without keys."""
    match value:
        case str():
            return redacted(value, keys)
        case dict():
            return {_name(name, keys): redacted_value(child, keys) for name, child in value.items()}
        case list() | tuple():
            return [redacted_value(child, keys) for child in value]
        case _:
            return value


def _name(name: str, keys: AbstractSet[str]) -> str:
    """The name of a member; that of a parameter stays, though somebody may have it for a key."""
    return name if _PARAMETER.fullmatch(name) else redacted(name, keys)


#: A parameter of the API, or an input of its graphs.
_PARAMETER: Final = re.compile(r"[A-Za-z_]{1,24}")
