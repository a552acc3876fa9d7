"""What happens below HTTP instead of an answer: a value on the reply that each transport carries out."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Callable, Mapping

    from safelight.mockserver.model.messages import Reply

#: Under this name the server hands the connection to the application, among the extensions of the scope.
EXTENSION: Final = "safelight.transport"


@dataclass(frozen=True, slots=True)
class Send:
    """These bytes, as they are; at `rate` bytes a second, or at once."""

    data: bytes
    rate: float = inf


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing, for so many seconds of the wall, or until the client leaves."""

    seconds: float = inf


class End(StrEnum):
    """How a connection ends."""

    RESET = "reset"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Wire:
    """What is done to a connection in the place of an answer: steps, then its end. Transcripts tell its name."""

    name: str
    steps: tuple[Send | Wait, ...] = ()
    end: End = End.CLOSE
    #: The answer arrives all the same, only not as usual.
    whole: bool = False

    @property
    def is_silent(self) -> bool:
        """The client never gets a byte."""
        return not any(isinstance(step, Send) for step in self.steps)

    @property
    def size(self) -> int:
        """Bytes that are sent, if the client stays."""
        return sum(len(step.data) for step in self.steps if isinstance(step, Send))

    @property
    def error(self) -> str:
        """What httpx and httpx2 raise when it happens to them; empty where the answer arrives."""
        if self.whole:
            return ""
        if Wait() in self.steps:
            return "ReadTimeout"
        return "ReadError" if self.end is End.RESET else "RemoteProtocolError"


#: The errors of HTTP libraries that a `Wire` comes to.
ERRORS: Final = ("ReadError", "ReadTimeout", "RemoteProtocolError")

#: The connection is reset, with nothing sent.
RESET: Final = Wire("reset", end=End.RESET)


class AnswerLost(ConnectionResetError):
    """What a client without a socket gets in the place of an answer that was lost."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(f"the answer was lost on its way: {wire.name}, as planned")


def raw(reply: Reply, *, length: int | None = None, **headers: str) -> bytes:
    """The whole answer as it stands on the wire; `length` is what it says instead of its own, -1 nothing."""
    known = reply.status in list(HTTPStatus)
    start = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase if known else ''}".rstrip()
    stated = len(reply.body) if length is None else length
    is_head = reply.request is not None and reply.request.method == "HEAD"
    named = {"cache-control": "no-store", **reply.headers, "content-type": reply.media_type, "connection": "close"}
    named |= {"content-length": str(stated)} if stated >= 0 else {}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [start, *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + (b"" if is_head else reply.body)


def _reset(transport: Transport) -> None:
    """End the connection with RST: that is what closing does to a socket that must not linger."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


#: What a server does to its connection at the end.
ON_SOCKET: Final[Mapping[End, Callable[[Transport], None]]] = {
    End.RESET: _reset,
    End.CLOSE: lambda transport: transport.close(),
}
