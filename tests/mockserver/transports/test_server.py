"""The application on a socket: where it listens, what it answers when there is no request, how it ends."""

import json
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from threading import enumerate as threads
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.service.service import Service
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import AppServer, CannotListen, entry_of, in_thread, listen
from sentences import CheckSentence

GET: Final = b"GET /v1/index.php?endpoint=task_status HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def entry() -> Iterator[str]:
    with in_thread(create_app(Service(keys=[FAKE_KEY]))) as server:
        yield server.url


def exchange(entry: str, *requests: bytes) -> list[bytes]:
    """What is answered on one connection; the last answer is read to its end."""
    parts = urlsplit(entry)
    assert parts.hostname
    answers = []
    with socket.create_connection((parts.hostname, parts.port or 80), 10) as connection:
        for request in requests[:-1]:
            connection.sendall(request)
            answers.append(connection.recv(100_000))
        connection.sendall(requests[-1])
        connection.shutdown(socket.SHUT_WR)
        answers.append(b"".join(iter(lambda: connection.recv(100_000), b"")))
    return answers


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello over TLS\r\n\r\n", "not HTTP"),
        (b"nonsense\r\n\r\n", "not HTTP"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", "not HTTP"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "not HTTP"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", "too large"),
        (GET + b"x: " + b"a" * 70_000 + b"\r\n\r\n", "too large"),
        (GET + b"x: y\r\n" * 20_000 + b"\r\n", "too large"),
    ],
    ids=["TLS", "nonsense", "no header", "no length", "a long URL", "a long header", "many headers"],
)
def test_what_is_no_request_is_answered_in_the_envelope(
    entry: str, sent: bytes, reason: str, check_sentence: CheckSentence
) -> None:
    [answer] = exchange(entry, sent)
    assert answer.startswith(b"HTTP/1.1 400 ")
    envelope = json.loads(body_of(answer))
    assert (envelope["success"], envelope["data"]) == (False, None)
    assert reason in envelope["error"]["message"]
    check_sentence(envelope["error"]["message"])


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nx: ", b"GET / HTTP/1.1\r\n"])
def test_a_head_without_end_is_refused_while_it_comes(entry: str, start: bytes) -> None:
    parts = urlsplit(entry)
    assert parts.hostname
    with socket.create_connection((parts.hostname, parts.port or 80), 10) as connection:
        connection.sendall(start + b"a" * 200_000)
        connection.sendall(b"a" * 200_000)
        answer = connection.recv(100_000)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert "too large" in json.loads(body_of(answer))["error"]["message"]


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_a_body_is_not_taken_for_a_head(entry: str, framing: str) -> None:
    body = json.dumps({"prompt": "x", "unknown": "y" * 1_000_000}).encode()
    content = (body[place : place + 50_000] for place in range(0, len(body), 50_000)) if framing == "chunked" else body
    headers = {"x-api-key": FAKE_KEY, "content-type": "application/json"}
    with httpx.Client(headers=headers) as client:
        answers = [client.post(f"{entry}?endpoint=image_generation", content=content), client.get(entry)]
    assert [answer.status_code for answer in answers] == [200, 404]


def test_the_head_is_measured_for_each_request_alone(entry: str) -> None:
    request = GET + b"x: " + b"a" * 40_000 + b"\r\n\r\n"
    assert [answer[:12] for answer in exchange(entry, request, request)] == [b"HTTP/1.1 401"] * 2


def test_a_connection_serves_several_requests(entry: str) -> None:
    with httpx.Client() as client:
        before = client.get(entry).extensions["network_stream"].get_extra_info("client_addr")
        assert client.get(entry).extensions["network_stream"].get_extra_info("client_addr") == before


def test_no_header_says_what_serves(entry: str) -> None:
    assert "server" not in httpx.get(entry).headers


def test_a_port_is_taken_once(check_sentence: CheckSentence) -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotListen) as refused:
            listen("127.0.0.1", port)
    assert str(refused.value).startswith(f"port {port} on 127.0.0.1 ")
    check_sentence(str(refused.value).replace(str(port), "PORT"))


def test_a_port_can_be_taken_again_at_once_when_its_server_ended() -> None:
    app = create_app(Service())
    with in_thread(app) as server:
        httpx.get(server.url)
    port = urlsplit(server.url).port
    assert port
    with in_thread(app, port=port) as again:
        assert httpx.get(again.url).status_code == 404


@pytest.mark.parametrize("host", ["192.0.2.1", "nosuch.invalid", "a" * 70, "two..dots"])
def test_a_host_that_is_not_ours_cannot_be_listened_on(host: str) -> None:
    with pytest.raises(CannotListen, match=f"'{host}'"):
        listen(host, 0)


@pytest.mark.parametrize(
    ("host", "called"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("::", "[::1]")]
)
def test_the_entry_is_a_url_that_this_machine_can_call(host: str, called: str) -> None:
    with listen(host, 0) as bound:
        assert entry_of(bound) == f"http://{called}:{bound.getsockname()[1]}/v1/index.php"
    with in_thread(create_app(Service()), host=host) as server:
        assert httpx.get(server.url).status_code == 404


def test_answers_do_not_wait_for_more_to_send() -> None:
    # asyncio switches Nagle's algorithm off where the socket names its protocol, and only there.
    with listen("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_nothing_is_left_of_a_server_in_a_thread() -> None:
    before = threads()
    with in_thread(create_app(Service())) as server, httpx.Client() as client:
        client.get(server.url)  # over a connection that stays open
        assert [thread.name for thread in threads() if thread not in before] == ["safelight"]
    assert threads() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


@contextmanager
def descriptors(left: int) -> Iterator[None]:
    """No more than so many files and sockets can be opened in the block."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, limits[0]), limits[1]))
    taken: list[int] = []
    try:
        with pytest.raises(OSError, match="Too many open files"):
            taken.extend(iter(lambda: os.open(os.devnull, os.O_RDONLY), -1))
        for _ in range(left):
            os.close(taken.pop())
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("entry")  # one server has started before, so that nothing has to be imported any more
def test_what_keeps_a_server_in_a_thread_from_starting_is_raised() -> None:
    before = threads()
    with (
        descriptors(left=1),  # enough for the port, but not for the loop
        pytest.raises(OSError, match=r"(?i)too many open files"),
        in_thread(create_app(Service())),
    ):
        pytest.fail("it cannot have started")
    assert threads() == before


def test_two_servers_are_two() -> None:
    with in_thread(create_app(Service(keys=["a"]))) as first, in_thread(create_app(Service(keys=["b"]))) as second:
        asked = [httpx.get(f"{at.url}?endpoint=task_status", headers={"x-api-key": "a"}) for at in (first, second)]
    assert [answer.status_code for answer in asked] == [400, 401]


def test_it_is_ready_when_the_first_request_can_be_answered() -> None:
    bound, ready = listen("127.0.0.1", 0), Event()
    server = AppServer(create_app(Service()), bound, ready=ready.set)
    thread = Thread(target=server.run)
    thread.start()
    try:
        assert ready.wait(10)
        assert httpx.get(entry_of(bound)).status_code == 404
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()
