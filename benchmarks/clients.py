"""Many clients that poll every two seconds, on one process: `python benchmarks/clients.py [CLIENTS [SECONDS]]`.

Each client has a connection and a task of its own. It says how long polls take, and the server's CPU time for each.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import urlsplit

import uvloop
from stalls import served

from safelight.mockserver.model.keys import FAKE_KEY

#: Seconds between two polls of a client.
_INTERVAL: Final = 2.0

_HEAD: Final = f"host: 127.0.0.1\r\nx-api-key: {FAKE_KEY}\r\ncontent-type: application/json\r\n"
_BODY: Final = '{"prompt": "a lamp"}'
_SUBMIT: Final = f"POST /?endpoint=image_generation HTTP/1.1\r\n{_HEAD}content-length: {len(_BODY)}\r\n\r\n{_BODY}"


class Client(asyncio.Protocol):
    """A client on one connection: it submits, and polls its task from then on. No task of asyncio: there are many."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet, self._loop = fleet, asyncio.get_running_loop()
        self._came, self._poll = b"", b""
        self._sent = 0.0
        #: Done once it has its task.
        self.begun: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as it is called
        """Submit."""
        self._transport = transport
        transport.write(_SUBMIT.encode())

    def data_received(self, data: bytes) -> None:
        """Take a piece of an answer."""
        self._came += data
        head, end, body = self._came.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.partition(b"content-length: ")[2]):
            return
        self._came = b""
        if self._poll:
            self._fleet.waits.append(self._loop.time() - self._sent)
            self._loop.call_later(_INTERVAL, self._ask)
        else:
            task_id = json.loads(body)["data"]["id"]
            self._poll = f"GET /v1/index.php?endpoint=task_status&task_id={task_id} HTTP/1.1\r\n{_HEAD}\r\n".encode()
            self._loop.call_later(self._fleet.random.uniform(0, _INTERVAL), self._ask)
            self.begun.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        """Nothing of this is planned before all is over."""
        if not self._fleet.is_over:
            self.begun.cancel()
            self._fleet.lost += 1

    def _ask(self) -> None:
        if self._fleet.is_over:
            self._transport.close()
        else:
            self._sent = self._loop.time()
            self._transport.write(self._poll)


@dataclass
class Fleet:
    """Clients, and what they saw."""

    address: tuple[str, int]
    random: Random = field(default_factory=lambda: Random(0))
    connecting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(100))
    #: Seconds that each poll took.
    waits: list[float] = field(default_factory=list)
    #: Connections that ended on the way.
    lost: int = 0
    is_over: bool = False

    async def begin(self) -> None:
        """Connect one client, and wait until it has its task."""
        async with self.connecting:
            _, client = await asyncio.get_running_loop().create_connection(lambda: Client(self), *self.address)
            await client.begun


def rows(clients: int = 2_000, seconds: float = 20) -> list[tuple[str, float, str]]:
    """(what, figure, unit)."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with served("fake") as (url, process):
        address = urlsplit(url).hostname or "", urlsplit(url).port or 0
        fleet = Fleet(address)
        waits, cpu = uvloop.run(_measured(fleet, process.pid, clients, seconds))
        memory = _resident_mb(process.pid)
    ms = sorted(1_000 * wait for wait in waits)
    return [
        ("polls a second", len(ms) / seconds, f"{clients:,} clients for {seconds:g} s"),
        ("of those that were due", 100 * len(ms) * _INTERVAL / clients / seconds, f"%; {fleet.lost} clients lost"),
        ("median wait", ms[len(ms) // 2], "ms"),
        ("p99 wait", ms[len(ms) * 99 // 100], "ms"),
        ("longest wait", ms[-1], "ms"),
        ("CPU time of the server for a poll", 1e6 * cpu / len(ms), "us"),
        ("resident memory of the server", memory, "MB"),
    ]


async def _measured(fleet: Fleet, pid: int, clients: int, seconds: float) -> tuple[list[float], float]:
    """The waits, and the seconds of CPU time that the server took for them."""
    await asyncio.gather(*(fleet.begin() for _ in range(clients)))
    await asyncio.sleep(_INTERVAL)  # by then each of them polls
    fleet.waits.clear()
    before = _cpu_seconds(pid)
    await asyncio.sleep(seconds)
    waits, cpu = list(fleet.waits), _cpu_seconds(pid) - before
    fleet.is_over = True
    return waits, cpu


def _cpu_seconds(pid: int) -> float:
    spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    for what, figure, unit in rows(*map(int, sys.argv[1:])):
        print(f"{what:<36}{figure:>10,.1f}  {unit}")
