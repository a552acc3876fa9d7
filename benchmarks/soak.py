"""A long run with faults, in which nothing may grow: `python benchmarks/soak.py [SECONDS [RATE]]`, an hour unless said.

Two clients submit, poll and fetch, whatever faults they meet, together `RATE` times a second or as fast as they can.
Each line says how much is kept. The run fails where the journal or the tasks take more than their bounds, or where
memory goes on growing.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from math import inf
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Kept at most: less than usual, so that a short run fills it too.
_BOUNDS: Final = Bounds(max_finished_tasks=2_000, max_task_bytes=4_000_000)
_MAX_JOURNAL_BYTES: Final = 16_000_000
_MAX_PICTURE_BYTES: Final = 4_000_000

_FAULTS: Final = (
    "poll 5%: http 502",
    "poll 3%: reset",
    "poll 3%: garbled",
    "poll 0.1%: stall",
    "image 30%: cut",
    "submit 3%: close after",
)

_HEADERS: Final = {"x-api-key": FAKE_KEY, "content-type": "application/json"}


def main(seconds: float, rate: float = inf) -> None:
    """Run for so long, with so many requests a second at most, and a line for each twentieth."""
    profile = task_profile(queued="0..1", running="0..3", fail_rate=0.1)
    settings = Settings(profile, plan=_FAULTS, balance=10**9)
    service = Service(keys=[FAKE_KEY], settings=settings, bounds=_BOUNDS, max_picture_bytes=_MAX_PICTURE_BYTES)
    over, counts = Event(), [0, 0]
    interval = len(counts) / rate
    with in_thread(create_app(service)) as server:
        clients = [
            Thread(target=_client, args=(server.url, over, counts, number, interval)) for number in range(len(counts))
        ]
        for client in clients:
            client.start()
        memory = list(_watched(service, counts, seconds))
        over.set()
        for client in clients:
            client.join()
    half = max(memory[: len(memory) // 2])
    print(f"the most in the first half: {half:.1f} MB, in the second: {max(memory[len(memory) // 2 :]):.1f} MB")
    if max(memory[len(memory) // 2 :]) > 1.05 * half:
        sys.exit("memory goes on growing")


def _watched(service: Service, counts: list[int], seconds: float) -> Iterator[float]:
    """The resident memory, twenty times. Ends the program where a bound is not kept."""
    began = time.monotonic()
    for number in range(1, 21):
        time.sleep(max(0, began + seconds * number / 20 - time.monotonic()))
        gc.collect()
        [name] = service.sessions.store.names()
        state, journal = service.sessions.store.look(name), service.sessions.store.journal(name)
        assert state is not None
        kept = sum(exchange.size for exchange in journal)
        memory = int(Path("/proc/self/statm").read_text().split()[1]) * 4_096 / 1e6
        print(
            f"{time.monotonic() - began:>7.0f} s {sum(counts):>9,} requests {len(state.tasks):>6,} tasks"
            f" {state.task_bytes:>10,} bytes; journal {len(journal):>5,}, {kept:>10,} bytes; {memory:.1f} MB",
            flush=True,
        )
        if kept > _MAX_JOURNAL_BYTES or state.task_bytes > 1.5 * _BOUNDS.max_task_bytes:
            sys.exit("more is kept than may be")
        yield memory


def _client(url: str, over: Event, counts: list[int], number: int, interval: float) -> None:
    random, netloc = Random(number), urlsplit(url).netloc
    tasks: list[str] = []
    while not over.is_set():
        with suppress(OSError, HTTPException, ValueError, KeyError, TypeError):
            client = HTTPConnection(netloc, timeout=0.5)
            for _ in range(100):
                counts[number] += 1
                _act(client, random, tasks)
                over.wait(interval)


def _act(client: HTTPConnection, random: Random, tasks: list[str]) -> None:
    """A submit, as often as not; else a poll, and the picture that it may lead to."""
    if random.randrange(2) or not tasks:
        body = {"prompt": "a lamp " * random.randrange(400), "width": 64, "height": 64}
        client.request("POST", "/?endpoint=image_generation", json.dumps(body), _HEADERS)
        tasks.append(json.load(client.getresponse())["data"]["id"])
        del tasks[:-200]
        return
    client.request("GET", f"/?endpoint=task_status&task_id={random.choice(tasks)}", headers=_HEADERS)
    result = json.load(client.getresponse())["data"]["result"]
    if result and not random.randrange(10):
        client.request("GET", urlsplit(result["image_url"]).path)
        client.getresponse().read()


if __name__ == "__main__":
    main(*(map(float, sys.argv[1:]) if sys.argv[1:] else [3_600]))
