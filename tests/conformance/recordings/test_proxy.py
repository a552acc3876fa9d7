"""The proxy in front of an upstream: what passes, what does not, what it may cost, and that no key is written down."""

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from raw_server import RawServer, Saying, answer, envelope, raw_server, saying, self_signed
from run_bad_server import bad_server
from safelight.conformance.recordings import proxy as module
from safelight.conformance.recordings.proxy import Proxy
from safelight.conformance.servers.budget import Budget
from safelight.conformance.servers.entry import entry
from safelight.conformance.servers.probe import Pocket
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.transports.server import in_thread
from safelight.traffic.exchange import Exchange
from safelight.traffic.ndjson import line

#: No form tells these from other texts.
KEY, OTHER = "an-odd-key-0123456789", "another-odd-key-987654"

SUBMIT, BALANCE = {"endpoint": "image_generation"}, {"endpoint": "user_balance"}
BODY = {"prompt": "a lamp"}
TAKEN = answer(envelope({"id": "7", "status": "queued"}))
REFUSED = answer(envelope(error="no"), "400 Bad Request")


@dataclass
class Passing:
    """A proxy that answers, and what it told."""

    url: str
    client: httpx.Client
    proxy: Proxy
    seen: list[Exchange] = field(default_factory=list)
    not_sent: list[Exchange] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Tasks that may still be paid for."""
        return self.proxy.budget.left(Pocket.PAID)

    def at(self, target: str) -> httpx.Response:
        return self.client.get(httpx.URL(self.url).join(target))

    def submit(self, **more: Any) -> httpx.Response:
        return self.client.post(self.url, **{"params": SUBMIT, "json": BODY, **more})

    def balance(self, **more: Any) -> httpx.Response:
        return self.client.get(self.url, **{"params": BALANCE, **more})

    @property
    def written(self) -> str:
        """All that would be recorded."""
        return "".join(map(line, [*self.seen, *self.not_sent]))


@contextmanager
def passing(upstream: str, *, max_paid: int = 0, **more: Any) -> Iterator[Passing]:
    seen: list[Exchange] = []
    not_sent: list[Exchange] = []
    proxy = Proxy(entry(upstream), Budget(max_paid, 0), **{"body_limit": 10_000, **more}, listener=seen.append,
                  not_sent=not_sent.append)  # fmt: skip
    key = {"x-api-key": KEY}
    with in_thread(proxy) as served, httpx.Client(trust_env=False, headers=key, timeout=20) as client:
        yield Passing(served.url, client, proxy, seen, not_sent)


@contextmanager
def before(said: bytes | Saying, **more: Any) -> Iterator[tuple[Passing, RawServer]]:
    with (
        raw_server(saying(said) if isinstance(said, bytes) else said) as upstream,
        passing(upstream.url, **more) as proxy,
    ):
        yield proxy, upstream


# --- what passes ---------------------------------------------------------------------------------------------------


def test_a_request_and_its_answer_pass_to_the_letter() -> None:
    said = answer(b'{"b":  1}', "299 Odd", x_one="1", set_cookie="a=b")
    with before(said, max_paid=1) as (proxy, upstream):
        sent = {"content": b'{"prompt":  "a"}', "headers": {"x-mine": "2", "user-agent": "me/1"}}
        came = proxy.client.post(f"{proxy.url}?endpoint=image_generation&x=%2f+%20", **sent)  # type: ignore[arg-type]
    ((head, body),) = upstream.requests
    assert body == b'{"prompt":  "a"}'
    assert head.startswith(b"POST /v1/index.php?endpoint=image_generation&x=%2f+%20 HTTP/1.1\r\n")
    assert b"x-mine: 2" in head.lower()
    assert f"x-api-key: {KEY}".encode() in head.lower()
    assert (came.status_code, came.content, came.headers["x-one"]) == (299, b'{"b":  1}', "1")


def test_the_host_is_that_of_the_upstream_and_what_is_about_one_connection_ends_here() -> None:
    with before(answer(envelope({}), keep_alive="5", x_hop="1", connection="x-hop")) as (proxy, upstream):
        hop = {"connection": "keep-alive, x-hop", "x-hop": "1", "te": "trailers", "proxy-authorization": "a"}
        came = proxy.balance(headers=hop)
    head = upstream.requests[0][0].lower()
    assert f"host: 127.0.0.1:{entry(upstream.url).port}\r\n".encode() in head
    assert not [name for name in (b"x-hop", b"\r\nte:", b"proxy-auth", b"keep-alive") if name in head]
    assert not came.headers.keys() & {"x-hop", "keep-alive"}


def test_the_entry_points_are_that_of_the_upstream_and_other_paths_stay() -> None:
    with raw_server(saying(TAKEN)) as upstream, passing(upstream.url.replace("v1", "other/v2")) as proxy:
        for path in ("/v1/index.php", "/", "/TS-AI-API/v1/index.php", "/uploads/a.png", "//elsewhere.example/a"):
            proxy.client.get(f"{httpx.URL(proxy.url).copy_with(path='')}{path}?endpoint=user_balance")
    asked = [head.split(b" ")[1].partition(b"?")[0].decode() for head, _ in upstream.requests]
    assert asked == [*["/other/v2/index.php"] * 3, "/uploads/a.png", "//elsewhere.example/a"]


def test_a_redirect_is_passed_on_and_not_followed() -> None:
    with raw_server(saying(TAKEN)) as elsewhere:
        with before(answer(b"", "307 Temporary Redirect", location=elsewhere.url)) as (proxy, _):
            came = proxy.balance()
        assert (came.status_code, came.headers["location"]) == (307, elsewhere.url)
        assert elsewhere.requests == []


def test_an_answer_that_is_compressed_all_the_same_arrives_and_is_recorded() -> None:
    packed = gzip.compress(json.dumps(envelope({"balance": 1})).encode())
    with before(answer(packed, content_encoding="gzip")) as (proxy, upstream):
        assert proxy.balance().json() == envelope({"balance": 1})
    assert b"accept-encoding: identity" in upstream.requests[0][0].lower()
    assert json.loads(proxy.seen[0].answer) == envelope({"balance": 1})


def test_a_picture_passes_in_pieces_and_is_not_kept() -> None:
    picture = b"\x89PNG" + bytes(3_000_000)
    said = answer(picture).replace(b"application/json", b"image/png")
    with before(said) as (proxy, _):
        assert proxy.client.get(proxy.url.replace("/v1/index.php", "/a.png")).content == picture
    assert (proxy.seen[0].answer, proxy.seen[0].answer_bytes) == (b"", len(picture))


def test_pages_of_a_gateway_pass() -> None:
    page = b"<html>down</html>"
    with before(answer(page, "200 OK").replace(b"application/json", b"text/html")) as (proxy, _):
        came = proxy.balance()
    assert (came.content, came.headers["content-type"]) == (page, "text/html")
    assert proxy.seen[0].answer == page


# --- what does not come back ---------------------------------------------------------------------------------------


def sentence(came: httpx.Response) -> str:
    document = came.json()
    assert (document["success"], document["data"]) == (False, None)
    return str(document["error"]["message"])


def test_an_upstream_that_is_down_is_503_and_nothing_was_spent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1/index.php"
    with passing(url, max_paid=1) as proxy:
        came = proxy.submit()
        assert came.status_code == 503
        assert "did not send this request: the server cannot be reached" in sentence(came)
        assert (proxy.left, proxy.seen, len(proxy.not_sent)) == (1, [], 1)


@pytest.mark.parametrize(
    "said", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", answer(b"{}", "999 What")]
)
def test_an_answer_that_is_lost_is_502_and_counts_as_paid(said: bytes) -> None:
    with before(said, max_paid=1) as (proxy, _):
        came = proxy.submit()
    assert came.status_code == 502
    assert "sent this request, and its answer was lost: " in sentence(came)
    assert proxy.left == 0
    assert proxy.seen[0].wire


def test_an_answer_that_breaks_off_breaks_off_here_too() -> None:
    with before(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf") as (proxy, _):
        with pytest.raises(httpx.RemoteProtocolError):
            proxy.balance()
        assert proxy.seen[0].wire
        assert proxy.seen[0].status == 200


def test_a_length_beside_chunks_is_not_heeded() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
    with before(head + b"2\r\n{}\r\n0\r\n\r\n") as (proxy, _):
        assert proxy.balance().content == b"{}"


def test_what_streams_for_ever_is_cut_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with bad_server("streams-for-ever") as upstream, passing(upstream.url, seconds=0.5) as proxy:
        with pytest.raises(httpx.RemoteProtocolError):
            proxy.balance(headers={"x-api-key": FAKE_KEY})
        assert "no end within 0.5 s" in proxy.seen[0].wire
    monkeypatch.setattr(module, "MAX_PICTURE_BYTES", 1_000)
    with bad_server("streams-for-ever") as upstream, passing(upstream.url) as proxy:
        with pytest.raises(httpx.RemoteProtocolError):
            proxy.balance(headers={"x-api-key": FAKE_KEY})
        assert "longer than 1,000 bytes" in proxy.seen[0].wire


def test_an_upstream_that_never_answers_is_given_up() -> None:
    with bad_server("answers-nothing") as upstream, passing(upstream.url, seconds=0.3) as proxy:
        assert "no answer within 0.3 s" in sentence(proxy.balance())


@pytest.mark.needs("openssl")
def test_an_upstream_whose_certificate_nobody_trusts_is_sent_nothing(tmp_path: Path) -> None:
    context, came = self_signed(tmp_path), list[bytes]()

    def shake(listening: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(listening.accept()[0], server_side=True) as connection:
            came.append(connection.recv(1_000))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=shake, args=(listening,))
        thread.start()
        with passing(f"https://127.0.0.1:{listening.getsockname()[1]}/", max_paid=1) as proxy:
            assert "its certificate is not trusted" in sentence(proxy.submit())
            assert proxy.left == 1
        thread.join()
    assert came == []


def test_a_body_beyond_the_limit_is_not_sent() -> None:
    with before(TAKEN, max_paid=1) as (proxy, upstream):
        came = proxy.submit(json={"prompt": "a" * 20_000})
        assert (came.status_code, upstream.requests, proxy.left) == (413, [], 1)
        assert "the limit is 10,000 bytes" in sentence(came)


def test_control_is_not_passed_on() -> None:
    with before(TAKEN) as (proxy, upstream):
        came = proxy.client.get(proxy.url.replace("/v1/index.php", "/_safelight/sessions"))
        assert (came.status_code, upstream.requests) == (404, [])


# --- what it may cost ----------------------------------------------------------------------------------------------

AMONG_OTHERS = "endpoint=user_balance&endpoint=image%5Fgeneration"
MONEY: list[tuple[str, Callable[[Passing], httpx.Response]]] = [
    ("a submit", lambda proxy: proxy.submit()),
    ("a submit by GET", lambda proxy: proxy.client.get(proxy.url, params=SUBMIT)),
    ("a submit by HEAD", lambda proxy: proxy.client.head(proxy.url, params=SUBMIT)),
    ("a submit among others", lambda proxy: proxy.client.get(f"{proxy.url}?{AMONG_OTHERS}")),
    ("a path of a submit", lambda proxy: proxy.client.get(proxy.url.replace("index.php", "video_generation"))),
    ("an unknown POST", lambda proxy: proxy.client.post(proxy.url, params={"endpoint": "new"})),
    ("a path of a submit that is encoded", lambda proxy: proxy.at("/v1/image%5Fgeneration")),
    ("a path of a submit in capitals", lambda proxy: proxy.at("/V1/IMAGE_GENERATION/")),
    ("a submit in capitals", lambda proxy: proxy.client.get(f"{proxy.url}?endpoint=Image_Generation")),
    ("a submit after a semicolon", lambda proxy: proxy.client.get(f"{proxy.url}?x=1;endpoint=image_generation")),
    ("an OPTIONS with a body", lambda proxy: proxy.client.request("OPTIONS", proxy.url, params=SUBMIT, content=b"{}")),
    ("a GET with a body", lambda proxy: proxy.client.request("GET", proxy.url, params=BALANCE, content=b"{}")),
]  # fmt: skip


@pytest.mark.parametrize("ask", [ask for _, ask in MONEY], ids=[name for name, _ in MONEY])
def test_what_may_make_a_task_is_not_sent_without_a_budget(ask: Callable[[Passing], httpx.Response]) -> None:
    with before(TAKEN) as (proxy, upstream):
        assert ask(proxy).status_code == 402
        assert (upstream.requests, proxy.seen, len(proxy.not_sent)) == ([], [], 1)


def test_the_refusal_says_what_to_do() -> None:
    with before(TAKEN) as (proxy, _):
        assert "nothing is left of --max-paid" in sentence(proxy.submit())


def test_what_only_reads_and_what_a_browser_asks_before_costs_nothing() -> None:
    with before(answer(envelope({}))) as (proxy, upstream):
        proxy.balance()
        proxy.client.options(proxy.url, params=SUBMIT, headers={"access-control-request-method": "POST"})
        assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (TAKEN, 0),
        (REFUSED, 1),
        (answer(envelope(error="no")), 1),
        (answer(envelope(error="crashed"), "500 Internal Server Error"), 1),
        (answer(b"<html>", "502 Bad Gateway"), 0),
        (answer(b"<html>"), 0),
        (answer(envelope({})), 0),
        (b"", 0),
    ],
)
def test_a_submit_counts_as_paid_unless_it_was_refused(said: bytes, left: int) -> None:
    with before(said, max_paid=1) as (proxy, _):
        proxy.submit()
        assert proxy.left == left


def test_of_submits_at_one_time_no_more_pass_than_are_allowed() -> None:
    there = Barrier(3)  # all of them are under way before one is answered

    def together(connection: socket.socket, _head: bytes, _body: bytes) -> None:
        there.wait(20)
        connection.sendall(TAKEN)

    with before(together, max_paid=3) as (proxy, upstream), ThreadPoolExecutor(8) as pool:
        statuses = [came.status_code for came in pool.map(lambda _: proxy.submit(), range(8))]
        assert sorted(statuses) == [200] * 3 + [402] * 5
        assert len(upstream.requests) == 3


# --- keys ----------------------------------------------------------------------------------------------------------


def test_no_key_is_written_down_wherever_it_stood() -> None:
    echo = answer(envelope({"user": KEY, "escaped": quote(KEY)}), x_debug=KEY)
    with before(echo, max_paid=9) as (proxy, _):
        proxy.balance()
        proxy.balance(headers={"x-api-key": "", "authorization": f"Bearer {OTHER}"})
        proxy.balance(params={**BALANCE, "api_key": OTHER}, headers={"x-api-key": ""})
        proxy.submit(json={**BODY, "api_key": OTHER}, headers={"x-api-key": ""})
        proxy.submit(json={"prompt": f"my key is {KEY}"})
        proxy.client.get(proxy.url.replace("/v1/index.php", f"/{KEY}"))
    assert len(proxy.seen) == 6
    assert KEY not in proxy.written
    assert OTHER not in proxy.written
    assert proxy.seen[0].key == fingerprint(KEY)


def test_a_key_that_is_echoed_to_somebody_else_is_not_written_down() -> None:
    with before(answer(envelope({"last_user": KEY}))) as (proxy, _):
        proxy.balance()
        proxy.balance(headers={"x-api-key": OTHER})
    assert KEY not in proxy.written


def test_an_exchange_is_recognized_and_its_leaks_are_named() -> None:
    with before(TAKEN, max_paid=1) as (proxy, _):
        proxy.submit(json={"prompt": KEY})
    (seen,) = proxy.seen
    assert (seen.operation, seen.task_id, seen.phase) == ("image_generation", "7", "queued")
    assert seen.leaks == ("the body",)
    assert seen.took is not None
