"""`safelight serve` with more connections than the shell or the system allows."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from serving import MAX_SECONDS, Served, serving


@contextmanager
def allowed(descriptors: int) -> Iterator[None]:
    """What is started in the block may open so many, and ask for more."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (now, most))


def asked(server: Served, connections: int, stack: ExitStack) -> list[socket.socket]:
    """Connections, on each of which a request is sent."""
    parts = urlsplit(server.url)
    opened = []
    for _ in range(connections):
        one = stack.enter_context(socket.create_connection((parts.hostname or "", parts.port or 0), MAX_SECONDS))
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        opened.append(one)
    return opened


def test_more_clients_than_the_shell_allows_are_answered_at_once() -> None:
    with ExitStack() as stack:
        with allowed(64):
            server = stack.enter_context(serving("--no-control"))
        assert [one.recv(4) for one in asked(server, 200, stack)] == [b"HTTP"] * 200


def test_with_no_descriptor_left_a_connection_waits_until_one_is_free() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving("--no-control"))
        server.submit()  # all that it opens for an answer is open
        server.client.close()
        taken = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (taken + 5, taken + 5))
        opened = asked(server, 20, stack)
        first, last = opened[0], opened[-1]
        assert first.recv(4) == b"HTTP"
        for one in opened[:-1]:
            one.close()
        assert last.recv(4) == b"HTTP"
        assert server.complained == ""
