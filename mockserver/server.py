"""The application on a socket: uvicorn in front, or in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread, current_thread, main_thread
from typing import TYPE_CHECKING, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from safelight.mockserver.messages import failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

#: Bytes of request line and headers that are taken in. The parser itself knows no limit.
_MOST_HEAD: Final = 64_000

#: uvicorn's words for what is none.
_NO_REQUEST: Final = "Invalid HTTP request received."

#: Seconds for which what is no request may go on coming in when it has been answered.
_LINGER: Final = 1.0

#: Seconds that requests under way have when the server stops. Then their connections are cut.
_GRACE: Final = 0.5

#: Seconds after which uvicorn cancels what even that did not end, and complains about it.
_LAST_RESORT: Final = 5

#: Seconds that an idle connection is kept: longer than clients keep theirs, so that none is closed under them.
_KEEP_ALIVE: Final = 75

#: Connections that wait to be taken; uvicorn's own number.
_BACKLOG: Final = 2_048

#: "Every address" is none that can be called everywhere.
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


@dataclass(eq=False)
class CannotListen(Exception):
    """The address cannot be bound."""

    host: str
    port: int
    error: OSError | UnicodeError

    def __str__(self) -> str:
        if isinstance(self.error, UnicodeError):
            return f"cannot listen on {self.host!r}: this is no name of a host"
        if self.error.errno == errno.EADDRINUSE:
            return f"port {self.port} on {self.host} is in use: choose another, or 0 for a free one"
        return f"cannot listen on {self.host!r}, port {self.port}: {self.error.strerror or self.error}"


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes a free one. Raises `CannotListen`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # Only where the protocol is named does asyncio switch off Nagle's algorithm, which costs 44 ms a request.
        bound = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise CannotListen(host, port, error) from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        # Two sockets can be bound to one port; only one of them can listen.
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise CannotListen(host, port, error) from None
    return bound


def entry_of(bound: socket.socket) -> str:
    """The entry point of the API behind a bound socket, ending in `/v1/index.php`, as this machine can call it."""
    host, port = bound.getsockname()[:2]
    host = _LOOPBACK.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1/index.php"


class _Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which answers in the published envelope even where there is no request to hand on."""

    #: Bytes of the head so far, as the parser hands it on.
    _head = 0
    #: Bytes that came in since it last handed something on: a line that does not end is kept by the parser.
    _withheld = 0
    #: What still comes in is thrown away.
    _is_over = False
    #: The request offers to go on in another protocol, as Java's client and `curl --http2` do. It is not taken up.
    _offers = False

    def data_received(self, data: bytes) -> None:
        """As uvicorn's, but with an offer the body is read too, which httptools takes for the other protocol."""
        if self._is_over:
            return
        self._unset_keepalive_if_required()
        self._withheld += len(data)
        while data:
            try:
                self.parser.feed_data(data)
                data = b""
            except HttpParserUpgrade as offer:
                data = self._head_without_offer() + data[offer.args[0] :] if self._offers else b""
            except HttpParserError:
                self.send_400_response(_NO_REQUEST)
                return
        if self._withheld > _MOST_HEAD:
            self.send_400_response(_NO_REQUEST)

    def _head_without_offer(self) -> bytes:
        """The head that was read, for a new parser: the old one has ended."""
        version = self.parser.get_http_version().encode()
        start = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, version)
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        rest = [b"%s: %s\r\n" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return start + b"".join(rest) + b"\r\n"

    def on_headers_complete(self) -> None:
        self._offers = self.parser.should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)
        if not self._offers:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._withheld = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._withheld = 0
        if not self._offers:
            super().on_message_complete()

    def on_message_begin(self) -> None:
        self._head = self._withheld = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name, value, b": \r\n")
        super().on_header(name, value)

    def _count(self, *parts: bytes) -> None:
        self._withheld = 0
        self._head += sum(map(len, parts))
        if self._head > _MOST_HEAD:
            raise ValueError("request line and headers are too large")

    def send_400_response(self, msg: str) -> None:
        is_large = max(self._head, self._withheld) > _MOST_HEAD
        reason = "request line and headers are too large" if is_large else "this is not HTTP"
        reply = failure(400, f"{msg.removesuffix('.')}: {reason}")
        head = f"content-type: {reply.media_type}\r\ncontent-length: {len(reply.body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[reply.status] + head.encode() + reply.body)
        self.transport.write_eof()
        self._is_over = True
        # Closed at once, with bytes unread, the connection would be reset, and the answer lost on its way.
        self.loop.call_later(_LINGER, self.transport.close)


class AppServer(Server):
    """An application on a bound socket. `run` blocks; a signal ends it without a trace."""

    def __init__(self, app: ASGIApp, bound: socket.socket, *, ready: Callable[[], None] = lambda: None) -> None:
        config = Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="error",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_LAST_RESORT,
        )
        super().__init__(config)
        self._bound = bound
        self._ready = ready

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal or `should_exit`."""
        if current_thread() is main_thread():
            # The process serves and does nothing else: what is loaded by now stays, and need not be looked through
            # by the garbage collector again and again, which took a tenth of a poll.
            gc.collect()
            gc.freeze()
        super().run(sockets or [self._bound])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, then say that the first request can be answered."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but half a request is not waited for: its sender may never send the rest."""
        asyncio.get_running_loop().call_later(_GRACE, self._hang_up)
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but a signal that was obeyed is not raised again: the process ends with 0."""
        if current_thread() is not main_thread():
            yield
            return
        before = {name: signal.signal(name, self.handle_exit) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


@contextmanager
def in_thread(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve in a thread while the block runs. Gives the entry point; the first request can be sent at once."""
    bound = listen(host, port)
    started = Event()
    server = AppServer(app, bound, ready=started.set)
    thread = Thread(target=server.run, name="safelight", daemon=True)
    thread.start()
    started.wait()
    try:
        yield entry_of(bound)
    finally:
        server.should_exit = True
        thread.join()
