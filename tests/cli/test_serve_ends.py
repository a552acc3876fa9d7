"""`safelight serve` ends when it is told to, and not because nobody reads what it says."""

import os
import select
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from serving import MAX_SECONDS, Served, serving

HALF_REQUESTS: Final = {
    "nothing": b"",
    "half a head": b"POST /v1/index.php?endpoint=image_generation HTTP/1.1\r\nHo",
    "half a body": b"POST /v1/index.php?endpoint=image_generation HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{",
}


def connection(server: Served) -> socket.socket:
    parts = urlsplit(server.url)
    assert parts.hostname
    return socket.create_connection((parts.hostname, parts.port or 80), MAX_SECONDS)


@pytest.mark.parametrize("sent", HALF_REQUESTS.values(), ids=HALF_REQUESTS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_without_a_trace_whatever_is_open(sent: bytes, number: signal.Signals) -> None:
    with serving() as server, connection(server) as half:
        half.sendall(sent)
        server.submit()  # over a connection that stays open
        assert server.end(number) == 0
        assert server.complained == ""
        assert half.recv(1_000) == b""


def pictures(server: Served) -> list[bytes]:
    """Requests for different large pictures, each of which takes a tenth of a second and more to draw."""
    ids = [server.submit(workflow="anime", width=2048, height=2048)["id"] for _ in range(100)]
    paths = [urlsplit(server.poll(task_id)["result"]["image_url"]).path for task_id in ids]
    return [f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths]


def bodies(server: Served) -> list[bytes]:
    """Requests that take seconds to validate, and more than one machine has processors for."""
    body = b'{"prompt": "x", "unknown": [' + b"{}," * 2_000_000 + b"{}]}"
    head = f"POST /v1/index.php?endpoint=image_generation HTTP/1.1\r\nHost: x\r\nx-api-key: {server.key}\r\n"
    return [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body] * 4


def answered(server: Served) -> socket.socket:
    """A connection on which something was answered, so that those opened before it have been taken too."""
    last = connection(server)
    last.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert last.recv(1) == b"H"
    return last


@pytest.mark.parametrize("requests", [pictures, bodies])
def test_a_signal_ends_it_whatever_is_computed(requests: Callable[[Served], list[bytes]]) -> None:
    with serving("--queued", "0", "--running", "0") as server, ExitStack() as stack:
        for request in requests(server):
            stack.enter_context(connection(server)).sendall(request)
        stack.enter_context(answered(server))
        assert server.end(within=3) == 0
        assert server.complained == ""


def test_a_second_signal_leaves_no_trace_either() -> None:
    with serving("--queued", "0", "--running", "0") as server, ExitStack() as stack:
        for request in pictures(server):
            stack.enter_context(connection(server)).sendall(request)
        idle = stack.enter_context(answered(server))
        server.process.send_signal(signal.SIGTERM)
        assert b"".join(iter(lambda: idle.recv(1_000), b"")).endswith(b"}")  # the first has been taken
        assert server.end(signal.SIGINT) == 0
        assert server.complained == ""


def test_it_goes_on_when_its_reader_is_gone() -> None:
    read, write = os.pipe()
    os.close(read)
    with serving(stdout=write) as server:
        os.close(write)
        assert server.words(1) == ["pending"]
        assert server.end() == 0
        assert server.complained == ""


def test_it_goes_on_when_its_reader_is_asleep() -> None:
    read, write = os.pipe()
    with serving("--log", "json", stdout=write) as server:
        # Fill the pipe, as a log does that nobody reads.
        while select.select([], [write], [], 0)[1]:
            os.write(write, b"x" * 4_096)
        assert server.words(50)[-1] == "pending"
        assert server.end() == 0
    os.close(read)
    os.close(write)


def test_it_goes_on_when_the_disk_is_full() -> None:
    with Path("/dev/full").open("wb") as full, serving(stdout=full) as server:
        assert server.words(1) == ["pending"]
        assert server.end() == 0
        assert server.complained == ""
