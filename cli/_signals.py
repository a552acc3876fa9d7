"""Signals that end a command which has started others: they end as Ctrl-C does, with nothing left running."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: What whoever means to end us sends: `kill`, a terminal that is closed, Ctrl-\\.
ENDING: Final = tuple(
    signal.Signals[name] for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if name in signal.Signals.__members__
)


def on_ending(
    handler: Callable[[int, Any], Any] = signal.default_int_handler, numbers: Iterable[int] = (signal.SIGINT, *ENDING)
) -> None:
    """Call the handler for each of them and for Ctrl-C; what was to be ignored, as by `nohup`, still is."""
    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def on_hang_up(handler: Callable[[], object], *, ends: bool) -> None:
    """Call the handler for SIGHUP; where that says that the terminal has gone which we had, end as by SIGTERM.

    Where SIGHUP was to be ignored, as by `nohup`, nothing `ends`.
    """
    is_ignored = hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    if not hasattr(signal, "SIGHUP") or (is_ignored and ends):
        return
    needs_terminal = _has_terminal() and not is_ignored

    def hear(*_: Any) -> None:
        if needs_terminal and not _has_terminal():
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            handler()

    signal.signal(signal.SIGHUP, hear)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
