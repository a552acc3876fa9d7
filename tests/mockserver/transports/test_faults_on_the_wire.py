"""What a client with nothing but a socket sees of each fault; and one with httpx, with a socket and without."""

import gzip
import json
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from fake import PNG, Fake, status_of
from safelight.mockserver.faults.catalogue import faults
from safelight.mockserver.faults.catalogue.answers import GATEWAY_PAGE
from safelight.mockserver.faults.catalogue.bytes import PHP_WARNING
from safelight.mockserver.operations.results import picture_path
from safelight.mockserver.transports.asgi import bare_app
from safelight.mockserver.transports.in_process import transport
from safelight.mockserver.transports.server import AppServer, in_thread
from safelight.testing.safelight import Safelight

#: Seconds after which a server that says nothing hangs, and where it is to say nothing.
MAX_SECONDS: Final = 20.0
SILENT_SECONDS: Final = 0.2

#: The faults that say nothing for ever -> the seconds to wait for their first bytes, and for what comes then.
SILENT_AFTER: Final[Mapping[str, tuple[float, float]]] = {
    "hang": (SILENT_SECONDS, SILENT_SECONDS),
    "stall": (MAX_SECONDS, SILENT_SECONDS),
}


@dataclass(frozen=True)
class Heard:
    """All that came, and how it ended: `closed`, `reset` or `silent`."""

    raw: bytes
    end: str

    @property
    def start(self) -> str:
        return self.raw.partition(b"\r\n")[0].decode()

    @property
    def status(self) -> int:
        return int(self.start.split()[1])

    @property
    def headers(self) -> Mapping[str, str]:
        lines = self.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        return self.document["data"]

    @property
    def missing(self) -> int:
        """Bytes that were announced and did not come."""
        return int(self.headers["content-length"]) - len(self.body)


def heard_on(connection: socket.socket, timeout: float = MAX_SECONDS) -> Heard:
    """What still comes, waiting so many seconds after the first of it."""
    came = bytearray()
    try:
        while piece := connection.recv(1_000_000):
            came += piece
            connection.settimeout(timeout)
    except ConnectionResetError:
        return Heard(bytes(came), "reset")
    except TimeoutError:
        return Heard(bytes(came), "silent")
    return Heard(bytes(came), "closed")


@dataclass
class Site:
    """A server, a task that is done, one that runs, and the file of the first."""

    fake: Fake
    server: AppServer
    targets: Mapping[str, str]

    @property
    def origin(self) -> str:
        return self.server.url.removesuffix("/v1/index.php")

    def connect(self, target: str, timeout: float = MAX_SECONDS) -> socket.socket:
        """A connection on which this was asked. The server has read it."""
        address = urlsplit(self.origin)
        connection = socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=timeout)
        head = f"GET {target} HTTP/1.1\r\nhost: {address.netloc}\r\nx-api-key: {self.fake.key}\r\nconnection: close"
        connection.sendall(f"{head}\r\n\r\n".encode())
        self.server.settle()
        return connection

    def hear(self, target: str, first: float = MAX_SECONDS, timeout: float = MAX_SECONDS) -> Heard:
        """What comes of asking this."""
        with self.connect(target, first) as connection:
            return heard_on(connection, timeout)

    def plan(self, *rules: str) -> None:
        """These rules and no others."""
        self.fake.session.plan.clear()
        self.fake.session.plan.add(*rules)


@contextmanager
def served() -> Iterator[Site]:
    fake = Fake(polls=(0, 0), checked=False)
    done = fake.submit(width=64, height=64)
    fake.next(queued=0, running=1_000, axis="polls")
    targets = {"done": status_of(done), "running": status_of(fake.submit()), "file": picture_path(fake.key, done)}
    with in_thread(bare_app(fake.api)) as server:
        yield Site(fake, server, targets)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served() as found:
        yield found


#: Of what was heard, and of what would have been without the fault, whether it is as promised.
Holds = Callable[[Heard, Heard], bool]


def _is_whole(holds: Holds) -> Holds:
    """It came to its end, is as long as it says, and something holds of it."""
    return lambda heard, plain: (heard.end, heard.missing) == ("closed", 0) and holds(heard, plain)


def _is_error(status: int, message: str) -> Holds:
    error = {"success": False, "data": None, "error": {"message": message}}
    return _is_whole(lambda heard, _: (heard.status, heard.document) == (status, error))


