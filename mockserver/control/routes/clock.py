"""The session's clock: looked at, and moved along, scaled or frozen."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.control.forms import clock_form
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.clock import AdjustableClock, VirtualClock
from safelight.mockserver.model.messages import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What can be asked of a clock -> the clocks that do it.
_TAKERS: Final[Mapping[str, tuple[type[Any], ...]]] = {
    "advance": (VirtualClock, AdjustableClock),
    "scale": (AdjustableClock,),
    "freeze": (AdjustableClock,),
}


@route("GET", "/clock")
def get_clock(asked: ControlCall) -> Mapping[str, Any]:
    """Say what time it is in the session."""
    session = asked.session
    return clock_form(session)


@route("POST", "/clock", body="clock")
def steer_clock(asked: ControlCall) -> Mapping[str, Any]:
    """Let time pass at once, run at another speed, stand still or go on: one of them."""
    session = asked.session
    clock: Any = session.clock
    [(verb, value)] = asked.body.items()
    if not isinstance(clock, _TAKERS[verb]):
        kind = clock_form(session)["kind"]
        reason = f"A {kind} clock cannot {verb}, and this session has one: PUT /_safelight/session gives it another"
        raise Refused(HTTPStatus.CONFLICT, reason)
    getattr(clock, verb)(value)
    return clock_form(session)
