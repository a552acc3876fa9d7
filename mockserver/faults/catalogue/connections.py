"""Faults below HTTP: what becomes of the connection."""

from math import inf

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.contents import Id
from safelight.mockserver.faults.catalogue.settings import number
from safelight.mockserver.model.messages import Reply
from safelight.mockserver.model.wire import RESET, End, Send, Wait, Wire, raw


def _begun(reply: Reply, percent: int = 50) -> tuple[Reply, Send]:
    """The answer with so much of its body, and how that stands on the wire."""
    size = len(reply.body)
    begun = reply._replace(body=reply.body[: size * percent // 100])
    return begun, Send(raw(begun, length=size))


@fault
class Reset:
    """Reset the connection in the place of an answer: the client never learns what became of its request."""

    alters = False

    def strike(self, reply: Reply) -> Reply:
        return reply._replace(wire=RESET)


@fault
class Close:
    """Close the connection in the place of an answer, without a byte."""

    alters = False

    def strike(self, reply: Reply) -> Reply:
        return reply._replace(wire=Wire("close"))


@fault
class Cut:
    """Reset the connection when so many percent of the body are sent, 0 to 99."""

    percent: int = number(50, 0, 99)

    def strike(self, reply: Reply) -> Reply:
        begun, sent = _begun(reply, self.percent)
        return begun._replace(wire=Wire("cut", (sent,), End.RESET))


@fault
class Hang:
    """Say nothing for so many seconds before the answer, or for ever."""

    seconds: float = number(inf, 0, inf)

    @property
    def alters(self) -> bool:
        """What is only late was carried out."""
        return self.seconds < inf

    def strike(self, reply: Reply) -> Reply:
        if self.seconds == inf:
            return reply._replace(wire=Wire("hang", (Wait(),)))
        return reply._replace(wire=Wire("hang", (Wait(self.seconds), Send(raw(reply))), whole=True))


@fault
class Stall:
    """Send half of the body, and then nothing, for ever."""

    def strike(self, reply: Reply) -> Reply:
        begun, sent = _begun(reply)
        return begun._replace(wire=Wire("stall", (sent, Wait())))


@fault
class Drip:
    """Send the whole answer at so many bytes a second."""

    rate: float = number(100.0, 0.01, 1e12)

    def strike(self, reply: Reply) -> Reply:
        data = raw(reply)
        return reply._replace(wire=Wire("drip", (Send(data[:-1], self.rate), Send(data[-1:])), whole=True))


@fault
class Idle:
    """Send the whole answer, say that the connection is kept, and close it."""

    def strike(self, reply: Reply) -> Reply:
        return reply._replace(wire=Wire("idle", (Send(raw(reply, connection="keep-alive")),), whole=True))


@fault
class Mixed:
    """Send half of the body, and then the whole answer of another task, with its headers."""

    def strike(self, reply: Reply) -> Reply:
        body = reply.body[: len(reply.body) // 2] + raw(Id("other").strike(reply))
        wire = Wire("mixed", (Send(raw(reply._replace(body=body), length=len(reply.body))),), whole=True)
        return reply._replace(body=body[: len(reply.body)], wire=wire)
