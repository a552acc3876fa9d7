"""A request that came in one piece is answered without a task; what is answered does not hang on that."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPResponse
from typing import Final
from urllib.parse import urlsplit

import pytest
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from safelight.mockserver.control.control import Control
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.messages import failure, success
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import Core, bare_app, core_of, create_app
from safelight.mockserver.transports.at_once import Head, KnownHeaders, Seen, plain
from safelight.mockserver.transports.protocol import EnvelopeProtocol
from safelight.mockserver.transports.server import AppServer, in_thread
from safelight.traffic.exchange import Exchange

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


@pytest.fixture(scope="module", params=[False, True], ids=["", "cors"])
def server(request: pytest.FixtureRequest) -> Iterator[AppServer]:
    settings = Settings(task_profile(queued=0, running="never"), balance=10**6, directives=True)
    api = Service(keys=[FAKE_KEY], settings=settings)
    with in_thread(create_app(api, cors=request.param, body_limit=50_000, control=Control())) as served:
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
    text = request_of(method, target, body)
    cut = len(text) - len(body) // 2 - 1
    whole = answer(server, [text], method)
    assert answer(server, [text[:cut], text[cut:]], method) == whole
    assert answer(server, [text], method) == whole, "its headers are known by now"


def request_of(method: str, target: str, body: bytes) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "host: 127.0.0.1", f"x-api-key: {FAKE_KEY}"]
    lines += ["content-type: application/json", f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class Reader:
    """What the parser reads in the bytes of one request."""

    def __init__(self, data: bytes) -> None:
        self.target, self.headers, self.body, self.requests = b"", dict[str, str](), b"", 0
        self.parser = HttpRequestParser(self)
        with suppress(HttpParserError, HttpParserUpgrade):
            self.parser.feed_data(data)

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))

    def on_body(self, part: bytes) -> None:
        self.body += part

    def on_message_complete(self) -> None:
        self.requests += 1


KNOWN: Final = request_of("POST", "/?endpoint=image_generation", b'{"prompt": "a lamp"}')
PARTS: Final = st.sampled_from(
    [KNOWN[:1], b"GET ", b"POST ", b"\r\n", b"\r\n\r\n", b"HTTP/1.1", b"/", b"#", b"%41", b"?"]
)


@given(st.lists(st.tuples(st.integers(0, len(KNOWN)), st.integers(0, 4), PARTS | st.binary(max_size=3)), max_size=2))
@example([])
@example([(0, 4, b"GET")])
@example([(len(KNOWN), 0, KNOWN)])
def test_what_is_read_without_the_parser_is_what_the_parser_reads(changes: list[tuple[int, int, bytes]]) -> None:
    known, read = KnownHeaders(), Reader(KNOWN)
    known.learn(KNOWN, read.headers, read.body)
    data = KNOWN
    for place, cut, part in changes:
        data = data[:place] + part + data[place + cut :]
    seen = known.find(data)
    if not changes:
        assert seen, "the request itself is known"
    if seen:
        again = Reader(data)
        assert again.requests == 1
        method = again.parser.get_method().decode()
        assert seen == Seen(method, again.target, again.headers, again.body)
        assert again.parser.should_keep_alive()


@given(st.lists(st.sampled_from(["poll 5", "poll 6", "poll 55", "balance", "a lamp", "a lamb", "a sea"]), min_size=3))
@example(["a lamp", "a lamp", "a lamb", "a sea", "a lamp", "poll 5", "poll 6", "poll 5", "a lamb"])
def test_what_comes_again_on_a_connection_is_told_from_what_only_looks_like_it(words: list[str]) -> None:
    with in_thread(bare_app(api := Service(keys=[FAKE_KEY]))) as served:
        parts = urlsplit(served.url)
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
            for word in words:
                connection.sendall(asked_in(word))
                assert connection.recv(10_000).startswith(b"HTTP/1.1 ")
    with api.sessions.enter(FAKE_KEY):
        journal = list(api.sessions.store.journal(fingerprint(FAKE_KEY)))
    assert [sent_by(exchange) for exchange in journal] == words


def asked_in(word: str) -> bytes:
    """A request for this word."""
    verb, _, task_id = word.partition(" ")
    if word == "balance":
        return request_of("GET", "/v1/index.php?endpoint=user_balance", b"")
    if verb == "poll":
        return request_of("GET", f"/v1/index.php?endpoint=task_status&task_id={task_id}", b"")
    return request_of("POST", "/v1/index.php?endpoint=image_generation", json.dumps({"prompt": word}).encode())


def sent_by(exchange: Exchange) -> str:
    """The word of a request."""
    if exchange.body:
        return str(json.loads(exchange.body)["prompt"])
    return f"poll {exchange.target.rpartition('=')[2]}" if "task_id" in exchange.target else "balance"


def test_a_head_that_comes_again_without_its_body_waits_for_it(server: AppServer) -> None:
    body = b"GET /of-another HTTP/1.1\r\n\r\n"
    text = request_of("GET", "/v1/index.php?endpoint=user_balance", body)
    head, parts = text.removesuffix(body), urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (text, text, text, head, body):
            connection.sendall(piece)
            server.settle()
        connection.shutdown(socket.SHUT_WR)
        answers = b"".join(iter(lambda: connection.recv(10_000), b""))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200"] * 4


def test_of_many_different_headers_the_latest_are_known() -> None:
    known = KnownHeaders()
    sent = [KNOWN.replace(b"host: 127.0.0.1", b"host: client-%d" % number) for number in range(300)]
    for data in sent:
        known.learn(data, {}, Reader(data).body)
    assert known.find(sent[0]) is None
    assert known.find(sent[-1])


@pytest.mark.parametrize("rest", [b"x", KNOWN])
def test_headers_are_not_learned_from_data_that_is_more_than_a_request(rest: bytes) -> None:
    known = KnownHeaders()
    known.learn(KNOWN + rest, {}, Reader(KNOWN).body)
    assert known.find(KNOWN) is None


def test_a_connection_is_kept_as_long_after_a_request_with_known_headers(server: AppServer) -> None:
    parts = urlsplit(server.url)
    text = request_of("GET", "/v1/index.php?endpoint=user_balance", b"")
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        for keep_alive in (75, 75, 0):
            connection.sendall(text)
            assert connection.recv(10_000).startswith(b"HTTP/1.1 200 ")
            [protocol] = [one for one in server.server_state.connections if isinstance(one, EnvelopeProtocol)]
            assert protocol.timeout_keep_alive_task
            protocol.timeout_keep_alive = keep_alive
            protocol.loop.call_soon_threadsafe(protocol.timeout_keep_alive_handler)  # as if its time had come
            server.settle()
        assert connection.recv(10) == b"", "now it has"


def test_what_most_requests_are_answered_with_goes_out_in_one_go() -> None:
    assert plain(success({"id": "1"}))
    assert plain(failure(404, "Task not found"))
    assert plain(failure(429, "Slow down", {"retry-after": "3"})) is None


def test_an_application_is_asked_at_once_only_where_nothing_stands_before_its_core() -> None:
    api = Service()
    assert isinstance(core_of(bare_app(api)), Core)
    assert isinstance(core_of(create_app(api)), Core)
    assert isinstance(core_of(create_app(api, cors=True)), Core)
    routed, compressed = create_app(api), create_app(api, cors=True)
    routed.router.routes.append(Route("/own", lambda _: None))
    compressed.add_middleware(GZipMiddleware)
    assert core_of(routed) is None
    assert core_of(compressed) is None


def test_with_cors_what_a_page_of_another_origin_sends_goes_the_long_way_and_nothing_else() -> None:
    core = core_of(create_app(Service(keys=[FAKE_KEY]), cors=True))
    assert core
    headers = {"host": "127.0.0.1", "x-api-key": FAKE_KEY}
    head = Head("GET", b"/v1/index.php?endpoint=user_balance", headers, "http", ("127.0.0.1", 80))
    assert core.at_once(head, b"")
    assert core.at_once(head._replace(headers={**headers, "origin": "https://pages.example"}), b"") is None


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
