"""What happens below HTTP instead of an answer: a value on the reply that each transport carries out."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from math import inf
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Callable, Generator, Iterator, Mapping

    from safelight.mockserver.model.messages import Reply


class Connection(Protocol):
    """The connection of a request, where the server hands it on."""

    transport: Transport

    def await_silence(self, seconds: float) -> None:
        """Say that nothing will be sent for so long."""
        ...


#: Under this name the server hands the connection to the application, among the extensions of the scope.
EXTENSION: Final = "safelight.transport"


#: Seconds between two pieces of what is sent slowly, but for the slowest.
_BEAT: Final = 0.05


@dataclass(frozen=True, slots=True)
class Send:
    """These bytes, as they are; at `rate` bytes a second, or at once."""

    data: bytes
    rate: float = inf

    @property
    def takes_time(self) -> bool:
        """It is sent slowly."""
        return self.rate < inf

    def pieces(self) -> Iterator[tuple[bytes, float]]:
        """What is sent, and the seconds of silence after each piece."""
        if not self.takes_time:
            yield self.data, 0
            return
        size = max(1, int(self.rate * _BEAT))
        for at in range(0, len(self.data), size):
            yield self.data[at : at + size], size / self.rate


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing, for so many seconds, or until the client leaves."""

    seconds: float = inf

    takes_time = True

    def pieces(self) -> Iterator[tuple[bytes, float]]:
        """As above: nothing, and silence."""
        yield b"", self.seconds


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

    def pieces(self, deliver: Callable[[], object], end: Callable[[int], object]) -> Generator[tuple[bytes, float]]:
        """What is sent, and the seconds of silence after each piece.

        `deliver` is called when the fault reaches the client: with the first step that takes time, as clients leave
        in it, or else before the last step, so that who has had that finds it counted. `end` is called with the bytes
        that were sent once it is over, for the same reason before the last bytes; and when the caller closes this.
        """
        steps = self.steps or (Send(b""),)
        reaching = next((at for at, step in enumerate(steps) if step.takes_time), len(steps) - 1)
        sent, is_over = 0, False
        try:
            for at, step in enumerate(steps, 1):
                if at == reaching + 1:
                    deliver()
                for data, seconds in step.pieces():
                    sent += len(data)
                    if at == len(steps) and sent == self.size and not seconds:
                        is_over = True
                        end(sent)
                    yield data, seconds
        finally:
            if not is_over:
                end(sent)


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
