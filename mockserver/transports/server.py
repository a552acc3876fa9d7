"""The application on a socket: uvicorn in front, or in a thread of its own."""

import asyncio
import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import Final, cast

from starlette.types import ASGIApp
from uvicorn import Config, Server

from safelight.contracts.dialects import PATHS
from safelight.contracts.wording import MAX_PATH_CHARACTERS, brief, echoed
from safelight.mockserver.transports.accepting import Acceptor
from safelight.mockserver.transports.asgi import core_of
from safelight.mockserver.transports.protocol import EnvelopeProtocol, quiet

#: Seconds that requests under way have when the server stops. Then they are cut off.
_GRACE: Final = 0.5
#: Seconds after which uvicorn cancels what even that did not end, and complains about it.
_LAST_RESORT: Final = 5
#: Turns of the loop in which a request is read, and handed to the application.
_TURNS: Final = 4
#: Seconds after which a worker that computes gives way to the loop, which asks several times for each request.
#: Python's own 5 ms made of each of them a poll that waits.
_SWITCH_SECONDS: Final = 0.0005
#: Seconds that an idle connection is kept: longer than clients keep theirs, so that none is closed under them.
_KEEP_ALIVE: Final = 75
#: Objects, and rounds, after which the garbage collector looks: seldom, as what a request leaves behind has no cycles.
_GC_THRESHOLD: Final = (50_000, 20, 20)
#: Connections that wait to be taken; uvicorn's own number.
_BACKLOG: Final = 2_048
#: "Every address" is none that can be called everywhere.
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


#: The signals that end a server.
ALWAYS_ENDING: Final = (signal.SIGINT, signal.SIGTERM)
#: Those, and what ends it unless somebody else hears it, or it is ignored, as with `nohup`.
ENDING: Final = (
    *ALWAYS_ENDING,
    *(signal.Signals[name] for name in ("SIGHUP", "SIGQUIT") if name in signal.Signals.__members__),
)


