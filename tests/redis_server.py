"""A Redis of our own, started when the first test asks for it and ended with the process that runs the tests."""

from __future__ import annotations

import atexit
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotThere
from redis.retry import Retry

from safelight.mockserver.transports.server import listen


class RedisServer:
    """A server on a port of its own, which keeps what it has when it is stopped."""

    def __init__(self, *options: str) -> None:
        self._options: Final = options
        self._folder: Final = Path(mkdtemp(prefix="redis-"))
        with listen("127.0.0.1", 0) as bound:
            self.port: Final[int] = bound.getsockname()[1]
        self.url: Final = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        own = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", "3600 1"]
        self._process = subprocess.Popen(["redis-server", *own, *self._options], stdout=subprocess.DEVNULL)
        with Redis.from_url(self.url, retry=Retry(NoBackoff(), 0)) as client:
            while not self._answers(client):
                assert self._process.poll() is None, "redis-server has ended"

    def _answers(self, client: Redis) -> bool:
        with suppress(NotThere):
            return bool(client.ping())
        return False

    def stop(self) -> None:
        """Let it save what it has, and end."""
        self._process.terminate()
        self._process.wait()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """While the block runs, it takes connections and says nothing."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@cache
def server() -> RedisServer:
    """The server of this process."""
    made = RedisServer()
    atexit.register(made.stop)
    return made


@contextmanager
def configured(**settings: str) -> Iterator[None]:
    """While the block runs, the server has these settings. Whoever is connected stays so."""
    with Redis.from_url(server().url) as client:
        before = {name: client.config_get(name)[name] for name in settings}
        try:
            for name, value in settings.items():
                client.config_set(name, value)
            yield
        finally:
            for name, value in before.items():
                client.config_set(name, value)


def empty() -> str:
    """The URL of the server, which has nothing in it."""
    with Redis.from_url(server().url) as client:
        client.flushall()
    return server().url
