"""Faults below HTTP: what becomes of the connection."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.checks import check_number
from safelight.mockserver.faults.catalogue.contents import Id
from safelight.mockserver.model.wire import RESET, End, Send, Wait, Wire, raw

if TYPE_CHECKING:
    from safelight.mockserver.model.messages import Reply

#: Nothing at all, and the end.
_CLOSED: Final = Wire("close")


def _begun(reply: Reply, percent: int = 50) -> bytes:
    """The answer as it stands on the wire, with so much of its body."""
    size = len(reply.body)
    return raw(reply._replace(body=reply.body[: size * percent // 100]), length=size)


@fault
class Reset:
    """Reset the connection in the place of an answer: the client never learns what became of its request."""

    def strike(self, reply: Reply) -> Reply:
        """The same reply, which is lost."""
        return reply._replace(wire=RESET)


@fault
class Close:
    """Close the connection in the place of an answer, without a byte."""

    def strike(self, reply: Reply) -> Reply:
        """The same reply, which is lost."""
        return reply._replace(wire=_CLOSED)


@fault
class Cut:
    """Reset the connection when so many percent of the body are sent, 0 to 99."""

    alters = True

    percent: int = 50

    def __post_init__(self) -> None:
        check_number(self.percent, 0, 99, "percent of cut")

    def strike(self, reply: Reply) -> Reply:
        """The first part of it, and no more."""
        return reply._replace(wire=Wire("cut", (Send(_begun(reply, self.percent)),), End.RESET))


@fault
class Hang:
    """Say nothing for so many seconds before the answer, or for ever."""

    seconds: float = inf

    def __post_init__(self) -> None:
        check_number(self.seconds, 0, inf, "seconds of hang")

    @property
    def alters(self) -> bool:
        """What is only late was carried out."""
        return self.seconds < inf

    def strike(self, reply: Reply) -> Reply:
        """The same reply, late or never."""
        if self.seconds == inf:
            return reply._replace(wire=Wire("hang", (Wait(),)))
        return reply._replace(wire=Wire("hang", (Wait(self.seconds), Send(raw(reply))), whole=True))


@fault
class Stall:
    """Send half of the body, and then nothing, for ever."""

    alters = True

    def strike(self, reply: Reply) -> Reply:
        """The first half of it, and no end."""
        return reply._replace(wire=Wire("stall", (Send(_begun(reply)), Wait())))


@fault
class Drip:
    """Send the whole answer at so many bytes a second."""

    alters = True

    rate: float = 100.0

    def __post_init__(self) -> None:
        check_number(self.rate, 0.01, 1e12, "rate of drip")

    def strike(self, reply: Reply) -> Reply:
        """The same reply, slowly; its last byte is a step of its own, so that it counts as delivered then."""
        data = raw(reply)
        return reply._replace(wire=Wire("drip", (Send(data[:-1], self.rate), Send(data[-1:])), whole=True))


@fault
class Idle:
    """Send the whole answer, say that the connection is kept, and close it."""

    alters = True

    def strike(self, reply: Reply) -> Reply:
        """The same reply, and nobody there for the next request."""
        return reply._replace(wire=Wire("idle", (Send(raw(reply, connection="keep-alive")),), whole=True))


@fault
class Mixed:
    """Send half of the body, and then the whole answer of another task, with its headers."""

    alters = True

    def strike(self, reply: Reply) -> Reply:
        """As many bytes as the answer has, by its length, and some more."""
        body = reply.body[: len(reply.body) // 2] + raw(Id("other").strike(reply))
        wire = Wire("mixed", (Send(raw(reply._replace(body=body), length=len(reply.body))),), whole=True)
        return reply._replace(body=body[: len(reply.body)], wire=wire)
