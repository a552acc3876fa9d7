"""The one gate: what is spent, where requests go, what comes back of hostile servers, and that no key leaves it."""

import asyncio
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raw_server import answer, envelope, raw_server, saying, self_signed
from safelight.conformance.servers.budget import Budget, NoBudget
from safelight.conformance.servers.entry import entry
from safelight.conformance.servers.gate import Gate, NotAllowed
from safelight.conformance.servers.probe import Pocket, Probe, balance, poll, submit
from safelight.conformance.servers.sending import ServerGone
from safelight.conformance.servers.taken import is_taken
from safelight.traffic.exchange import Exchange

KEY = "sk-" + 12 * "feed"
_Came = TypeVar("_Came")

WRONG = submit("a wrong one", "image_generation", {"prompt": 1})
MEANT = submit("a right one", "image_generation", {"prompt": "a lamp"}, is_meant=True)
TAKEN = answer(envelope({"id": "7", "status": "queued"}))
REFUSED = answer(envelope(error="no"), "400 Bad Request")


def through(url: str, ask: Callable[[Gate], Awaitable[_Came]], **options: Any) -> tuple[Gate, _Came]:
    given: dict[str, Any] = {"key": KEY, "timeout": 5} | options
    gate = Gate(entry(url), **given)

    async def go() -> _Came:
        async with gate:
            return await ask(gate)

    return gate, asyncio.run(go())


def came(said: bytes, probe: Probe = WRONG, **options: Any) -> tuple[Gate, Exchange]:
    with raw_server(saying(said)) as server:
        return through(server.url, lambda gate: gate.send(probe), **options)


def test_what_is_refused_is_given_back() -> None:
    gate, _ = came(REFUSED)
    assert (gate.budget.left(Pocket.SURPRISE), gate.created) == (1, [])


@pytest.mark.parametrize(
    ("said", "task_id"),
    [
        (TAKEN, "7"),
        (answer(envelope({"id": 7})), "7"),
        (answer({"success": True, "data": {"id": "7"}, "error": "but"}, "201 Created"), "7"),
        (answer({}), None),
        (answer(b"<html>", "502 Bad Gateway"), None),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{}", None),
        (b"", None),
    ],
)
def test_what_is_taken_or_may_be_is_spent_and_named(said: bytes, task_id: str | None) -> None:
    gate, _ = came(said)
    assert gate.budget.left(Pocket.SURPRISE) == 0
    assert [(one.task_id, one.price) for one in gate.created] == [(task_id, 10)]


@pytest.mark.parametrize(("probe", "budget"), [(WRONG, Budget(9, 0)), (MEANT, Budget(0, 9))])
def test_nothing_is_sent_for_which_nothing_is_left(probe: Probe, budget: Budget) -> None:
    with raw_server(saying(TAKEN)) as server, pytest.raises(NoBudget):
        through(server.url, lambda gate: gate.send(probe), budget=budget)
    assert server.requests == []


@pytest.mark.parametrize(
    ("probe", "pocket"),
    [
        (balance(), Pocket.NONE),
        (poll("7"), Pocket.NONE),
        (WRONG, Pocket.SURPRISE),
        (MEANT, Pocket.PAID),
        (Probe("no key", "POST", "endpoint=image_editing", {}), Pocket.SURPRISE),
        (Probe("by GET", query="endpoint=task_status&endpoint=%69mage_generation"), Pocket.SURPRISE),
        (Probe("no endpoint", "POST"), Pocket.SURPRISE),
    ],
)
def test_a_request_says_by_itself_what_pays_for_it(probe: Probe, pocket: Pocket) -> None:
    assert probe.pocket is pocket


@pytest.mark.parametrize(
    ("probe", "data", "wanted"),
    [
        (balance(), {"id": 7, "balance": 1}, False),
        (balance(), {"id": "7", "status": "queued"}, True),
        (poll("a b"), {"id": "a b", "status": "queued"}, False),
        (Probe("no endpoint", "POST"), {"balance": 1}, False),
        (Probe("no endpoint", "POST"), {"id": "7", "status": "queued"}, True),
    ],
)
def test_a_mere_question_makes_a_task_where_it_is_answered_as_a_submit(
    probe: Probe, data: Any, *, wanted: bool
) -> None:
    _, exchange = came(answer(envelope(data)), probe)
    assert is_taken(probe, exchange) is wanted


