"""A `Wire` as a client reads it that has no socket: what it hears, how long it waits for that, and what it raises."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from math import inf
from typing import Final

import h11

from safelight.mockserver.model.messages import Reply
from safelight.mockserver.model.wire import End, Wire

#: The errors of httpx that a `Wire` comes to.
ERRORS: Final = ("ReadError", "ReadTimeout", "RemoteProtocolError")

#: Bytes of a head that a client reads.
_MAX_HEAD_BYTES: Final = 100_000


@dataclass(eq=False)
class Unreadable(Exception):
    """What a client raises in the place of an answer, or in the middle of it."""

    #: The name of httpx's error.
    error: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def played(wire: Wire, reply: Reply, method: str, patience: float = inf) -> Iterator[float | h11.Event]:
    """The events of an answer, and between them the seconds of silence. Raises `Unreadable`.

    `patience` is the client's: seconds of silence after which it gives up.
    """
    with closing(wire.pieces(reply.deliver, reply.end)) as pieces:
        yield from _heard(wire, pieces, method, patience)


def _heard(
    wire: Wire, pieces: Iterable[tuple[bytes, float]], method: str, patience: float
) -> Iterator[float | h11.Event]:
    reader, waited = _reader(method), 0.0
    for data, seconds in pieces:
        if data:
            waited = 0.0
            reader.receive_data(data)
            yield from _events(reader)
            if reader.their_state not in (h11.SEND_RESPONSE, h11.SEND_BODY):  # it was whole
                return
        if seconds > patience - waited:
            yield patience - waited
            raise Unreadable("ReadTimeout", f"nothing came for {patience:g} s: {wire.name}, as planned")
        if seconds:
            waited += seconds
            yield float(seconds)
    if wire.end is End.RESET:
        raise Unreadable("ReadError", f"the connection was reset: {wire.name}, as planned")
    if reader.their_state is h11.SEND_RESPONSE:
        raise Unreadable("RemoteProtocolError", "Server disconnected without sending a response.")
    reader.receive_data(b"")
    yield from _events(reader)


def _reader(method: str) -> h11.Connection:
    """What reads an answer to this method: httpx reads with the same."""
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
    reader.send(h11.Request(method="HEAD" if method == "HEAD" else "GET", target="/", headers=[("host", "fake")]))
    reader.send(h11.EndOfMessage())
    return reader


def _events(reader: h11.Connection) -> Iterator[h11.Event]:
    try:
        while isinstance(event := reader.next_event(), h11.Event):
            yield event
            if isinstance(event, h11.EndOfMessage):
                return
    except h11.RemoteProtocolError as error:
        raise Unreadable("RemoteProtocolError", str(error)) from None
