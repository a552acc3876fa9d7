"""Connections as they come in.

uvloop takes one connection of a listening socket in a turn of the loop, in which it answers all that it has: of many
that come at once the last waits for seconds.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

#: Connections that are taken in one turn. No more, as processes that share a socket share what comes at once.
_AT_ONCE: Final = 64
#: Seconds until the next try where the system has nothing left to take one with, such as a file descriptor.
_PAUSE: Final = 0.2


class Acceptor:
    """Takes the connections of a listening socket, each for a protocol of its own. To be made in a running loop."""

    def __init__(self, bound: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._bound, self._protocol = bound, protocol
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[None]] = set()
        self._is_closed = False
        bound.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Take no more."""
        self._is_closed = True
        self._loop.remove_reader(self._bound)

    def _listen(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._bound, self._take)

    def _take(self) -> None:
        """Take what has come."""
        try:
            for _ in range(_AT_ONCE):
                taken, _ = self._bound.accept()
                connecting = self._loop.create_task(self._connect(taken))
                self._connecting.add(connecting)
                connecting.add_done_callback(self._connecting.discard)
        except (BlockingIOError, ConnectionAbortedError):  # there is no more, or one has left
            return
        except OSError:
            self._loop.remove_reader(self._bound)
            self._loop.call_later(_PAUSE, self._listen)

    async def _connect(self, taken: socket.socket) -> None:
        try:
            # As asyncio does it: Nagle's algorithm costs 40 ms where an answer goes out in two pieces.
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._protocol, taken)
        except OSError:  # it has left
            taken.close()
