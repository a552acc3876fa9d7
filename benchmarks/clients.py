"""Many clients that poll every two seconds, on one process: `python benchmarks/clients.py [CLIENTS [SECONDS]]`.

Each client has a connection and a task of its own. It says how long polls take, and the server's CPU time for each.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import urlsplit

from stalls import served

from safelight.mockserver.model.keys import FAKE_KEY

#: Seconds between two polls of a client.
_INTERVAL: Final = 2.0

_HEAD: Final = f"host: 127.0.0.1\r\nx-api-key: {FAKE_KEY}\r\ncontent-type: application/json\r\n"
_BODY: Final = '{"prompt": "a lamp"}'
_SUBMIT: Final = f"POST /?endpoint=image_generation HTTP/1.1\r\n{_HEAD}content-length: {len(_BODY)}\r\n\r\n{_BODY}"


@dataclass
class Fleet:
    """Clients, and what they saw."""

    address: tuple[str, int]
    random: Random = field(default_factory=lambda: Random(0))
    connecting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(100))
    #: Seconds that each poll took.
    waits: list[float] = field(default_factory=list)
    #: Done once each client has its task.
    begun: list[asyncio.Future[None]] = field(default_factory=list)
    is_over: bool = False

    async def client(self, begun: asyncio.Future[None]) -> None:
        """Submit a task, and poll it until all is over."""
        async with self.connecting:
            reader, writer = await asyncio.open_connection(*self.address)
            task_id = json.loads(await _answer(reader, writer, _SUBMIT))["data"]["id"]
        poll = f"GET /?endpoint=task_status&task_id={task_id} HTTP/1.1\r\n{_HEAD}\r\n"
        begun.set_result(None)
        await asyncio.sleep(self.random.uniform(0, _INTERVAL))
        while not self.is_over:
            began = time.perf_counter()
            await _answer(reader, writer, poll)
            self.waits.append(time.perf_counter() - began)
            await asyncio.sleep(_INTERVAL)
        writer.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: str) -> bytes:
    writer.write(request.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


def rows(clients: int = 2_000, seconds: float = 20) -> list[tuple[str, float, str]]:
    """(what, figure, unit)."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with served("fake") as (url, process):
        address = urlsplit(url).hostname or "", urlsplit(url).port or 0
        waits, cpu = asyncio.run(_measured(Fleet(address), process.pid, clients, seconds))
        memory = _resident_mb(process.pid)
    ms = sorted(1_000 * wait for wait in waits)
    return [
        ("polls a second", len(ms) / seconds, f"{clients:,} clients for {seconds:g} s"),
        ("median wait", ms[len(ms) // 2], "ms"),
        ("p99 wait", ms[len(ms) * 99 // 100], "ms"),
        ("longest wait", ms[-1], "ms"),
        ("CPU time of the server for a poll", 1e6 * cpu / len(ms), "us"),
        ("resident memory of the server", memory, "MB"),
    ]


async def _measured(fleet: Fleet, pid: int, clients: int, seconds: float) -> tuple[list[float], float]:
    """The waits, and the seconds of CPU time that the server took for them."""
    fleet.begun = [asyncio.get_running_loop().create_future() for _ in range(clients)]
    running = [asyncio.ensure_future(fleet.client(begun)) for begun in fleet.begun]
    await asyncio.gather(*fleet.begun)
    await asyncio.sleep(_INTERVAL)  # by then each of them polls
    fleet.waits.clear()
    before = _cpu_seconds(pid)
    await asyncio.sleep(seconds)
    fleet.is_over, waits, cpu = True, list(fleet.waits), _cpu_seconds(pid) - before
    await asyncio.gather(*running)
    return waits, cpu


def _cpu_seconds(pid: int) -> float:
    spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")


def _resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    for what, figure, unit in rows(*map(int, sys.argv[1:])):
        print(f"{what:<36}{figure:>10,.1f}  {unit}")
