"""Raw bytes from clients that close early, half close or write no HTTP: an exact status or a clean end, paid exactly.

Each is tried on `safelight serve` and on the server of the tests, once as a client that ends its side and reads, as
`nc -N` does, and once as one that keeps it open.
"""

import json
import logging
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.testing.safelight import Safelight
from serving import serving

#: Seconds after which a server that says nothing hangs.
MAX_SECONDS: Final = 20

#: More than a server lets in, and than one lets in that has its own limit.
TOO_LARGE: Final = 10_000_001

PRICE: Final = 10


class Server(NamedTuple):
    """A server, and what it complained of so far."""

    url: str
    key: str
    complaints: Callable[[], str]

    def connect(self) -> socket.socket:
        address = urlsplit(self.url)
        return socket.create_connection((str(address.hostname), int(address.port or 0)), MAX_SECONDS)

    @property
    def balance(self) -> float:
        """What is left, asked for on a connection of its own."""
        with self.connect() as connection:
            connection.sendall(get(self.key))
            [(status, body)] = answers(connection, 1)
        assert status == 200
        return float(json.loads(body)["data"]["balance"])


@contextmanager
def _process() -> Iterator[Server]:
    with serving("--balance", "1000000") as served:
        yield Server(served.url, served.key, lambda: served.complained)


@contextmanager
def _thread() -> Iterator[Server]:
    complaints: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        with Safelight(balance=1_000_000) as api:
            yield Server(api.url, api.api_key, lambda: "\n".join(complaints))
    finally:
        logging.getLogger().removeHandler(handler)


SERVERS: Final[Mapping[str, Callable[[], AbstractContextManager[Server]]]] = {"serve": _process, "thread": _thread}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with SERVERS[request.param]() as opened:
        yield opened
        assert opened.complaints() == ""


def answers(connection: socket.socket, number: int | None) -> list[tuple[int, bytes]]:
    """Status and body of so many answers, or of all until the connection ends."""
    found: list[tuple[int, bytes]] = []
    came = b""
    while number is None or len(found) < number:
        head, ended, rest = came.partition(b"\r\n\r\n")
        status = int(head.split()[1]) if ended else 0
        size = 0 if status == 100 else int(head.lower().partition(b"content-length: ")[2].split()[0]) if ended else 0
        if ended and len(rest) >= size:
            found.append((status, rest[:size]))
            came = rest[size:]
        elif piece := connection.recv(1_000_000):
            came += piece
        else:
            break
    assert number is None or len(found) == number, f"after {len(found)} answers the connection ended"
    assert came == b""
    return found


