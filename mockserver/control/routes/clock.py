"""The session's clock: looked at, and moved along, scaled or frozen."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from safelight.mockserver.control.forms import clock_form
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import Refused


@route("GET", "/clock")
def get_clock(asked: ControlCall) -> Mapping[str, Any]:
    """Say what time it is in the session."""
    return clock_form(asked.session)


@route("POST", "/clock", body="clock")
def adjust_clock(asked: ControlCall) -> Mapping[str, Any]:
    """Let time pass at once, run at another speed, stand still or go on: one of them."""
    [(verb, value)] = asked.body.items()
    if not hasattr(asked.session.clock, verb):
        kind = clock_form(asked.session)["kind"]
        reason = f"A {kind} clock cannot {verb}, and this session has one: PUT /_safelight/session gives it another"
        raise Refused(HTTPStatus.CONFLICT, reason)
    getattr(asked.session.clock, verb)(value)
    return clock_form(asked.session)
