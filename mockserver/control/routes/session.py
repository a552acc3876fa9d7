"""The session of a key: opened with settings of its own, reset, looked at, closed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.control.forms import clock_form, credits_form, settings_form
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.control.routes.plan import read_rules
from safelight.mockserver.model.clock import SteeredClock, VirtualClock
from safelight.mockserver.sessions.options import LIVES, checked, settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.model.clock import Clock
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.sessions.session import Session

#: Settings that are about the session and not about its tasks' lives.
_OF_SESSION: Final = ("slots", "balance", "prices", "down", "vocabulary", "errors", "limits")

_CLOCK: Final = frozenset({"clock", "speed", "seed"})


@route("PUT", "/session", body="session", enters=True)
def put_session(asked: ControlCall) -> Mapping[str, Any]:
    """Open a session for the key, or begin it anew. What is left out is as the server was told at its start."""
    key, sessions, told = asked.own_key, asked.service.sessions, asked.body
    clock = _clock(told)
    before = sessions.look(key)
    usual = replace(sessions.settings, user=before.settings.user if before else None)
    sessions.open(key, _settings(told, usual), clock, told.get("seed"))
    with asked.entering() as session:
        return _form(asked, session)


@route("GET", "/session")
def get_session(asked: ControlCall) -> Mapping[str, Any]:
    """Say what the session is like, and how much it has of everything."""
    return _form(asked, asked.session)


@route("DELETE", "/session")
def delete_session(asked: ControlCall) -> Mapping[str, Any]:
    """Close the session, and forget all that it kept. Its key is unknown from now on, unless any key is welcome."""
    session = asked.session
    asked.service.sessions.close(session.key)
    return {"fingerprint": session.name}


def _settings(told: Mapping[str, Any], usual: Settings) -> Settings:
    """The settings of a session: what it is told, in the place of what is usual."""
    rules = read_rules(told.get("faults", ()), "faults")
    has_life = bool(LIVES & told.keys())
    # Where nothing is said of time, the rest is checked beside a life in seconds, which goes with everything.
    life = {} if has_life else {"queued": 0}
    own = settings_of(checked(life | {name: value for name, value in told.items() if name not in _CLOCK}))
    said: dict[str, Any] = {name: getattr(own, name) for name in _OF_SESSION if name in told}
    if has_life:
        said |= {"profile": own.profile, "workflows": {}}
    elif {"fail", "fail_rate"} & told.keys():
        said["profile"] = replace(usual.profile, fail_rate=own.profile.fail_rate, fail_reason=own.profile.fail_reason)
    if "faults" in told:
        said["plan"] = tuple(map(str, rules))
    return replace(usual, **said)


def _clock(told: Mapping[str, Any]) -> Clock | None:
    """The clock that is asked for; None: such as every session has."""
    if told.get("clock") == "virtual":
        if "speed" in told:
            raise ValueError("a virtual clock stands still until it is advanced: leave out speed")
        return VirtualClock()
    return SteeredClock(told.get("speed", 1)) if {"clock", "speed"} & told.keys() else None


def _form(asked: ControlCall, session: Session) -> Mapping[str, Any]:
    journal = asked.service.sessions.store.journal(session.name)
    return {
        "fingerprint": session.name,
        "settings": settings_form(session.settings, [str(rule) for rule in session.plan]),
        "clock": clock_form(session),
        "seed": session.data.seed,
        "balance": credits_form(session.credits),
        "tasks": len(session.data.tasks),
        "next": len(session.data.overrides),
        "exchanges": len(journal),
        "dropped": journal.dropped,
    }
