"""A connection to the core within one thread: what a client sends is answered at once, and waits for it to read.

For clients that use sockets of Python, blocking ones, in a thread whose time is virtual: nothing has to be handed to
another thread and back, and a read time-out takes no time.
"""

import errno
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from io import BufferedReader
from math import inf
from typing import Any, Never, Self

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from safelight.mockserver.model.messages import Reply, Request, failure
from safelight.mockserver.model.wire import End, raw
from safelight.mockserver.service.service import Service


class MemoryConnection:
    """What a client takes for a socket that is connected to the fake."""

    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP

    def __init__(self, api: Service, port: int, sleep: Callable[[float], object], timeout: float | None) -> None:
        self._api, self._port, self._sleep, self._timeout = api, port, sleep, timeout
        self._parser = HttpRequestParser(self)
        self._begin()
        #: What is still to be read, and the seconds of silence after it.
        self._answers: deque[Iterator[tuple[bytes, float]]] = deque()
        self._unread = b""
        self._waits = 0.0
        #: How the server has ended the connection, if it has.
        self._end: End | None = None
        self._is_closed = False
        #: Files that read from it: it is open as long as these are.
        self._io_refs = 0

    # What the parser calls

    def _begin(self) -> None:
        self._url, self._headers, self._body = b"", list[tuple[str, str]](), b""

    def on_message_begin(self) -> None:
        """A request begins."""
        self._begin()

    def on_url(self, url: bytes) -> None:
        """A piece of its target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        """A piece of its body."""
        self._body += body

    def on_message_complete(self) -> None:
        """It is whole: it is answered."""
        method = self._parser.get_method().decode("ascii")
        path, _, query = self._url.decode("latin-1").partition("?")
        headers = dict(reversed(self._headers))
        body = b"" if method in ("GET", "HEAD") else self._body
        reply = self._api.handle(Request(method, path, query, headers, body, f"http://{headers.get('host', '')}"))
        self._answers.append(self._pieces(reply, is_last=not self._parser.should_keep_alive()))

    def _pieces(self, reply: Reply, *, is_last: bool) -> Iterator[tuple[bytes, float]]:
        if wire := reply.wire:
            with closing(wire.pieces(reply.deliver, reply.end)) as pieces:
                yield from pieces
            self._end = wire.end
        else:
            reply.deliver()
            date = str(reply.all_headers["date"])
            yield raw(reply, connection="close" if is_last else "keep-alive", date=date), 0
            self._end = End.CLOSE if is_last else None

    # What a client calls

    def sendall(self, data: Any, _: int = 0, /) -> None:
        """Send all of it."""
        if self._end:
            raise BrokenPipeError(errno.EPIPE, "the connection was closed")
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._answers.append(iter([(raw(failure(400, "Invalid HTTP request received: this is not HTTP")), 0)]))

    def send(self, data: Any, _: int = 0, /) -> int:
        """As a socket's."""
        self.sendall(data)
        return len(data)

    def recv_into(self, buffer: Any, size: int = 0, _: int = 0, /) -> int:
        """What has come, or comes within the time-out; 0 once there is no more."""
        self._fill()
        room = memoryview(buffer).cast("B")
        found = self._unread[: size or len(room)]
        room[: len(found)] = found
        self._unread = self._unread[len(found) :]
        return len(found)

    def recv(self, size: int, _: int = 0, /) -> bytes:
        """As above."""
        self._fill()
        found, self._unread = self._unread[:size], self._unread[size:]
        return found

    def _fill(self) -> None:
        """Let time pass until there is something to read, or the connection is over."""
        time_out = inf if self._timeout is None else self._timeout
        while not self._unread:
            if self._waits:
                time_out = self._let_pass(time_out)
            elif not self._answers:
                self._check_end(time_out)
                return
            elif (piece := next(self._answers[0], None)) is None:
                self._answers.popleft()
            else:
                self._unread, self._waits = piece

    def _let_pass(self, time_out: float) -> float:
        """Wait as long as the server is silent, or the client patient. Gives how patient it still is."""
        waited = min(self._waits, time_out)
        self._waits -= waited if waited < inf else 0
        self._sleep(waited)
        if self._waits:
            raise TimeoutError("timed out")
        return time_out - waited

    def _check_end(self, time_out: float) -> None:
        if self._end is End.RESET:
            raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        if self._end is None:
            self._sleep(time_out)
            raise TimeoutError("timed out")

    def makefile(self, mode: str = "r", *_: Any, **__: Any) -> Any:
        """A file that reads from it."""
        self._io_refs += 1
        reading: Any = self
        return BufferedReader(socket.SocketIO(reading, "r")) if "r" in mode else _refuse("a file to write to")

    def _decref_socketios(self) -> None:
        self._io_refs -= 1
        if self._is_closed:
            self.close()

    def close(self) -> None:
        """Leave: what was still to come is not sent."""
        self._is_closed = True
        if self._io_refs <= 0:
            for answer in self._answers:
                getattr(answer, "close", lambda: None)()
            self._answers.clear()

    def detach(self) -> int:
        """As a socket's."""
        self.close()
        return -1

    def shutdown(self, _: int) -> None:
        """Nothing that a client does after it is of interest."""

    def fileno(self) -> int:
        """A file that can be read where there is something to read, for clients that look whether there is."""
        return _files()[bool(self._unread or self._end)]

    def settimeout(self, seconds: float | None) -> None:
        """As a socket's."""
        self._timeout = seconds

    def gettimeout(self) -> float | None:
        """As a socket's."""
        return self._timeout

    def setblocking(self, is_blocking: bool) -> None:  # noqa: FBT001 - a socket's signature
        """As a socket's."""
        self._timeout = None if is_blocking else 0.0

    def setsockopt(self, *_: Any) -> None:
        """There are no options."""

    def getsockopt(self, *_: Any) -> int:
        """As above."""
        return 0

    def getpeername(self) -> tuple[str, int]:
        """Where the fake listens."""
        return "127.0.0.1", self._port

    def getsockname(self) -> tuple[str, int]:
        """Where a client could be."""
        return "127.0.0.1", 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _refuse(what: str) -> Never:
    raise OSError(f"a connection in memory has no {what}")


@cache
def _files() -> tuple[int, int]:
    """A file that never has anything to read, and one that always has an end."""
    return os.pipe()[0], os.open(os.devnull, os.O_RDONLY)