@dataclass(eq=False)
class CannotListen(Exception):
    """The address cannot be bound."""

    host: str
    port: int
    error: OSError | UnicodeError | RuntimeError

    @property
    def is_forbidden(self) -> bool:
        """Nothing is wrong with the address: this process may open no sockets at all, as pytest-socket has it."""
        return isinstance(self.error, RuntimeError)

    def __str__(self) -> str:
        if isinstance(self.error, UnicodeError):
            return f"cannot listen on {echoed(self.host, MAX_PATH_CHARACTERS)}: this is no name of a host"
        if isinstance(self.error, RuntimeError):
            return f"cannot listen on {echoed(self.host, MAX_PATH_CHARACTERS)}, port {self.port}: {self.error}"
        if self.error.errno == errno.EADDRINUSE:
            return f"port {self.port} on {brief(self.host)} is in use: choose another, or 0 for a free one"
        host, reason = echoed(self.host, MAX_PATH_CHARACTERS), self.error.strerror or self.error
        return f"cannot listen on {host}, port {self.port}: {reason}"


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes a free one. Raises `CannotListen`."""
    with ExitStack() as unless_bound:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            # Only where the protocol is named does asyncio switch off Nagle's algorithm, which costs 44 ms a request.
            bound = unless_bound.enter_context(socket.socket(family, kind, protocol or socket.IPPROTO_TCP))
            if os.name == "posix":  # elsewhere two servers could listen on one port
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            # Two sockets can be bound to one port; only one of them can listen.
            bound.listen(_BACKLOG)
        except (OSError, UnicodeError, RuntimeError) as error:
            raise CannotListen(host, port, error) from None
        unless_bound.pop_all()
    return bound


def entry_of(bound: socket.socket, path: str = PATHS["published"]) -> str:
    """The entry point of the API behind a bound socket, as this machine can call it."""
    host, port = bound.getsockname()[:2]
    host = _LOOPBACK.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"


class AppServer(Server):
    """An application on a bound socket. `run` blocks; a signal ends it without a trace."""

    def __init__(
        self, app: ASGIApp, bound: socket.socket, *, ready: Callable[[], None], path: str = PATHS["published"]
    ) -> None:
        config = Config(
            quiet(app),
            http=partial(EnvelopeProtocol, core=core_of(app)),  # type: ignore[arg-type]  # it is called, and no more
            ws="none",
            lifespan="off",
            access_log=False,
            proxy_headers=False,  # whoever asks says which scheme and host it asked, and nobody else
            log_config=None,
            log_level="error",
            server_header=False,
            date_header=False,  # a reply has its own, which is that of its client
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_LAST_RESORT,
        )
        super().__init__(config)
        #: The entry point of the API.
        self.url = entry_of(bound, path)
        self._bound, self._ready = bound, ready
        self._acceptors: list[Acceptor] = []

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until a signal or `should_exit`."""
        if current_thread() is main_thread():
            # The process serves and does nothing else: what is loaded by now stays, and need not be looked through
            # by the garbage collector again and again, which took a tenth of a poll.
            gc.collect()
            gc.freeze()
            sys.setswitchinterval(_SWITCH_SECONDS)
            gc.set_threshold(*_GC_THRESHOLD)
        # As uvicorn's, which leaves a coroutine behind that was never awaited where there is no loop to be had.
        with asyncio.Runner(loop_factory=self.config.get_loop_factory()) as runner:
            runner.run(self.serve(sockets or [self._bound]))

    def settle(self) -> None:
        """Return when the server has taken in what was sent to it so far. To be called from another thread."""

        async def turns() -> None:  # what has come in is read in one turn of the loop, and handed on in the next
            for _ in range(_TURNS):
                await asyncio.sleep(0)

        wait([asyncio.run_coroutine_threadsafe(turns(), self._loop)], _LAST_RESORT)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, then say that the first request can be answered."""
        self._loop = asyncio.get_running_loop()
        is_slow_to_accept = type(self._loop).__module__.startswith("uvloop")
        await super().startup([] if is_slow_to_accept else sockets)
        if is_slow_to_accept:
            shared = {"config": self.config, "server_state": self.server_state, "app_state": self.lifespan.state}
            protocol = cast("Callable[[], asyncio.Protocol]", partial(self.config.http_protocol_class, **shared))
            self._acceptors = [Acceptor(bound, protocol) for bound in sockets or ()]
        self._ready()

    async def on_tick(self, counter: int) -> bool:  # noqa: ARG002 - uvicorn's signature
        """Whether to end. Unlike uvicorn's it asks nobody for the date: while freezegun stops, that ends the server."""
        return self.should_exit

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but neither half a request is waited for, whose rest may never come, nor a row of pictures."""
        asyncio.get_running_loop().call_later(_GRACE, self._hang_up)
        for acceptor in self._acceptors:
            acceptor.close()
        await super().shutdown(sockets)

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        # Not before the requests know that nobody listens: one that ended without an answer would be complained about.
        asyncio.get_running_loop().call_soon(lambda: [request.cancel() for request in [*self.server_state.tasks]])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """A second signal changes nothing: the first one has a second at most, and ends everything without a trace."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, of more signals, and one that was obeyed is not raised again: the process ends with 0."""
        if current_thread() is not main_thread():
            yield
            return
        heard = [name for name in ENDING if name in ALWAYS_ENDING or signal.getsignal(name) is signal.SIG_DFL]
        before = {name: signal.signal(name, self.handle_exit) for name in heard}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)


@contextmanager
def in_thread(
    app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, path: str = PATHS["published"]
) -> Iterator[AppServer]:
    """Serve in a thread while the block runs. The first request can be sent at once.

    Raises `CannotListen`, and whatever else keeps the server from starting.
    """
    started: Future[None] = Future()
    with listen(host, port) as bound:
        server = AppServer(app, bound, ready=lambda: started.set_result(None), path=path)
        thread = Thread(target=_serve, args=(server, started), name="safelight", daemon=True)
        thread.start()
        try:
            started.result()
            yield server
        finally:
            server.should_exit = True
            thread.join()


def _serve(server: AppServer, started: Future[None]) -> None:
    try:
        server.run()
    except BaseException as error:
        if started.done():
            raise
        started.set_exception(error)