def _reset(connection: socket.socket, _head: bytes, _body: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _drip(connection: socket.socket, _head: bytes, _body: bytes) -> None:
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def _headers_drip(connection: socket.socket, head: bytes, body: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    _drip(connection, head, body)


def _stream(connection: socket.socket, head: bytes, body: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    _drip(connection, head, body)


def _large(connection: socket.socket, _head: bytes, _body: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 1_000_000)


@pytest.mark.parametrize(
    ("say", "status", "wire"),
    [
        (_reset, 0, "Connection reset by peer"),
        (_headers_drip, 0, "no answer within 0.4 s"),
        (_stream, 200, "no end within 0.4 s"),
        (_large, 200, "the answer is longer than 2,000,000 bytes"),
        (saying(b""), 0, "Server disconnected without sending a response."),
        (saying(b"SSH-2.0-OpenSSH_9\r\n"), 0, ""),
        (saying(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"), 200, ""),
        (saying(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{}"), 200, ""),
        (saying(b"HTTP/1.1 200 OK\r\nx: " + b"a" * 1_000_000 + b"\r\n\r\n{}"), 0, ""),
        (saying(answer(b"no gzip", content_encoding="gzip")), 200, ""),
    ],
)
def test_a_broken_answer_is_said_in_words_and_is_never_asked_for_again(say: Any, status: int, wire: str) -> None:
    with raw_server(say) as server:
        _, exchange = through(server.url, lambda gate: gate.send(WRONG), timeout=0.4 if "0.4" in wire else 10)
    assert exchange.status == status
    assert exchange.wire == wire if wire else exchange.wire
    assert len(server.requests) == 1


def test_http_1_0_without_a_length_is_read_to_its_end() -> None:
    _, exchange = came(b"HTTP/1.0 400 Bad Request\r\n\r\n{}")
    assert (exchange.status, exchange.answer, exchange.wire) == (400, b"{}", "")


@given(st.text(min_size=1))
def test_a_query_arrives_as_it_was_written(task_id: str) -> None:
    probe = poll(task_id)
    with raw_server(saying(REFUSED)) as server:
        through(server.url, lambda gate: gate.send(probe))
    assert server.requests[0][0].startswith(f"GET /v1/index.php?{probe.query} HTTP/1.1\r\n".encode())


def test_no_redirect_is_followed() -> None:
    with raw_server(saying(TAKEN)) as elsewhere:
        _, exchange = came(answer({}, "307 Temporary Redirect", location=elsewhere.url))
    assert (exchange.status, elsewhere.requests) == (307, [])


def test_where_nobody_takes_a_connection_the_server_is_gone_and_nothing_is_spent() -> None:
    with raw_server(saying(REFUSED)) as server:
        pass
    gate = Gate(entry(server.url), KEY, budget=Budget(1, 1))

    async def go() -> None:
        async with gate:
            await gate.send(MEANT)

    with pytest.raises(ServerGone, match="the server cannot be reached: "):
        asyncio.run(go())
    assert (gate.budget.left(Pocket.PAID), gate.created) == (1, [])


def test_a_submit_that_is_interrupted_may_have_made_a_task() -> None:
    has_come = Event()

    def say(connection: socket.socket, head: bytes, body: bytes) -> None:
        has_come.set()
        _headers_drip(connection, head, body)

    async def ask(gate: Gate) -> None:
        sending = asyncio.ensure_future(gate.send(MEANT))
        await asyncio.to_thread(has_come.wait)
        sending.cancel()
        await asyncio.wait([sending])

    with raw_server(say) as server:
        gate, _ = through(server.url, ask, budget=Budget(1, 0))
    assert [one.task_id for one in gate.created] == [None]
    assert gate.budget.left(Pocket.PAID) == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/a.png",
        "http://user:password@elsewhere.example/a.png",
        "http://127.0.0.1@elsewhere.example/a.png",
        "http://127.0.0.1.elsewhere.example/a.png",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "file://127.0.0.1/etc/passwd",
        "http://[::1",
        "http://127.0.0.1:0/a.png",
        "http://127.0.0.1:99999/a.png",
        "http:///a.png",
        "/a.png",
        "a.png",
        "",
        "javascript:alert(1)",
        "http://127.0.0.1/\x00",
        "http://\ud800/",
    ],
)
def test_a_picture_is_fetched_from_no_other_host_and_from_no_url_that_is_none(url: str) -> None:
    with pytest.raises((NotAllowed, ValueError)):
        through("http://127.0.0.1:9/", lambda gate: gate.fetch(url))


@pytest.mark.parametrize("url", ["http://127.0.0.1/a.png", "http://localhost/a.png", "http://[::1]/a.png", "http://0/"])
def test_a_server_elsewhere_cannot_send_us_to_this_machine(url: str) -> None:
    with pytest.raises(NotAllowed):
        through("https://elsewhere.example/v1/index.php", lambda gate: gate.fetch(url))


def test_a_picture_comes_without_the_key_from_hosts_that_are_allowed() -> None:
    with raw_server(saying(answer(b"picture"))) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        _, (exchange, file) = through(server.url, lambda gate: gate.fetch(url))
    assert (exchange.status, file) == (200, b"picture")
    assert KEY.encode() not in server.requests[0][0]


def test_a_picture_whose_host_is_down_is_no_end_of_the_run() -> None:
    with raw_server(saying(answer({}))) as gone:
        pass
    _, (exchange, file) = through("http://127.0.0.1:9/", lambda gate: gate.fetch(gone.url))
    assert (exchange.status, file) == (0, b"")
    assert exchange.wire


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60))
def test_no_key_stands_in_an_exchange_whatever_its_form(key: str) -> None:
    def echo(connection: socket.socket, head: bytes, body: bytes) -> None:
        connection.sendall(answer(envelope(error=f"no {key} {head.decode()} {body.decode()}"), "401 Unauthorized"))

    probe = Probe("each way", "POST", "endpoint=task_status&api_key=$SAFELIGHT_API_KEY", body=b"{}")
    with raw_server(echo) as server:
        gate, exchange = through(server.url, lambda gate: gate.send(probe), key=key)
    assert exchange.leaks
    assert key not in str(gate.exchanges)


def test_the_rate_spaces_requests_but_for_those_whose_haste_is_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    slept, real = list[float](), asyncio.sleep

    def sleep(seconds: float) -> Awaitable[None]:
        slept.append(seconds)
        return real(0)

    async def ask(gate: Gate) -> None:
        monkeypatch.setattr(asyncio, "sleep", sleep)
        for _ in range(4):
            await gate.send(balance())
        await gate.send(balance(), in_burst=True)

    with raw_server(saying(REFUSED)) as server:
        through(server.url, ask, rate=0.01)
    assert [round(seconds / 100) for seconds in slept if seconds > 1] == [1, 2, 3]


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    gate, exchange = came(REFUSED)
    assert (exchange.status, gate.created) == (400, [])


def test_a_proxy_of_the_environment_is_asked_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with raw_server(saying(REFUSED)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1/index.php"))
        _, exchange = through("http://staging.example/v1/index.php", lambda gate: gate.send(WRONG))
    assert exchange.status == 400
    assert proxy.requests[0][0].startswith(b"POST http://staging.example/v1/index.php?endpoint=image_generation ")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("is_trusted", [False, True])
def test_a_certificate_is_trusted_where_somebody_vouches_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_trusted: bool
) -> None:
    context = self_signed(tmp_path)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(REFUSED)
        await writer.drain()
        writer.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        async def ask(gate: Gate) -> Exchange:
            async with await asyncio.start_server(answers, sock=listening, ssl=context):
                return await gate.send(WRONG)

        if is_trusted:
            assert through(f"https://127.0.0.1:{port}/", ask)[1].status == 400
        else:
            with pytest.raises(ServerGone, match=r"its certificate is not trusted.*SSL_CERT_FILE"):
                through(f"https://127.0.0.1:{port}/", ask)
