"""Stage: the exchange is written down, and handed to the listeners without keys.

To decode it and to take the keys out costs more than to answer. So it is kept as it came where nobody looks yet: the
journal lets nothing out unread.
"""

from __future__ import annotations

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.model import second_origin
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.messages import Reply, http_date
from safelight.mockserver.service.effort import Effort
from safelight.mockserver.sessions.registry import secrets_of
from safelight.traffic.exchange import Exchange, size_of
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


#: What is kept of the parameters that were read.
_NO_DOCUMENT: Final[Mapping[str, Any]] = MappingProxyType({})

#: What a client got that got nothing.
_NOTHING: Final = Reply(0, b"", "", {})


def record(service: Service, call: Call) -> None:
    """Write the exchange into the journal of its session, or among the orphans."""
    unread = _Unread(service, call)
    call.document = _NO_DOCUMENT  # the body has it too
    reply, name = call.reply, call.session_name or None
    is_light = not reply.wire and len(reply.body) <= MAX_ANSWER_BYTES
    if is_light and (memory := service.memory) and service.effort_of(call.request) is Effort.MOMENT:
        memory.record(name, unread)
        return
    # What is heavy is read here, in its worker thread, and not by whoever asks for all.
    call.exchange = exchange = unread.read()
    service.sessions.store.record(name, exchange)
    if reply.wire:
        call.reply = reply._replace(on_end=partial(_end, service, call, exchange))


def tell(service: Service, call: Call) -> None:
    """Hand the exchange to the listeners, once it is kept, with all that it has changed."""
    if call.exchange:
        service.tell(call.session_name or None, call.exchange)


class _Unread:
    """A call that was answered, with all that decides how it reads and may change after it."""

    __slots__ = ("_at", "_call", "_exchange", "_leaked", "_secrets", "_took")

    def __init__(self, service: Service, call: Call) -> None:
        self._call: Call | None = call
        self._at = service.now(call.session_name) if call.at is None else call.at
        self._took = None if call.reply.wire else max(0.0, call.clock.now() - call.began)
        self._secrets = service.sessions.secrets
        # Without a session's own key, that of any session which is open here.
        self._leaked = () if call.session_key else service.sessions.few_keys()

    @property
    def size(self) -> int:
        """Bytes that keeping it costs, roughly."""
        if self._call is None:
            return self._exchange.size
        request, reply = self._call.request, self._call.reply
        texts = len(request.body or b"") + len(reply.body) + len(request.path) + len(request.query)
        return size_of(texts, request.headers)

    def read(self) -> Exchange:
        """The exchange without keys. It is made once, and what it was made of is let go."""
        call = self._call
        if call is None:
            return self._exchange
        exchange = without_keys(self._decoded(call), secrets_of(self._secrets, call.session_key, call.key))
        if len(call.reply.body) > MAX_ANSWER_BYTES and exchange.answer:  # half a key may stand at its end
            exchange = exchange._replace(answer=exchange.answer[:-_MAX_KEY_BYTES])
        self._exchange: Exchange = exchange
        self._call = None  # last, as another thread may be reading too
        return exchange

    def _decoded(self, call: Call) -> Exchange:
        request, reply = call.request, call.reply
        arrived = _NOTHING if reply.wire and reply.wire.is_silent else reply
        is_head = request.method == "HEAD"
        return Exchange(
            at=self._at,
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
            advice=[*second_origin.advice(request, call.key), *call.advice()],
            fault=str(call.strike.rule) if call.strike else "",
            wire=reply.wire.name if reply.wire and not reply.wire.whole else "",
            answer_headers=_answer_headers(arrived, call.date),
            took=self._took,
            gap=call.gap,
            body_bytes=None if request.body is None else len(request.body),
            answer_bytes=0 if is_head else len(arrived.body),
            key=fingerprint(call.key) if call.key and call.key == call.session_key else "",
            leaks=_leaks(call, self._leaked),
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


def _leaks(call: Call, keys: Sequence[str]) -> Sequence[str]:
    """The places of a request that hold a key: its own, that of its session, or one of these."""
    request = call.request
    own = dict.fromkeys((call.session_key, call.key, *keys))
    return leaks(f"{request.path}?{request.query}", request.headers, request.body or b"", own)


def _answer_headers(reply: Reply, date: float | None) -> Mapping[str, str]:
    """The headers of an answer, and when it was said where it tells a date to wait for."""
    wait = reply.headers.get("retry-after", "")
    if not wait or wait.isdecimal():
        return reply.headers
    return {**reply.headers, "date": http_date(date)}
