"""Raw bytes at a socket: there is always an answer, in the envelope where it is HTTP's place to have one."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.contracts import problems
from safelight.testing.safelight import Safelight

#: Seconds after which a server that says nothing hangs.
MAX_SECONDS: Final = 10


@pytest.fixture(scope="module")
def server() -> Iterator[Safelight]:
    with Safelight() as api:
        yield api


def connected(server: Safelight) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=MAX_SECONDS)


def answered(connection: socket.socket, *, method: str = "GET") -> tuple[int, Any]:
    """Status and body of the next answer on a connection, which is an envelope."""
    response = HTTPResponse(connection, method=method)
    response.begin()
    body = response.read()
    if response.status != 200:
        assert problems("error", body) == []
    return response.status, json.loads(body)


def request(server: Safelight, *lines: str, method: str = "GET", query: str = "", body: bytes = b"") -> bytes:
    """A request as bytes, with the key."""
    target = f"/v1/index.php?{query or 'endpoint=task_status&task_id=1'}"
    head = [f"{method} {target} HTTP/1.1", "Host: fake", f"x-api-key: {server.api_key}", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode() + body


def submit(server: Safelight, *lines: str, body: bytes = b'{"prompt": "a lamp"}') -> bytes:
    return request(server, *lines, method="POST", query="endpoint=image_generation", body=body)


def still_answers(server: Safelight) -> bool:
    with connected(server) as connection:
        connection.sendall(request(server))
        return answered(connection)[0] == 404


def test_requests_on_one_connection_are_answered_in_their_order(server: Safelight) -> None:
    with connected(server) as connection:
        connection.sendall(submit(server) + request(server) + submit(server, body=b"{}") + submit(server))
        reader = connection.makefile("rb")
        seen = [reader.readline() for _ in range(1)]
        assert seen == [b"HTTP/1.1 200 OK\r\n"]
        rest = b"".join(_until(reader, b"HTTP/1.1", 3))
    assert [int(part[:4]) for part in rest.split(b"HTTP/1.1")[1:]] == [404, 400, 200]


def _until(reader: Any, start: bytes, times: int) -> Iterator[bytes]:
    while times:
        line = reader.readline()
        times -= start in line
        yield line


def test_http_1_0_is_answered_and_the_connection_closed(server: Safelight) -> None:
    with connected(server) as connection:
        connection.sendall(request(server).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert answered(connection)[0] == 404
        assert connection.recv(1) == b""


def test_a_chunked_body_is_read_whole(server: Safelight) -> None:
    head = request(server, "Transfer-Encoding: chunked", method="POST", query="endpoint=image_generation")
    with connected(server) as connection:
        for part in (head, b'8\r\n{"prompt\r\n', b'4\r\n": "\r\n', b'2\r\n"}\r\n', b"0\r\n\r\n"):
            connection.sendall(part)
        status, envelope = answered(connection)
    assert status == 400
    assert "prompt" in envelope["error"]["message"]


def test_a_body_that_never_comes_whole_books_nothing(server: Safelight) -> None:
    before = len(server.tasks)
    whole = submit(server, body=b'{"prompt": "a lamp"}     ')
    with connected(server) as connection:
        connection.sendall(whole[:-3])
    assert still_answers(server)
    assert len(server.tasks) == before


def test_a_body_over_the_limit_is_refused_and_the_connection_lives_on(server: Safelight) -> None:
    with connected(server) as connection:
        connection.sendall(submit(server, body=b'{"prompt": "a lamp"}'.ljust(10_000_001)))
        assert answered(connection)[0] == 413
        connection.sendall(submit(server))
        assert answered(connection)[0] == 200
    assert still_answers(server)


#: Bytes that are no request of ours, and the status they are answered with.
ODD: Final[list[tuple[bytes, int]]] = [
    (b"tea, please\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + 300 * b"\x00", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET foo HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"BREW / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/9.9\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: x\r\nx: \x00\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: x\r\nx-long: " + 100_000 * b"x" + b"\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + 40_000 * b"x: 1\r\n" + b"\r\n", 400),
    (b"GET /" + 100_000 * b"x" + b" HTTP/1.1\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    (b"GET /foo%0Abar HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"GET //v1/index.php HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"GET http://x/v2 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"GET / HTTP/1.1\r\n\r\n", 404),
    (b"GET / HTTP/1.1\r\nHost: x\r\nx: \xff\xfe\r\n\r\n", 404),
    (b"GET /?endpoint=task_status&task_id=" + 10_000 * b"1" + b" HTTP/1.1\r\nHost: x\r\n\r\n", 401),
]


@pytest.mark.parametrize(("sent", "status"), ODD)
def test_odd_bytes_are_answered_in_the_envelope(server: Safelight, sent: bytes, status: int) -> None:
    with connected(server) as connection:
        connection.sendall(sent)
        assert answered(connection)[0] == status
    assert still_answers(server)


def test_an_offer_to_upgrade_is_ignored(server: Safelight) -> None:
    upgrade = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk"]
    with connected(server) as connection:
        connection.sendall(request(server, *upgrade))
        assert answered(connection)[0] == 404
        connection.sendall(submit(server, *upgrade))
        assert answered(connection)[0] == 200, "Java's client offers it with its first request, body and all"
        connection.sendall(submit(server))
        assert answered(connection)[0] == 200


PARTS: Final = [
    b"GET ",
    b"POST ",
    b"/",
    b"?endpoint=image_generation",
    b" HTTP/1.1",
    b"\r\n",
    b"Host: x",
    b": ",
]
PARTS_TOO: Final = [
    b"Content-Length: 5",
    b"Transfer-Encoding: chunked",
    b"5\r\n",
    b"Upgrade: h2c",
    b"Connection: close",
]
BYTES: Final = st.lists(st.sampled_from(PARTS + PARTS_TOO) | st.binary(), min_size=1).map(b"".join)


@given(sent=BYTES)
@settings(deadline=None, max_examples=150)
def test_whatever_bytes_come_the_server_neither_hangs_nor_ends(server: Safelight, sent: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        seen = b""
        try:
            while received := connection.recv(65_536):
                seen += received
        except ConnectionResetError:
            pass
    assert not seen or seen.startswith(b"HTTP/1.1 ")
    assert b"500" not in seen[:20]
    assert still_answers(server)


def test_what_came_before_nonsense_is_answered_first() -> None:
    """A submit that was booked and not answered would be paid for twice."""
    with Safelight() as server, connected(server) as connection:
        body = b'{"prompt": "a lamp"}'
        connection.sendall(
            request(server, method="POST", query="endpoint=image_generation", body=body) + b"\0\1nonsense\r\n\r\n"
        )
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(100_000), b""))
        assert received.startswith(b"HTTP/1.1 200 ")
        assert received.count(b"HTTP/1.1 ") == 2
        assert b"HTTP/1.1 400 " in received
        assert server.tasks[0].id.encode() in received
