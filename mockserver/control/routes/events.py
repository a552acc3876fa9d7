"""The journal of a session as it grows: server-sent events, each exchange under a number from which to go on."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from safelight.contracts.secrets import with_keys
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.messages import Refused, Reply, Stream
from safelight.mockserver.service.effort import Effort
from safelight.mockserver.service.service import Service
from safelight.mockserver.service.workers import in_worker
from safelight.mockserver.storage.store import NoSession, StoreGone
from safelight.traffic.exchange import Exchange, abridged
from safelight.traffic.ndjson import exchange_form
from safelight.traffic.redaction import redacted_value

#: Listeners of one process at a time: each holds a connection.
MAX_LISTENERS: Final = 32

#: Seconds until a listener's journal is looked at again: in memory, and where that waits for a disk or a network.
_LOOK_AGAIN_SECONDS: Final = {False: 0.1, True: 1.0}

#: Looks without anything new after which a listener is told that the server is still there.
_QUIET_LOOKS: Final = 100

#: A line that says nothing.
_STILL_HERE: Final = b":\n\n"

_LISTENING: Final[set[object]] = set()


@route("GET", "/events", enters=True, media_type="text/event-stream")
def get_events(asked: ControlCall) -> Stream:
    """Tell each exchange as it is written down: server-sent events, which go on after the Last-Event-ID."""
    asked.looked_at  # noqa: B018 - refuses where there is no session
    if len(_LISTENING) >= MAX_LISTENERS:
        reason = f"{MAX_LISTENERS} listeners are connected, and that is the most: close a page that shows this fake"
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, reason)
    listener = _Listener(asked.service, asked.own_key, asked.request.headers.get("last-event-id", ""))
    return Stream(Reply(200, b"", "text/event-stream"), _told(listener))


async def _told(listener: "_Listener") -> AsyncGenerator[bytes, None]:
    """What a listener is told, for ever."""
    _LISTENING.add(listener)
    quiet = 0
    try:
        while True:
            events: list[bytes] = await in_worker(Effort.CONTROL, partial(list, listener.news()))
            quiet = 0 if events else quiet + 1
            for event in events:
                yield event
            if quiet == _QUIET_LOOKS:
                quiet = 0
                yield _STILL_HERE
            await asyncio.sleep(listener.seconds)
    finally:
        _LISTENING.discard(listener)


class _Listener:
    """What one listener has been told."""

    def __init__(self, service: Service, key: str, last_event: str) -> None:
        self._service, self._key, self._store = service, key, service.sessions.store
        #: Which session of this key, and up to which number.
        self._identity, _, number = last_event.partition(":")
        self._number = int(number) if number.isdecimal() and len(number) < _MAX_DIGITS else 0
        #: Number -> an exchange that has not ended yet, as it was told.
        self._unended: dict[int, Exchange] = {}
        self.seconds = _LOOK_AGAIN_SECONDS[self._store.does_io]

    def news(self) -> Iterator[bytes]:
        """The events since the last time."""
        try:
            yield from self._news()
        except NoSession:
            yield from self._session("", closed=True)
        except StoreGone:
            yield _STILL_HERE

    def _news(self) -> Iterator[bytes]:
        name = fingerprint(self._key)
        state = self._store.look(name)
        if state is None:
            raise NoSession
        yield from self._session(state.identity)
        part = self._store.part(name, self._number, self._unended)
        if self._number > part.last:  # of another journal, or made up: all of this one is news
            self._number = 0
            part = self._store.part(name, 0)
        self._unended = {number: one for number, one in self._unended.items() if number > part.dropped}
        for number, exchange in part.numbered:
            if self._unended.get(number) != exchange:
                yield self._exchange(number, exchange, state.began)

    def _session(self, identity: str, *, closed: bool = False) -> Iterator[bytes]:
        """That another session has begun, or that there is none any more."""
        if identity != self._identity:
            self._identity, self._number = identity, 0
            self._unended.clear()
            yield _event("closed" if closed else "began", {"session": identity})

    def _exchange(self, number: int, exchange: Exchange, began: float) -> bytes:
        self._number = max(number, self._number)
        self._unended.pop(number, None)
        if exchange.took is None:
            self._unended[number] = exchange
        form = {"number": number, **exchange_form(abridged(exchange), began)}
        secrets = with_keys(self._service.sessions.secrets, self._key)
        return _event("exchange", redacted_value(form, secrets), f"{self._identity}:{number}")


#: Digits of a number that no journal comes to.
_MAX_DIGITS: Final = 16


def _event(kind: str, data: Any, number: str = "") -> bytes:
    """An event. JSON in ASCII is one line, whatever stands in it."""
    named = f"id: {number}\n" if number else ""
    return f"{named}event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
