"""Standard output as a server needs it: whoever reads badly, or no more, does not hold up the fake."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
from ipaddress import ip_address
from time import monotonic
from typing import Final

import click

#: Bytes that a pipe which takes anything takes at once.
_PIPE_BYTES: Final = 4_096

#: Seconds that a line waits for its reader. The next does not wait at all, until one got through.
_MAX_WAIT_SECONDS: Final = 0.2


class _Output:
    """Standard output without a buffer of ours. What cannot be written is lost, and nothing else happens."""

    def __init__(self) -> None:
        self._wait_seconds: float = _MAX_WAIT_SECONDS

    def write(self, text: str) -> None:
        """Write, as far as somebody reads."""
        with contextlib.suppress(OSError, ValueError):
            descriptor = sys.stdout.fileno()
            data = text.encode(sys.stdout.encoding, "backslashreplace")
            deadline, self._wait_seconds = monotonic() + self._wait_seconds, 0
            for start in range(0, len(data), _PIPE_BYTES):
                if not _is_read(descriptor, deadline):
                    return
                os.write(descriptor, data[start : start + _PIPE_BYTES])
            self._wait_seconds = _MAX_WAIT_SECONDS


def _is_read(descriptor: int, deadline: float) -> bool:
    if os.name == "nt":  # where select takes only sockets
        return True
    return bool(select.select([], [descriptor], [], max(0, deadline - monotonic()))[1])


_OUTPUT: Final = _Output()


def say(text: str) -> None:
    """Print a line, in colour where it goes to a terminal."""
    colourful = sys.stdout is not None and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    _OUTPUT.write((text if colourful else click.unstyle(text)) + "\n")


def warn_if_open(bound: socket.socket) -> None:
    """Say that a server answers other machines too, where it does."""
    host = bound.getsockname()[0]
    if not ip_address(host.partition("%")[0]).is_loopback:
        say(click.style(_OPEN.format(host=host), fg="yellow"))


_OPEN: Final = "Warning: on {host} it answers other machines too. Whoever reaches it can use it.\n"