def _is(body: Callable[[bytes], bytes]) -> Holds:
    return _is_whole(lambda heard, plain: heard.status == 200 and heard.body == body(plain.body))


def _has(**changed: Any) -> Holds:
    return _is_whole(lambda heard, plain: heard.data == {**plain.data, **changed})


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def _is_unpacked(heard: Heard, plain: Heard) -> bool:
    return len(heard.body) < 200_000 and gzip.decompress(heard.body) == b" " * 100_000_000 + plain.body


def _is_another(heard: Heard, plain: Heard) -> bool:
    begun, _, other = heard.body.partition(b"HTTP/1.1 200 OK\r\n")
    return begun == _half(plain.body) and other.partition(b"\r\n\r\n")[2] != plain.body and heard.missing < 0


#: Fault -> the rule, the target that is asked for, and what holds.
SEEN: Final[Mapping[str, tuple[str, str, Holds]]] = {
    "body": ("poll: body 299 'not much' text/plain", "done", _is_whole(lambda heard, _: heard.body == b"not much")),
    "bom": ("poll: bom", "done", _is(lambda body: b"\xef\xbb\xbf" + body)),
    "bomb": ("poll: bomb", "done", _is_whole(_is_unpacked)),
    "charset": ("poll: charset", "done", _is(lambda body: body.decode().encode("utf-16"))),
    "chunk": (
        "poll: chunk",
        "done",
        lambda heard, plain: (
            heard.body == b"%x\r\n%s\r\nno chunk\r\n" % (len(_half(plain.body)), _half(plain.body))
            and heard.headers["transfer-encoding"] == "chunked"
            and "content-length" not in heard.headers
        ),
    ),
    "close": ("poll: close", "done", lambda heard, _: heard == Heard(b"", "closed")),
    "corrupt": (
        "image: corrupt",
        "file",
        _is_whole(lambda heard, plain: len(heard.body) == len(plain.body) and heard.body != plain.body),
    ),
    "cut": ("poll: cut 50", "done", lambda heard, plain: (heard.body, heard.end) == (_half(plain.body), "reset")),
    "deep": ("poll: deep", "done", _is(lambda body: b'{"deep":%s%s,%s' % (b"[" * 10_000, b"]" * 10_000, body[1:]))),
    "drip": ("poll: drip 1000000", "done", _is(lambda body: body)),
    "empty": ("poll: empty", "done", _is(lambda _: b"")),
    "extra": ("poll: extra", "done", _is_whole(lambda heard, _: "x_unknown" in heard.data["result"])),
    "filename": (
        "image: filename",
        "file",
        lambda heard, _: heard.headers["content-disposition"] == 'attachment; filename="../../safelight.png"',
    ),
    "garbled": ("poll: garbled", "done", _is(_half)),
    "gzip": ("poll: gzip", "done", _is_whole(lambda heard, _: heard.headers["content-encoding"] == "gzip")),
    "hang": ("poll: hang", "done", lambda heard, _: heard == Heard(b"", "silent")),
    "html": (
        "poll: html",
        "done",
        _is_whole(lambda heard, _: heard.body.decode() == GATEWAY_PAGE.format("502 Bad Gateway")),
    ),
    "http": ("poll: http 503", "done", _is_error(503, "Service Unavailable")),
    "huge": (
        "poll: huge",
        "done",
        _is(lambda body: b"".join([body[:-1], b',"padding":"', b"x" * 64_000_000, b'"}'])),
    ),
    "id": ("poll: id null", "done", _has(id=None)),
    "idle": (
        "poll: idle",
        "done",
        _is_whole(lambda heard, plain: heard.headers["connection"] == "keep-alive" and heard.body == plain.body),
    ),
    "length": ("poll: length -7", "done", lambda heard, plain: (heard.missing, heard.body) == (-7, plain.body)),
    "mediatype": ("poll: mediatype", "done", _is_whole(lambda heard, _: heard.headers["content-type"] == "text/html")),
    "mistype": ("poll: mistype data.status", "done", _has(status=7)),
    "mixed": ("poll: mixed", "done", _is_another),
    "nan": ("poll: nan", "done", _is(lambda body: b'{"seconds":NaN,' + body[1:])),
    "nodata": ("poll: nodata", "done", _is(lambda _: b'{"success":true,"data":null,"error":null}')),
    "progress": ("poll: progress 45%", "running", _is_whole(lambda heard, _: heard.data["progress"] == "45%")),
    "redirect": (
        "poll: redirect 308",
        "done",
        _is_whole(lambda heard, _: heard.status == 308 and "/elsewhere/v1/index.php?" in heard.headers["location"]),
    ),
    "refuse": ("poll: refuse 402 'no money'", "done", _is_error(402, "no money")),
    "reset": ("poll: reset", "done", lambda heard, _: heard == Heard(b"", "reset")),
    "remove": ("poll: remove data.result.image_url", "done", _has(result={})),
    "result": ("poll: result empty", "done", _has(result={})),
    "set": ("poll: set data.result ''", "done", _has(result="")),
    "shout": ("poll: shout", "done", _has(status="COMPLETED")),
    "stall": ("poll: stall", "done", lambda heard, plain: (heard.body, heard.end) == (_half(plain.body), "silent")),
    "status": ("poll: status 201", "done", lambda heard, plain: (heard.status, heard.body) == (201, plain.body)),
    "throttle": ("poll: throttle soon", "done", _is_whole(lambda heard, _: heard.headers["retry-after"] == "soon")),
    "truncate": (
        "image: truncate 99",
        "file",
        lambda heard, plain: (
            (heard.body, heard.missing, heard.end) == (plain.body[:99], len(plain.body) - 99, "closed")
        ),
    ),
    "twice": ("poll: twice", "done", _is(lambda body: b'{"success":false,"data":null,' + body[1:])),
    "unsuccessful": ("poll: unsuccessful oops", "done", _is_error(200, "oops")),
    "warning": ("poll: warning", "done", _is(lambda body: PHP_WARNING + body)),
    "word": ("poll: word later", "done", _has(status="later")),
}


