"""What went over the wire, as values: exchanges, and pure functions over them.

The modules `har` and `ndjson` read and write them, `expectations` and `transcript` judge and show them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from safelight.traffic.exchange import Exchange
    from safelight.traffic.expectations import UnmetExpectation
    from safelight.traffic.journal import Journal
    from safelight.traffic.ndjson import Unreadable

__all__ = ["Exchange", "Journal", "UnmetExpectation", "Unreadable"]

#: Name -> the module that has it, imported when the name is first used.
_MODULES: Final = {
    "Exchange": "safelight.traffic.exchange",
    "Journal": "safelight.traffic.journal",
    "UnmetExpectation": "safelight.traffic.expectations",
    "Unreadable": "safelight.traffic.ndjson",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
