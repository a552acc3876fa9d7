"""`safelight serve --store`: what was accepted lasts, and several processes are one fake."""

from __future__ import annotations

import os
import select
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Any, Final

import httpx
import pytest
from hypothesis import settings

import redis_server
from fake import RICH
from safelight.cli._store import store_of
from safelight.cli._unusable import Unusable
from safelight.contracts import problems
from safelight.contracts.dialects import ERRORS
from safelight.mockserver.control.client import ControlClient, ControlRefused
from safelight.mockserver.sessions.table import SERVE
from sentences import refusal
from serving import MAX_SECONDS, Served, safelight, serving

#: Submits of a burst, and processes that are killed in one.
_THOROUGH: Final = settings().max_examples >= 2_000
SUBMITS: Final = 10_000 if _THOROUGH else 400
KILLS: Final = 100 if _THOROUGH else 4

#: More submits than any test waits for.
MANY: Final = 10**9

#: Clients that send at the same time.
CLIENTS: Final = 8

QUIET: Final = ("--log", "none", "--balance", str(RICH), "--running", "never")


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What a store is called in which nothing is kept so far."""
    return redis_server.empty() if request.param == "redis" else f"sqlite:{tmp_path / 'sessions.db'}"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_task_submitted_before_a_restart_can_be_polled_after_it(store: str, end: signal.Signals) -> None:
    options = ("--queued", "0", "--running", "never", "--seed", "7", "--faults", "poll#2: http 502")
    with serving("--store", store, *options) as server:
        task_id = server.submit()["id"]
        server.poll(task_id)
        before = server.call("GET", "user_balance").json()
        server.end(end)
    with serving("--store", store, "--running", "0") as server:
        refused = server.call("GET", "task_status", params={"task_id": task_id})
        assert refused.status_code == 502, "its plan goes on counting"
        assert server.poll(task_id)["status"] == "processing"
        assert server.call("GET", "user_balance").json() == before
        assert server.submit()["id"] != task_id
        assert "and the seed          7\n" in server.said
        assert "It goes on with 1 session of its store" in server.said
        journal = ControlClient(server.url, server.key).journal()
    assert [exchange["operation"] for exchange in journal] == [
        *("image_generation", "task_status", "user_balance"),
        *("task_status", "task_status", "user_balance", "image_generation"),
    ]


class Burst:
    """Clients that submit until so many were answered with something else than 503, and connect anew."""

    def __init__(self, server: Served, submits: int = MANY) -> None:
        self._server, self._numbers = server, iter(range(submits))
        self.accepted: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.is_enough, self.is_refused = Event(), Event()

    def run(self) -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(self._send) for _ in range(CLIENTS)]:
                done.result()

    def _send(self) -> None:
        with httpx.Client(trust_env=False, verify=False, timeout=MAX_SECONDS) as client:
            while not self.is_enough.is_set() and next(self._numbers, None) is not None:
                for status, task_id in self._answers(client):
                    self.statuses[status] += 1
                    self.accepted += [task_id] if task_id else []

    def _answers(self, client: httpx.Client) -> Iterator[tuple[int, str]]:
        status = 503
        while status == 503:
            try:
                answer = client.post(
                    f"{self._server.url}?endpoint=image_generation",
                    headers={"x-api-key": self._server.key},
                    json={"prompt": "a lamp"},
                )
            except httpx.TransportError:
                continue
            status = answer.status_code
            yield status, answer.json()["data"]["id"] if status == 200 else ""
            if status == 503:
                self.is_refused.set()


def check_books(control: ControlClient, accepted: list[str]) -> list[dict[str, Any]]:
    """No accepted task is missing, and each task there is was paid once. Gives the tasks."""
    tasks = control.tasks()
    ids = Counter(task["id"] for task in tasks)
    ledger = control.ledger()
    paid = Counter(entry["task_id"] for entry in ledger["entries"])
    assert max(ids.values()) == 1
    assert max(Counter(accepted).values()) == 1
    assert ids.keys() >= set(accepted)
    assert set(paid.values()) == {1}
    assert paid.keys() <= ids.keys()
    assert ledger["total"] == -10 * len(tasks)
    assert sorted(task["number"] for task in tasks) == list(range(1, len(tasks) + 1))
    return tasks


def test_four_processes_book_once_and_deliver_a_fault_once(store: str) -> None:
    faults = [f"submit#{number}: http 502" for number in range(10, SUBMITS, SUBMITS // 10)]
    options = [option for fault in faults for option in ("--faults", fault)]
    with serving("--store", store, "--processes", "4", *QUIET, *options) as server:
        burst = Burst(server, SUBMITS)
        burst.run()
        control = ControlClient(server.url, server.key)
        tasks = check_books(control, burst.accepted)
        rules = control.plan()["rules"]
    assert burst.statuses == {200: SUBMITS - len(faults), 502: len(faults)}
    assert len(tasks) == len(burst.accepted)
    assert [(rule["struck"], rule["delivered"]) for rule in rules] == len(faults) * [(1, 1)]


def test_a_process_that_is_killed_in_a_burst_loses_no_task_and_no_credit(store: str) -> None:
    with serving("--store", store, "--processes", "4", *QUIET) as server:
        burst = Burst(server)
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(burst.run)
            dead: set[int] = set()
            while len(dead) < KILLS:
                accepted = len(burst.accepted)
                kill(server.process.pid, dead)
                while len(burst.accepted) == accepted:  # the others go on
                    assert not done.done()
            burst.is_enough.set()
            done.result()
        check_books(ControlClient(server.url, server.key), burst.accepted)
        assert server.said.count("has ended (SIGKILL)") == KILLS
    assert burst.statuses.keys() == {200}


def test_processes_without_a_store_share_one_that_goes_with_them() -> None:
    with serving("--processes", "3", "--running", "never", "--queued", "0") as server:
        task_id = server.submit()["id"]
        with httpx.Client(trust_env=False, verify=False) as other:
            polls = [
                other.get(
                    server.url,
                    params={"endpoint": "task_status", "task_id": task_id},
                    headers={"x-api-key": server.key, "connection": "close"},
                ).json()["data"]["status"]
                for _ in range(20)
            ]
        pids = children(server.process.pid)
        assert server.end() == 0
    assert set(polls) == {"processing"}
    assert len(pids) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_processes_end_with_the_one_that_began_them() -> None:
    with serving("--processes", "2") as server:
        descriptors = [os.pidfd_open(pid) for pid in children(server.process.pid)]
        server.process.kill()
        for descriptor in descriptors:
            assert ended(descriptor)


@pytest.mark.needs("redis-server")
def test_while_redis_is_gone_the_answer_is_503_and_then_it_goes_on() -> None:
    redis = redis_server.server()
    with serving("--store", redis_server.empty(), *QUIET) as server:
        control = ControlClient(server.url, server.key)
        task_id = server.submit()["id"]
        check_others_are_answered(server, redis)
        before = control.ledger()["total"]
        redis.stop()
        try:
            refused = server.call("POST", "image_generation", json={"prompt": "a lamp"})
            with pytest.raises(ControlRefused, match="503: Service unavailable: the store of this fake"):
                control.ledger()
        finally:
            redis.start()
        assert problems(ERRORS["object"], refused.content) == []
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "the store of this fake does not answer: Redis: " in refused.json()["error"]["message"]
        assert server.poll(task_id)["status"] == "pending"
        assert control.ledger()["total"] == before


@pytest.mark.needs("redis-server")
def test_what_was_refused_while_redis_stood_still_was_not_booked() -> None:
    redis = redis_server.server()
    with serving("--store", redis_server.empty(), "--processes", "2", *QUIET) as server:
        burst = Burst(server, SUBMITS // 4)
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(burst.run)
            with redis.standing_still():
                assert burst.is_refused.wait(MAX_SECONDS)
            done.result()
        tasks = check_books(ControlClient(server.url, server.key), burst.accepted)
    assert len(tasks) == len(burst.accepted) == SUBMITS // 4
    assert burst.statuses.keys() == {200, 503}


def check_others_are_answered(server: Served, redis: redis_server.RedisServer) -> None:
    """Who waits for Redis keeps nobody else waiting."""
    with ThreadPoolExecutor(1) as pool:
        with redis.standing_still():
            waiting = pool.submit(server.call, "POST", "image_generation", json={"prompt": "a lamp"})
            with socket.create_connection((httpx.URL(server.url).host, httpx.URL(server.url).port or 0)) as other:
                other.sendall(b"this is not HTTP\r\n\r\n")
                assert other.recv(100).startswith(b"HTTP/1.1 400 ")
            assert not waiting.done()
        assert waiting.result().status_code in (200, 503)


def test_a_redis_that_is_not_there_is_refused_without_its_password() -> None:
    said = refusal(safelight(["serve", "--store", "redis://user:s3cret@127.0.0.1:1/0"]))
    assert "redis://...@127.0.0.1:1/0" in said
    assert "s3cret" not in said


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill(pid: int, dead: set[int]) -> None:
    """Kill one of the four processes that this one has begun, once each of those killed before was replaced."""
    while len(running := children(pid)) < 4 or dead & {*running}:
        pass
    victim = running[len(dead) % 4]
    descriptor = os.pidfd_open(victim)
    os.kill(victim, signal.SIGKILL)
    assert ended(descriptor)
    dead.add(victim)


def ended(descriptor: int) -> bool:
    try:
        return bool(select.select([descriptor], [], [], MAX_SECONDS)[0])
    finally:
        os.close(descriptor)


def test_memory_is_no_store_for_several_processes() -> None:
    said = refused("memory", processes=2)
    assert "--store memory" in said
    assert "sqlite:FILE" in said


@pytest.mark.parametrize(
    ("contents", "word"), [(b"no database, but long enough to be read as one" * 40, "not a database")]
)
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, contents: bytes, word: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(contents)
    assert word in refused(f"sqlite:{path}")
    assert path.read_bytes() == contents


def test_nobody_else_may_read_the_file_which_has_keys(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with serving("--store", f"sqlite:{path}") as server:
        server.submit()
        assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}
        assert server.end() == 0
        assert list(tmp_path.iterdir()) == [path], "its log is in the file by now"


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    assert "unable to open" in refused(f"sqlite:{tmp_path}/nowhere/fake.db")


def test_what_is_called_no_store_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a store is memory, sqlite:FILE or redis://HOST:PORT$"):
        SERVE["store"].reader.read("postgres://db")


def refused(store: str, processes: int = 1) -> str:
    """The sentence with which `serve` refuses a store; `safelight` says it as the others, see above."""
    with ExitStack() as until, pytest.raises(Unusable) as error:
        store_of({"store": store, "processes": processes}, until)
    return str(error.value)


def test_hosts_behind_a_balancer_are_one_fake(store: str) -> None:
    options = ("--store", store, "--queued", "0", "--running", "0")
    balancer = "fake.example:8080"
    with serving(*options) as one, serving(*options) as other:
        servers = cycle((one, other))

        def asked(method: str, target: str, **request: Any) -> httpx.Response:
            """The answer of the one whose turn it is, which gets the header `Host` as the balancer does."""
            server = next(servers)
            headers = {"x-api-key": server.key, "host": balancer}
            return server.client.request(method, httpx.URL(server.url).join(target), headers=headers, **request)

        submit = asked("POST", "?endpoint=image_generation", json={"prompt": "a lamp", "width": 64})
        task_id = submit.json()["data"]["id"]
        polls = [asked("GET", f"?endpoint=task_status&task_id={task_id}") for _ in range(3)]
        [picture] = {poll.json()["data"]["result"]["image_url"] for poll in polls}
        answers = [asked("GET", httpx.URL(picture).path) for _ in range(2)]
        journals = [ControlClient(server.url, server.key).journal() for server in (one, other)]
        check_barrier(one, other)
    assert picture.startswith(f"http://{balancer}/")
    assert [answer.status_code for answer in answers] == 2 * [200]
    assert answers[0].content == answers[1].content
    assert journals[0] == journals[1]
    assert len(journals[0]) == 6


def check_barrier(one: Served, other: Served) -> None:
    """A barrier of one process hears of polls that another one answers."""
    task_id = one.submit()["id"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ControlClient(one.url, one.key).wait, task_id, 2)
        other.poll(task_id)
        other.poll(task_id)
        assert waiting.result()["polls"] == 2
