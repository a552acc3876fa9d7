"""A request that came in one piece is answered without a task; what is answered does not hang on that."""

import json
import re
import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Final
from urllib.parse import urlsplit

import pytest
from starlette.routing import Route

from safelight.mockserver.control.control import Control
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.messages import failure, success
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import Core, bare_app, core_of, create_app
from safelight.mockserver.transports.at_once import plain
from safelight.mockserver.transports.server import AppServer, in_thread

#: Method, target, body: the two hot operations first, then what goes the long way for one reason or another.
REQUESTS: Final = [
    ("POST", "/v1/index.php?endpoint=image_generation", {"prompt": "a lamp"}),
    ("GET", "/v1/index.php?endpoint=task_status&task_id=5", {}),
    ("GET", "/v1/index.php?endpoint=user_balance", {"prompt": "is not read"}),
    ("POST", "/v1/index.php?endpoint=image_generation", {"prompt": "a lamp", "width": 5}),
    ("POST", "/v1/index.php?endpoint=image_generation", {"prompt": "a lamp [[safelight submit: throttle 3]]"}),
    ("POST", "/v1/index.php?endpoint=image_generation", {"prompt": "a lamp [[safelight submit: html]]"}),
    ("POST", "/v1/index.php?endpoint=image_generation", {"prompt": "a lamp [[safelight submit: refuse 599]]"}),
    ("POST", "/v1/index.php?endpoint=image_generation", {"prompt": "a lamp" + 30_000 * " "}),
    ("POST", "/v1/index.php?endpoint=image_generation", {"prompt": "a lamp" + 90_000 * " "}),
    ("PUT", "/v1/index.php?endpoint=image_generation", {}),
    ("HEAD", "/v1/index.php?endpoint=user_balance", {}),
    ("GET", "/v1%2Findex.php?endpoint=user_balance", {}),
    ("GET", "/v1/index.php?endpoint=user_balance#part", {}),
    ("GET", "http://other.example/v1/index.php?endpoint=user_balance", {}),
    ("GET", "/uploads/0123456789abcdef/1.png", {}),
    ("GET", "/_safelight/plan", {}),
]


@pytest.fixture(scope="module")
def server() -> Iterator[AppServer]:
    settings = Settings(task_profile(queued=0, running="never"), balance=10**6, directives=True)
    with in_thread(bare_app(Service(keys=[FAKE_KEY], settings=settings), 50_000, Control())) as served:
        yield served


def answer(server: AppServer, pieces: list[bytes], method: str) -> tuple[int, list[tuple[str, str]], str]:
    """Status, headers and body without what differs from one task to the next."""
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
            server.settle()  # the next piece is another
        response = HTTPResponse(connection, method=method)
        response.begin()
        headers = [(name, value) for name, value in response.getheaders() if name != "date"]
        return response.status, headers, re.sub(r"[0-9a-f-]{36}", "ID", response.read().decode("latin-1"))


@pytest.mark.parametrize(("method", "target", "document"), REQUESTS)
def test_an_answer_is_the_same_whether_its_request_came_in_one_piece_or_in_two(
    server: AppServer, method: str, target: str, document: dict[str, str]
) -> None:
    body = json.dumps(document).encode() if document else b""
    lines = [f"{method} {target} HTTP/1.1", "host: 127.0.0.1", f"x-api-key: {FAKE_KEY}"]
    lines += ["content-type: application/json", f"content-length: {len(body)}", "", ""]
    text = "\r\n".join(lines).encode() + body
    cut = len(text) - len(body) // 2 - 1
    assert answer(server, [text], method) == answer(server, [text[:cut], text[cut:]], method)


def test_what_most_requests_are_answered_with_goes_out_in_one_go() -> None:
    assert plain(success({"id": "1"}))
    assert plain(failure(404, "Task not found"))
    assert plain(failure(429, "Slow down", {"retry-after": "3"})) is None


def test_an_application_is_asked_at_once_only_where_nothing_stands_before_its_core() -> None:
    api = Service()
    assert isinstance(core_of(bare_app(api)), Core)
    assert isinstance(core_of(create_app(api)), Core)
    assert core_of(create_app(api, cors=True)) is None
    routed = create_app(api)
    routed.router.routes.append(Route("/own", lambda _: None))
    assert core_of(routed) is None


def test_requests_that_come_together_are_answered_in_their_order(server: AppServer) -> None:
    parts = urlsplit(server.url)
    head = f"HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {FAKE_KEY}\r\n\r\n"
    sent = [
        ("GET", "task_status&task_id=5"),
        ("HEAD", "nothing"),  # goes the long way, and the rest waits for it
        ("GET", "user_balance"),
        ("GET", "user_balance&api_key=%41"),
        ("GET", "nothing"),
    ]
    text = "".join(f"{method} /v1/index.php?endpoint={name} {head}" for method, name in sent)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        connection.sendall(text.encode())
        connection.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"404", b"404", b"200", b"200", b"404"]
