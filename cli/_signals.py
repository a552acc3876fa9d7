"""Signals that end a command which has started others: they end as Ctrl-C does, with nothing left running."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: What whoever means to end us sends: `kill`, a terminal that is closed, Ctrl-\\.
ENDING: Final = tuple(
    signal.Signals[name] for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if name in signal.Signals.__members__
)


def on_ending(handler: Callable[[int, Any], Any] = signal.default_int_handler) -> None:
    """Call the handler for each of them and for Ctrl-C; what was to be ignored, as by `nohup`, still is."""
    for number in (signal.SIGINT, *ENDING):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