@pytest.mark.parametrize("name", faults())
def test_a_socket_sees_what_is_promised(site: Site, name: str) -> None:
    rule, at, holds = SEEN[name]
    site.plan()
    plain = site.hear(site.targets[at])
    site.plan(rule)
    heard = site.hear(site.targets[at], *SILENT_AFTER.get(name, ()))
    assert holds(heard, plain), heard
    assert rule.split()[1] == name
    assert site.fake.session.plan.undelivered() == []


@pytest.mark.parametrize("name", SILENT_AFTER)
def test_what_hangs_is_not_under_way(site: Site, name: str) -> None:
    site.plan(f"poll: {name}")
    with site.connect(site.targets["done"]):
        assert site.fake.session.plan.undelivered() == []
        assert site.fake.api.in_flight.open == 0


@pytest.mark.parametrize("name", ["hang", "stall", "hang 999"])
def test_a_server_ends_in_the_middle_of_it(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with served() as own:
        own.plan(f"poll: {name}")
        connection = own.connect(own.targets["done"])
    with connection:
        assert heard_on(connection).end == "closed"
    assert caplog.records == []


@pytest.mark.parametrize("fault", ["reset", "hang 0.01", "drip 1000", "stall"])
def test_a_client_that_has_left_is_not_missed(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    with served() as own:
        own.plan(f"poll: {fault}")
        for _ in range(20):
            own.connect(own.targets["done"]).close()
        own.server.settle()
        own.plan()
        assert own.hear(own.targets["done"]).status == 200
    assert caplog.records == []


def test_who_asked_twice_and_left_is_not_waited_for() -> None:
    with served() as own:
        own.plan("poll#1: hang 99")
        address = urlsplit(own.origin)
        with socket.create_connection((str(address.hostname), int(address.port or 0)), MAX_SECONDS) as connection:
            request = f"GET {own.targets['done']} HTTP/1.1\r\nhost: fake\r\nx-api-key: {own.fake.key}\r\n\r\n"
            connection.sendall(2 * request.encode())
            own.server.settle()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        own.fake.api.in_flight.pass_time(99)
        for _ in range(20):
            own.server.settle()
        assert own.server.server_state.tasks == set()


@pytest.mark.parametrize("fault", ["drip 1000000", "idle", "hang 0"])
def test_a_head_has_no_body_whatever_strikes(site: Site, fault: str) -> None:
    site.plan(f"image: {fault}")
    with httpx.Client(timeout=MAX_SECONDS) as http:
        answer = http.head(f"{site.origin}{site.targets['file']}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1_000


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("image: html 200", lambda heard, _: heard.headers["content-type"] == "text/html"),
        ("image: drip 10000000", lambda heard, plain: heard.body == plain.body),
        ("image: huge 1", lambda heard, plain: heard.body == plain.body + bytes(1_000_000)),
        ("image: http 410", lambda heard, _: heard.status == 410),
        ("image: length 5", lambda heard, _: heard.missing == 5),
    ],
)
def test_a_file_goes_wrong_by_other_faults_too(site: Site, rule: str, holds: Holds) -> None:
    site.plan()
    plain = site.hear(site.targets["file"])
    assert plain.body.startswith(PNG)
    site.plan(rule)
    assert holds(site.hear(site.targets["file"]), plain)


#: Fault -> what httpx raises. The others arrive.
RAISED: Final[Mapping[str, str]] = {
    "chunk": "RemoteProtocolError",
    "close": "RemoteProtocolError",
    "cut": "ReadError",
    "gzip": "DecodingError",
    "hang": "ReadTimeout",
    "length": "RemoteProtocolError",
    "reset": "ReadError",
    "stall": "ReadTimeout",
    "truncate": "RemoteProtocolError",
}


def _outcome(http: httpx.Client, url: str) -> tuple[int, str, bytes] | str:
    try:
        answer = http.get(url)
    except httpx.HTTPError as error:
        return type(error).__name__
    return answer.status_code, answer.headers["content-type"], answer.content


#: The settings with which a fault takes no time.
QUICK: Final = {"drip": "drip 1000000", "bomb": "bomb 1", "huge": "huge 1"}


@pytest.mark.parametrize(
    "fault", [*(QUICK.get(name, name) for name in faults()), "length -7", "hang 0", "image: corrupt"]
)
def test_httpx_sees_the_same_with_a_socket_and_without(site: Site, fault: str) -> None:
    kind, at = ("image", "file") if fault.startswith("image") else ("poll", "done")
    site.plan(f"{kind}: {fault.removeprefix('image: ')}")
    url = f"{site.origin}{site.targets[at]}"
    headers = {"x-api-key": site.fake.key}
    timeout = httpx.Timeout(MAX_SECONDS, read=SILENT_SECONDS if fault in SILENT_AFTER else MAX_SECONDS)
    with (
        httpx.Client(headers=headers, timeout=timeout) as with_socket,
        httpx.Client(headers=headers, transport=transport(site.fake.api, httpx)) as without,
    ):
        seen = _outcome(with_socket, url)
        assert _outcome(without, url) == seen
    assert RAISED.get(fault, "") == (seen if isinstance(seen, str) else "")


def _client(api: Safelight, **options: Any) -> httpx.Client:
    return httpx.Client(headers={"x-api-key": api.api_key}, follow_redirects=True, timeout=MAX_SECONDS, **options)


@contextmanager
def _client_of_respx(api: Safelight) -> Iterator[httpx.Client]:
    with api.respx, _client(api) as http:
        yield http


#: How httpx gets there, by what it is called.
WAYS: Final[Mapping[str, Callable[[Safelight], AbstractContextManager[httpx.Client]]]] = {
    "socket": _client,
    "transport": lambda api: _client(api, transport=api.transport(httpx)),
    "respx": _client_of_respx,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("status", "accepted"), [(302, 0), (307, 1)])
def test_a_client_that_takes_its_key_to_another_origin_is_seen(way: str, status: int, accepted: int) -> None:
    with Safelight(faults=[f"submit#1: redirect {status}"]) as api, WAYS[way](api) as http:
        answer = http.post(f"{api.url}?endpoint=image_generation", json={"prompt": "a lamp"})
        assert (answer.url.host, answer.url.path) == ("localhost", "/elsewhere/v1/index.php")
        assert len(api.tasks) == accepted, "with 307 it is sent again as it was, with 302 it is a GET"
        assert "advice: the key was sent to another origin" in api.transcript


@pytest.mark.parametrize("way", WAYS)
def test_a_redirect_can_go_in_circles(way: str) -> None:
    with Safelight(faults=["balance: redirect 308 loop"]) as api, WAYS[way](api) as http:
        with pytest.raises(httpx.TooManyRedirects):
            http.get(f"{api.url}?endpoint=user_balance")
        assert "another origin" not in api.transcript
