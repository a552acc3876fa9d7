"""Stage: the exchange is written down, without keys, and handed to the listeners."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from safelight.mockserver.model import second_origin
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.messages import Reply, http_date
from safelight.traffic.exchange import Exchange
from safelight.traffic.leaks import leaks
from safelight.traffic.redaction import without_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service

#: Bytes of an answer that are written down. The fake's own are far smaller; a fault's need not be.
MAX_ANSWER_BYTES: Final = 100_000


#: Bytes that a key can take, whatever its spelling.
_MAX_KEY_BYTES: Final = 2_000


#: What a client got that got nothing.
_NOTHING: Final = Reply(0, b"", "", {})


def record(service: Service, call: Call) -> None:
    """Write the exchange into the journal of its session, or among the orphans."""
    reply = call.reply
    exchange = without_keys(_exchange(service, call), service.secrets(call))
    if len(reply.body) > MAX_ANSWER_BYTES and exchange.answer:  # half a key may stand at its end
        exchange = exchange._replace(answer=exchange.answer[:-_MAX_KEY_BYTES])
    service.tell(call.session_name or None, exchange)
    if reply.wire:
        call.reply = reply._replace(on_end=partial(_end, service, call, exchange))


def _exchange(service: Service, call: Call) -> Exchange:
    request, reply = call.request, call.reply
    arrived = _NOTHING if reply.wire and reply.wire.is_silent else reply
    is_head = request.method == "HEAD"
    return Exchange(
        at=service.now(call.session_name) if call.at is None else call.at,
        method=request.method,
        target=f"{request.path}?{request.query}".rstrip("?"),
        headers=request.headers,
        body=request.body or b"",
        status=arrived.status,
        media_type=arrived.media_type,
        answer=arrived.body[:MAX_ANSWER_BYTES] if arrived.media_type == "application/json" else b"",
        operation=call.operation,
        task_id=call.task_id,
        phase=call.phase,
        violations=call.violations,
        advice=[*second_origin.advice(request, call.key), *call.advice],
        fault=str(call.strike.rule) if call.strike else "",
        wire=reply.wire.name if reply.wire and not reply.wire.whole else "",
        answer_headers=_answer_headers(arrived, call.date),
        took=None if reply.wire else max(0.0, call.clock.now() - call.began),
        gap=call.gap,
        body_bytes=None if request.body is None else len(request.body),
        answer_bytes=0 if is_head else len(arrived.body),
        key=fingerprint(call.key) if call.key and call.key == call.session_key else "",
        leaks=tuple(_leaks(service, call)),
    )


def _end(service: Service, call: Call, exchange: Exchange, sent: int) -> None:
    """Write down how long it took, and what was not sent because the client had left."""
    wire, size = call.reply.wire, exchange.answer_bytes
    assert wire is not None
    assert size is not None
    ended = exchange._replace(took=max(0.0, call.clock.now() - call.began))
    if not sent:
        ended = ended._replace(wire=wire.name, status=0, media_type="", answer=b"", answer_headers={}, answer_bytes=0)
    elif sent < wire.size:
        size = max(0, size - (wire.size - sent))
        ended = ended._replace(wire=wire.name, answer=ended.answer[:size], answer_bytes=size)
    service.tell_end(call.session_name or None, ended, exchange)


def _leaks(service: Service, call: Call) -> Sequence[str]:
    """The places of a request that hold a key; without a session's own key, that of any session which is open here."""
    request, keys = call.request, dict.fromkeys((call.session_key, call.key))
    if not call.session_key:
        keys |= dict.fromkeys(service.sessions.few_keys())
    return leaks(f"{request.path}?{request.query}", request.headers, request.body or b"", keys)


def _answer_headers(reply: Reply, date: float | None) -> Mapping[str, str]:
    """The headers of an answer, and when it was said where it tells a date to wait for."""
    wait = reply.headers.get("retry-after", "")
    if not wait or wait.isdecimal():
        return reply.headers
    return {**reply.headers, "date": http_date(date)}
