"""What it takes to answer a request: a moment, or a worker thread of one kind or another."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from safelight.mockserver.operations.results import UPLOADS

if TYPE_CHECKING:
    from safelight.mockserver.model.messages import Request

#: Bytes of a body that takes so long to check that a transport does better to call from a worker thread.
_HEAVY_BYTES: Final = 20_000


class Effort(StrEnum):
    """What most of the time goes to. Each but a moment has worker threads of its own."""

    MOMENT = "moment"
    #: A disk or a network is waited for.
    STORE = "store"
    #: A large body is parsed and checked.
    CHECKING = "checking"
    DRAWING = "drawing"
    #: A control route looks at a session, which may be large.
    CONTROL = "control"


def effort_of(request: Request, *, store_does_io: bool) -> Effort:
    """What it takes to answer a request."""
    if UPLOADS in request.path:
        return Effort.DRAWING
    if len(request.body or b"") > _HEAVY_BYTES:
        return Effort.CHECKING
    return Effort.STORE if store_does_io else Effort.MOMENT
