"""How long a poll waits while other clients are at their worst: `python benchmarks/stalls.py [NAME...]`.

One fake in a process of its own, one client that polls every 5 ms in another, and in this one what disturbs it.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from socket import create_connection
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from safelight.mockserver.control.client import ControlClient
from safelight.mockserver.model.keys import FAKE_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.synchronize import Event

#: The key of the session with many tasks. The client that is measured has the usual one.
CROWD_KEY: Final = "sk-crowd"

#: Living tasks of that session.
LIVING: Final = 60_000

_JSON: Final = {"content-type": "application/json"}
_SUBMIT: Final = "/v1/index.php?endpoint=image_generation"
_EDIT: Final = "/v1/index.php?endpoint=image_editing"


def rows(*names: str) -> list[tuple[str, float, str]]:
    """(what, the longest wait in ms, remark)."""
    with served("crowded") as (url, _):
        return [_row(url, name, disturb) for name, disturb in DISTURBANCES.items() if not names or name in names]


def _row(url: str, name: str, disturb: Callable[[str], object]) -> tuple[str, float, str]:
    began = time.perf_counter()
    with _probed(url) as waits:
        disturb(url)
        took = time.perf_counter() - began
    ms = sorted(1_000 * wait for wait in waits)
    p99 = ms[len(ms) * 99 // 100]
    return name, ms[-1], f"p99 {p99:.1f}, median {median(ms):.1f} of {len(ms)} polls; it took {took:.1f} s"


@contextmanager
def served(name: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The entry point of one of the servers, and its process."""
    command = [sys.executable, str(Path(__file__).with_name("servers.py")), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip(), server
        finally:
            server.terminate()


@contextmanager
def _probed(url: str) -> Iterator[list[float]]:
    """The seconds that each poll took which a client sent while the block ran; filled at its end."""
    waits: list[float] = []
    context = multiprocessing.get_context("fork")
    over, (mine, theirs) = context.Event(), context.Pipe()
    client = context.Process(target=_poll_on, args=(url, over, theirs))
    client.start()
    mine.recv()
    try:
        yield waits
    finally:
        over.set()
        waits += mine.recv()
        client.join()


def _poll_on(url: str, over: Event, pipe: Any) -> None:
    own = HTTPConnection(urlsplit(url).netloc)
    task_id = json.loads(_sent(own, "POST", _SUBMIT, b'{"prompt": "a lamp"}'))["data"]["id"]
    pipe.send("begun")
    waits = []
    while not over.is_set():
        began = time.perf_counter()
        _sent(own, "GET", f"/v1/index.php?endpoint=task_status&task_id={task_id}")
        waits.append(time.perf_counter() - began)
        time.sleep(0.005)
    pipe.send(waits)


def _sent(client: HTTPConnection, method: str, target: str, body: bytes | None = None, key: str = FAKE_KEY) -> bytes:
    client.request(method, target, body, {**_JSON, "x-api-key": key})
    return client.getresponse().read()


def _once(method: str, target: str, body: bytes | None = None, key: str = CROWD_KEY) -> Callable[[str], object]:
    """What sends one request."""
    return lambda url: _sent(HTTPConnection(urlsplit(url).netloc, timeout=120), method, target, body, key)


def _balances(url: str) -> None:
    client = HTTPConnection(urlsplit(url).netloc)
    for _ in range(20):
        _sent(client, "GET", "/v1/index.php?endpoint=user_balance", key=CROWD_KEY)


def _leave_barriers(url: str) -> None:
    """Clients begin to wait at a barrier, and leave. Then the usual polls go on for a while."""
    address = urlsplit(url)
    assert address.port
    control = ControlClient(url, FAKE_KEY)
    control.next(id="never-submitted")
    body = json.dumps({"task_id": "never-submitted", "within": 60}).encode()
    head = f"POST /_safelight/wait HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {FAKE_KEY}\r\ncontent-length: {len(body)}"
    for _ in range(1_500):
        with create_connection((address.hostname, address.port)) as client:
            client.sendall(f"{head}\r\n\r\n".encode() + body)
    time.sleep(3)


def _storm(url: str) -> None:
    """200 pictures of 2048 x 2048, each another one, 16 at a time."""
    submits = HTTPConnection(urlsplit(url).netloc)
    paths = []
    for number in range(200):
        body = {"prompt": f"picture {number}", "width": 2048, "height": 2048}
        task = json.loads(_sent(submits, "POST", _SUBMIT, json.dumps(body).encode(), "sk-painter"))["data"]["id"]
        answer = json.loads(_sent(submits, "GET", f"/?endpoint=task_status&task_id={task}", key="sk-painter"))
        paths.append(urlsplit(answer["data"]["result"]["image_url"]).path)
    with ThreadPoolExecutor(16) as clients:
        list(clients.map(lambda path: _once("GET", path)(url), paths))


_MEMBERS: Final = b"{" + b",".join(b'"%d":0' % number for number in range(900_000)) + b"}"

#: What is done, and how.
DISTURBANCES: Final[dict[str, Callable[[str], object]]] = {
    "nothing else": lambda _: time.sleep(3),
    f"GET /tasks of {LIVING:,}": lambda url: ControlClient(url, CROWD_KEY).tasks(),
    f"20 balances beside {LIVING:,} tasks": _balances,
    f"1,000 submits beside {LIVING:,} tasks": lambda url: [
        _sent(client, "POST", _SUBMIT, b'{"prompt": "a lamp"}', CROWD_KEY)
        for client in [HTTPConnection(urlsplit(url).netloc)]
        for _ in range(1_000)
    ],
    "a body of 900,000 members": _once("POST", _SUBMIT, _MEMBERS),
    "a body of 9.9 MB of %41": _once("POST", _SUBMIT, b'{"prompt": "' + b"%41" * 3_300_000 + b'"}'),
    "an edit of 9.9 MB": _once("POST", _EDIT, b'{"prompt": "x", "image": "' + b"QUJD" * 2_470_000 + b'"}'),
    "1,500 barriers whose clients left": _leave_barriers,
    "200 downloads of 2048 x 2048": _storm,
}


if __name__ == "__main__":
    for what, longest, remark in rows(*sys.argv[1:]):
        print(f"{what:<40}{longest:>8.1f} ms  {remark}")