def written(key: str, method: str, endpoint: str, *lines: str, body: bytes = b"", version: str = "1.1") -> bytes:
    """A request as it stands, without a length."""
    head = [f"{method} /v1/index.php?endpoint={endpoint} HTTP/{version}", "Host: fake", f"x-api-key: {key}", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def get(key: str, *lines: str, body: bytes = b"") -> bytes:
    return written(key, "GET", "user_balance", *lines, body=body)


def post(key: str, *lines: str, body: bytes = b"", version: str = "1.1") -> bytes:
    return written(key, "POST", "image_generation", *lines, body=body, version=version)


SMALL: Final = b'{"prompt": "a lamp"}'
#: So large that it is checked in a thread.
LARGE: Final = SMALL.ljust(60_000)
HUGE: Final = SMALL.ljust(TOO_LARGE)

CHUNKED: Final = "Transfer-Encoding: chunked"


def submit(key: str, *lines: str, body: bytes = SMALL, version: str = "1.1") -> bytes:
    return post(key, f"Content-Length: {len(body)}", *lines, body=body, version=version)


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


@dataclass(frozen=True)
class Row:
    """What is sent, the statuses of its answers, and how many submits are paid for."""

    sent: Callable[[str], bytes]
    statuses: list[int]
    paid: int = 0


ROWS: Final[Mapping[str, Row]] = {
    "a submit": Row(submit, [200], 1),
    "a large submit": Row(lambda key: submit(key, body=LARGE), [200], 1),
    "a large chunked submit": Row(lambda key: post(key, CHUNKED, body=chunked(LARGE, b"  ") + chunked(b"")), [200], 1),
    "a poll": Row(get, [200]),
    "half a head": Row(lambda key: submit(key)[:60], []),
    "half a body": Row(lambda key: submit(key)[:-3], []),
    "half a large body": Row(lambda key: submit(key, body=LARGE)[:-3], []),
    "a body that does not begin": Row(lambda key: post(key, "Content-Length: 20"), []),
    "a GET with a body": Row(lambda key: get(key, "Content-Length: 3", body=b"abc"), [200]),
    "a GET with half a body": Row(lambda key: get(key, "Content-Length: 30", body=b"abc"), []),
    "a GET with a body over the limit": Row(
        lambda key: get(key, f"Content-Length: {TOO_LARGE}", "Connection: close", body=HUGE), [413]
    ),
    "a body over the limit": Row(lambda key: submit(key, body=HUGE), [413]),
    "a body over the limit, and the end": Row(lambda key: submit(key, "Connection: close", body=HUGE), [413]),
    "a body over the limit, in HTTP/1.0": Row(lambda key: submit(key, body=HUGE, version="1.0"), [413]),
    "chunks over the limit": Row(
        lambda key: post(key, CHUNKED, "Connection: close", body=chunked(HUGE, HUGE) + chunked(b"")), [413]
    ),
    "a body over the limit, then a submit": Row(lambda key: submit(key, body=HUGE) + submit(key), [413, 200], 1),
    "half a body over the limit": Row(lambda key: submit(key, body=HUGE)[: TOO_LARGE // 2], [413]),
    "a body over the limit that does not begin": Row(lambda key: post(key, f"Content-Length: {10**18}"), [413]),
    "chunks without an end": Row(lambda key: post(key, CHUNKED, body=chunked(SMALL)), []),
    "half a chunk": Row(lambda key: post(key, CHUNKED, body=b"14\r\n" + SMALL[:-1]), []),
    "chunks without an end in a GET": Row(lambda key: get(key, CHUNKED, body=chunked(b"abc")), []),
    "a broken chunk": Row(lambda key: post(key, CHUNKED, body=b"zz\r\n"), [400]),
    "a broken chunk in a GET": Row(lambda key: get(key, CHUNKED, body=b"zz\r\n"), [400]),
    "a second chunk that is broken": Row(lambda key: post(key, CHUNKED, body=chunked(SMALL) + b"zz\r\n"), [400]),
    "a second chunk that is broken, in a GET": Row(lambda key: get(key, CHUNKED, body=chunked(b"a") + b"z\r\n"), [400]),
    "a chunk that is longer than it says": Row(lambda key: post(key, CHUNKED, body=b"3\r\nabcd\r\n0\r\n\r\n"), [400]),
    "a negative chunk": Row(lambda key: post(key, CHUNKED, body=b"-5\r\nabcde\r\n0\r\n\r\n"), [400]),
    "a chunk of an endless size": Row(lambda key: post(key, CHUNKED, body=b"f" * 40 + b"\r\n"), [400]),
    "another coding": Row(lambda key: post(key, "Transfer-Encoding: tea", body=SMALL), [400]),
    "a length and chunks": Row(lambda key: submit(key, CHUNKED), [400]),
    "two lengths": Row(lambda key: submit(key, "Content-Length: 4"), [400]),
    "the same length twice": Row(lambda key: submit(key, f"Content-Length: {len(SMALL)}"), [400]),
    "a negative length": Row(lambda key: post(key, "Content-Length: -1"), [400]),
    "a length that is a word": Row(lambda key: post(key, "Content-Length: ten"), [400]),
    "a length beyond all numbers": Row(lambda key: post(key, "Content-Length: 9" + 30 * "9"), [400]),
    "a length that is too small": Row(lambda key: post(key, "Content-Length: 5", body=SMALL), [400, 400]),
    "a submit that asks first": Row(lambda key: submit(key, "Expect: 100-continue"), [100, 200], 1),
    "one that asks, and sends nothing": Row(lambda key: post(key, "Expect: 100-continue", "Content-Length: 20"), [100]),
    "one over the limit that asks first": Row(
        lambda key: post(key, "Expect: 100-continue", f"Content-Length: {TOO_LARGE}"), [413]
    ),
    "one over the limit that asks, and sends all the same": Row(
        lambda key: submit(key, "Expect: 100-continue", body=HUGE), [413]
    ),
    "one that expects tea": Row(lambda key: submit(key, "Expect: tea"), [200], 1),
    "HTTP/1.0": Row(lambda key: submit(key, version="1.0"), [200], 1),
    "HTTP/1.0 that keeps the connection": Row(
        lambda key: submit(key, "Connection: keep-alive", version="1.0"), [200], 1
    ),
    "HTTP/9.9": Row(lambda key: submit(key, version="9.9"), [400]),
    "three at once": Row(lambda key: submit(key, body=LARGE) + get(key) + submit(key), [200, 200, 200], 2),
    "two and a half at once": Row(
        lambda key: submit(key, body=LARGE) + submit(key) + submit(key, body=LARGE)[:-3], [200, 200], 2
    ),
    "two and no HTTP at once": Row(
        lambda key: submit(key, body=LARGE) + submit(key) + b"\0\1tea\r\n\r\n", [200, 200, 400], 2
    ),
    "two and a broken chunk at once": Row(
        lambda key: submit(key, body=LARGE) + submit(key) + post(key, CHUNKED, body=b"zz\r\n"), [200, 200, 400], 2
    ),
    "one after the last": Row(lambda key: submit(key, "Connection: close", body=LARGE) + submit(key), [200], 1),
    "the absolute form": Row(lambda key: submit(key).replace(b"POST ", b"POST http://fake", 1), [200], 1),
    "no target": Row(lambda key: submit(key).replace(b"POST /v1", b"POST v1", 1), [400]),
    "a header with NUL": Row(lambda key: submit(key, "x: \0"), [400]),
    "a header without a colon": Row(lambda key: submit(key, "tea"), [400]),
    "a header of no ASCII": Row(lambda key: submit(key, "x: \xff\xfe"), [200], 1),
    "headers that are too large": Row(lambda key: submit(key, "x: " + 100_000 * "x"), [400]),
    "a request line that is too long": Row(
        lambda key: submit(key).replace(b"php?", b"php?" + 100_000 * b"x", 1), [400]
    ),
    "a request line without end": Row(lambda _: b"GET /" + 100_000 * b"x", [400]),
    "no HTTP": Row(lambda _: b"tea, please\r\n\r\n", [400]),
    "nothing": Row(lambda _: b"", []),
}


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("ends", [True, False], ids=["half closed", "open"])
def test_it_is_answered_exactly_and_paid_for_exactly(server: Server, name: str, *, ends: bool) -> None:
    row, before = ROWS[name], server.balance
    with server.connect() as connection:
        connection.sendall(row.sent(server.key))
        if ends:
            connection.shutdown(socket.SHUT_WR)
        found = answers(connection, None if ends else len(row.statuses))
    assert [status for status, _ in found] == row.statuses
    assert before - server.balance == PRICE * row.paid
    assert server.complaints() == ""


def test_a_control_route_answers_who_has_ended_its_side() -> None:
    with _process() as server:
        for method, route in [("GET", "session"), ("GET", "journal"), ("POST", "clock"), ("GET", "plan")]:
            body = b'{"scale": 60}'.ljust(60_000) if method == "POST" else b""
            lines = f"Host: 127.0.0.1\r\nx-api-key: {server.key}\r\nContent-Length: {len(body)}"
            with server.connect() as connection:
                connection.sendall(f"{method} /_safelight/{route} HTTP/1.1\r\n{lines}\r\n\r\n".encode() + body)
                connection.shutdown(socket.SHUT_WR)
                assert [status for status, _ in answers(connection, None)] == [200], route
        assert server.complaints() == ""


@pytest.mark.parametrize(
    ("fault", "statuses"), [("hang 0.1", [200]), ("drip 5000", [200]), ("hang", []), ("hang 99", [])]
)
def test_a_late_answer_is_sent_unless_it_is_not_worth_waiting_for(fault: str, statuses: list[int]) -> None:
    with Safelight(faults=[f"balance: {fault}"]) as api, Server(api.url, api.api_key, str).connect() as connection:
        connection.sendall(get(api.api_key))
        connection.shutdown(socket.SHUT_WR)
        assert [status for status, _ in answers(connection, None)] == statuses
        assert api.plan.undelivered() == []


@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_half_a_submit_is_none_wherever_it_ends(server: Server, data: st.DataObject) -> None:
    whole = submit(server.key, body=data.draw(st.sampled_from([SMALL, LARGE])))
    end = data.draw(st.integers(0, len(whole)) | st.integers(1, 40).map(lambda missing: len(whole) - missing))
    before = server.balance
    with server.connect() as connection:
        connection.sendall(whole[:end])
        connection.shutdown(socket.SHUT_WR)
        found = [status for status, _ in answers(connection, None)]
    assert found == [200] * (end == len(whole))
    assert before - server.balance == PRICE * len(found)


@given(end=st.integers(0, 200), resets=st.booleans())
@settings(deadline=None, max_examples=40)
def test_who_leaves_at_any_moment_leaves_no_trace(server: Server, end: int, *, resets: bool) -> None:
    connection = server.connect()
    connection.sendall(submit(server.key, body=LARGE)[:end] if end < 150 else submit(server.key, body=LARGE))
    if resets:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert server.balance
    assert server.complaints() == ""
