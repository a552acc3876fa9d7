"""The session of a key: opened with settings of its own, reset, looked at, closed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from safelight.mockserver.control.forms import clock_form, credits_form, settings_form
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.clock import AdjustableClock, VirtualClock
from safelight.mockserver.sessions.opening import settings_of
from safelight.mockserver.sessions.setting import read
from safelight.mockserver.sessions.table import CONFLICTS, CONTROL
from safelight.traffic.journal import MAX_NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.model.clock import Clock
    from safelight.mockserver.model.session_state import SessionState
    from safelight.mockserver.sessions.session import Session


@route("PUT", "/session", body="session", enters=True)
def put_session(asked: ControlCall) -> Mapping[str, Any]:
    """Open a session for the key, or begin it anew. What is left out is as it was at the start of the server."""
    key, sessions, given = asked.own_key, asked.service.sessions, read(asked.body, CONTROL, CONFLICTS)
    clock = _clock(given)
    before = sessions.look(key)
    usual = replace(sessions.settings, user=before.settings.user if before else None)
    sessions.open(key, settings_of(given, usual), clock, given.get("seed"))
    with asked.entering() as session:
        return _form(asked, session)


@route("GET", "/session")
def get_session(asked: ControlCall) -> Mapping[str, Any]:
    """Say what the session is like, and how much it has of everything."""
    return _form(asked, asked.session)


@route("GET", "/sessions", is_own=False)
def get_sessions(asked: ControlCall) -> Mapping[str, Any]:
    """List the open sessions. The fingerprint of one, as header x-safelight-session, chooses it without its key.

    With them comes the origin that the URLs of answers begin with.
    """
    store = asked.service.sessions.store
    found = {name: state for name in store.names() if (state := store.look(name))}
    sessions = [_summary(name, state) for name, state in found.items()]
    return {"sessions": sessions, "origin": asked.request.origin}


@route("DELETE", "/session")
def delete_session(asked: ControlCall) -> Mapping[str, Any]:
    """Close the session, and forget all that it kept. Its key is unknown from now on, unless any key is welcome."""
    session = asked.session
    asked.service.sessions.close(session.key)
    return {"fingerprint": session.name}


def _summary(name: str, state: SessionState) -> Mapping[str, Any]:
    user = state.settings.user
    return {"fingerprint": name, "user": user.name if user else None, "tasks": len(state.tasks)}


def _clock(given: Mapping[str, Any]) -> Clock | None:
    """The clock that is asked for; None: such as every session has."""
    if given.get("clock") == "virtual":
        return VirtualClock()
    return AdjustableClock(given.get("speed", 1)) if {"clock", "speed"} & given.keys() else None


def _form(asked: ControlCall, session: Session) -> Mapping[str, Any]:
    journal = asked.service.sessions.store.part(session.name, MAX_NUMBER)
    return {
        "fingerprint": session.name,
        "settings": settings_form(session.settings, [str(rule) for rule in session.plan]),
        "clock": clock_form(session),
        "seed": session.data.seed,
        "balance": credits_form(session.credits),
        "tasks": len(session.data.tasks),
        "next": len(session.data.overrides),
        "exchanges": journal.last - journal.dropped,
        "dropped": journal.dropped,
    }
