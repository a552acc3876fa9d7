"""A session of the fake from checked options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.sessions.table import SESSION
from safelight.testing.session import Safelight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.testing.shared import SharedServer

#: The settings of lives that pass with the time of a clock.
_SECONDS: Final = frozenset({"queued", "running", "timeline"})


def opened(host: SharedServer, key: str, told: Mapping[str, Any]) -> Safelight:
    """A session on this host; the options are checked ones.

    It is on a virtual clock. A task profile in seconds turns virtual time on unless the options turn it off: on a
    clock that stands still nothing would ever end.
    """
    own = {name: value for name, value in told.items() if name in SESSION}
    if "speed" in told:
        return Safelight(host=host, api_key=key, speed=told["speed"], **own)
    virtual_time = told.get("virtual_time", True if _SECONDS & told.keys() else None)
    clock = VirtualClock() if virtual_time is False else None
    return Safelight(host=host, api_key=key, clock=clock, virtual_time=virtual_time, **own)
