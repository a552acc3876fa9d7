"""Other libraries that hold or move the time of a test: what they say goes, and those that tick are moved along."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

# It looks for Python's functions where they are when it is loaded, and must not find ours: it would crash.
with suppress(ImportError):
    import_module("_time_machine")


def traveller() -> Any:
    """What says to where a test travels with time-machine; None: it does not."""
    travellers = getattr(sys.modules.get("time_machine"), "traveller_stack", None)
    return travellers[-1] if travellers else None


def move_along(seconds: float) -> None:
    """Let the others' time pass too, where it passes. What freezegun lets tick does so by itself: it follows ours."""
    if (one := traveller()) and one._tick:  # noqa: SLF001 - there is no public way to it
        one.shift(float(seconds))


def holder() -> str:
    """The library that lets the time of the test stand still, if one does."""
    if (one := traveller()) and not one._tick:  # noqa: SLF001 - as above
        return "time-machine"
    ticks = getattr(sys.modules.get("freezegun.api"), "tick_flags", None)
    return "freezegun" if ticks and not ticks[-1] else ""
