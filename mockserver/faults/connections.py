"""Faults below HTTP: what becomes of the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.mockserver.faults import fault
from safelight.mockserver.wire import RESET

if TYPE_CHECKING:
    from safelight.mockserver.messages import Reply


@fault
class Reset:
    """Reset the connection in the place of an answer: the client never learns what became of its request."""

    def strike(self, reply: Reply) -> Reply:
        """The same reply, which is lost."""
        return reply._replace(wire=RESET)
