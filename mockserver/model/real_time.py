"""The functions of `time` as Python has them. The pytest plugin imports this first: later, a test may replace them.

They are kept in a table, not in names of this module: freezegun replaces those.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The functions that say what time it is.
CLOCKS: Final = ("monotonic", "time", "perf_counter")

#: Those that say it as a date, of now unless they are given another time.
DATES: Final = ("gmtime", "localtime", "ctime", "asctime", "strftime")

#: Name -> function: sleep, those, and those that say it in nanoseconds.
WALL: Final[Mapping[str, Callable[..., Any]]] = {
    name: getattr(time, name) for name in ("sleep", *CLOCKS, *(f"{name}_ns" for name in CLOCKS), *DATES)
}
