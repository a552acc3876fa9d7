"""Stage: an error is written as the dialect of its session writes errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from safelight.mockserver.model.messages import in_dialect

if TYPE_CHECKING:
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service


def word(service: Service, call: Call) -> None:
    """Write the reply in the dialect."""
    call.reply = in_dialect(call.reply, errors_of(service, call))


def errors_of(service: Service, call: Call) -> str:
    """The dialect of errors."""
    return settings_of(service, call).errors


def settings_of(service: Service, call: Call) -> Settings:
    """The settings of the session, and for a request without a session those of the only one there is."""
    return call.settings or service.sessions.only_settings()
