"""A session of the fake from checked options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.sessions.opening import settings
from safelight.mockserver.sessions.table import SESSION
from safelight.testing.backends.shared import SharedBackend, chosen_clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.testing.backends.shared import SharedServer

#: The settings of time in seconds.
_SECONDS: Final = frozenset({"queued", "running", "timeline"})


def shared_backend(server: SharedServer, key: str, options: Mapping[str, Any]) -> SharedBackend:
    """A session on this server; the options are checked ones.

    It is on a virtual clock. A task profile in seconds turns virtual time on unless the options turn it off: on a
    clock that stands still nothing would ever end.
    """
    own = {name: value for name, value in options.items() if name in SESSION}
    speed = options.get("speed")
    virtual_time = options.get("virtual_time", True if _SECONDS & options.keys() else None) if speed is None else False
    given = VirtualClock() if virtual_time is False and speed is None else None
    clock = chosen_clock(given, virtual_time=virtual_time, speed=speed)
    return SharedBackend(server, key, settings(own), clock=clock, virtual_time=virtual_time)
