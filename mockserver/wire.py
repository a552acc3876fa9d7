"""What happens below HTTP instead of an answer: a value on the reply, which each door carries out in its own way."""

from __future__ import annotations

import socket
import struct
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from asyncio import Transport
    from collections.abc import Callable, Mapping

#: Under this name the server hands the connection to the application, among the extensions of the scope.
EXTENSION: Final = "safelight.transport"


class Wire(StrEnum):
    """What becomes of the connection."""

    RESET = "reset"


class AnswerLost(ConnectionResetError):
    """What a client without a socket gets in the place of an answer that was lost."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(f"the answer was lost on its way: {wire}, as planned")


def _reset(transport: Transport) -> None:
    """End the connection with RST: that is what closing does to a socket that must not linger."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


#: What a server does to its connection.
ON_SOCKET: Final[Mapping[Wire, Callable[[Transport], None]]] = {Wire.RESET: _reset}

#: What HTTP libraries raise when it happens to them; httpx and httpx2 use the same names.
ERRORS: Final[Mapping[Wire, str]] = {Wire.RESET: "ReadError"}
