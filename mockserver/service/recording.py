"""Stage: the exchange is written down, without keys, and handed to the listeners."""

from __future__ import annotations

from email.utils import formatdate
from time import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from safelight.mockserver.model import second_origin
from safelight.mockserver.model.keys import fingerprint
from safelight.traffic.exchange import Exchange
from safelight.traffic.leaks import leaks
from safelight.traffic.redaction import (
    redacted,
    redacted_again,
    redacted_bytes,
    without_key,
    without_keys,
    without_secrets,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safelight.mockserver.model.messages import Reply
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service

#: Bytes of an answer that are written down. The fake's own are far smaller; a fault's need not be.
MAX_ANSWER_BYTES: Final = 100_000

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

#: Bytes that a key can take, whatever its spelling.
_MAX_KEY_BYTES: Final = 2_000


def record(service: Service, call: Call) -> None:
    """Write the exchange into the journal of its session, or among the orphans."""
    request, reply, key = call.request, call.reply, call.secret
    advice = [*second_origin.leaks(request, call.key), *call.advice]
    exchange = Exchange(
        at=service.now(call.session_name) if call.at is None else call.at,
        method=redacted_again(request.method, key),
        target=redacted_again(f"{request.path}?{request.query}".rstrip("?"), key),
        headers=without_secrets(request.headers, key),
        body=redacted_bytes(request.body or b"", key),
        status=reply.status,
        media_type=reply.media_type,
        answer=_kept(reply, key),
        operation=call.operation,
        task_id=call.task_id and redacted(call.task_id, key),
        phase=call.phase,
        violations=[without_key(one, key) for one in call.violations] if call.violations else [],
        advice=[without_key(one, key) for one in advice] if advice else advice,
        fault=str(call.strike.rule) if call.strike else "",
        wire=reply.wire.name if reply.wire and not reply.wire.whole else "",
        gap=call.gap,
        key=fingerprint(call.key) if call.key and call.key == call.session_key else "",
        leaks=tuple(redacted(place, key) for place in _leaks(service, call)),
        answer_headers=_retry_after(reply),
    )
    if call.session_key and call.key not in ("", call.session_key):  # the picture of another one's
        exchange = without_keys(exchange, call.key)
    service.tell(call.session_name or None, exchange)


def _leaks(service: Service, call: Call) -> Sequence[str]:
    """The places of a request that hold a key; without a session's own key, that of any session which is open here."""
    request, keys = call.request, dict.fromkeys((call.session_key, call.key))
    if not call.session_key:
        keys |= dict.fromkeys(service.sessions.few_keys())
    return leaks(f"{request.path}?{request.query}", request.headers, request.body or b"", keys)


def _retry_after(reply: Reply) -> Mapping[str, str]:
    """What an answer says of the time to wait, and when it said so where that is a date."""
    wait = reply.headers.get("retry-after")
    if wait is None:
        return _NO_HEADERS
    now = {} if wait.isdecimal() else {"date": formatdate(time(), usegmt=True)}
    return {"content-type": reply.media_type, "retry-after": wait, **now}


def _kept(reply: Reply, key: str) -> bytes:
    """An answer as it is written down: JSON, without keys, nor half a key at the end of what is too large."""
    if reply.media_type != "application/json":
        return b""
    kept = redacted_bytes(reply.body[:MAX_ANSWER_BYTES], key)
    return kept if len(reply.body) <= MAX_ANSWER_BYTES else kept[:-_MAX_KEY_BYTES]
