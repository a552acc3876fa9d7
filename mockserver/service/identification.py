"""Stages: whose request it is, and whether the key is accepted."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from safelight.mockserver.model.keys import fingerprint, sent_key
from safelight.mockserver.model.messages import Refused
from safelight.mockserver.service.hints import why_refused

if TYPE_CHECKING:
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service


def identify(service: Service, call: Call) -> None:
    """Find the key and its session. Where any key is welcome, the session is opened."""
    if not call.way:
        call.key, call.way = sent_key(call.request)
    state = service.sessions.look(call.key)
    if state:
        call.clock = state.clock
    call.began = call.clock.now()
    if state:
        call.session_name, call.session_key, call.settings = fingerprint(call.key), call.key, state.settings
        call.is_revoked = state.revoked


def admit(_: Service, call: Call) -> None:
    """Refuse a key that is unknown or revoked, and keep a hint for the journal."""
    if call.settings is None or call.is_revoked:
        call.advice = partial(why_refused, call.home, call.key, call.way, is_revoked=call.is_revoked)
        raise Refused(HTTPStatus.UNAUTHORIZED, "Unauthorized: Invalid API Key")
