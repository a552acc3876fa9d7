"""What tasks cost once there are many: bytes of each, and microseconds of a call beside them.

`python benchmarks/growth.py` goes up to 100,000 tasks, `python benchmarks/growth.py 1000000` to a million.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from dataclasses import replace
from itertools import cycle
from itertools import repeat as repeated
from time import perf_counter
from timeit import repeat
from typing import TYPE_CHECKING, Any

from safelight.mockserver.model.booking import forget
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.engines import ENGINES
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.mockserver.sessions.session import Session

#: Tasks that are there before anything is measured: by then ledger and journal are full, and grow no more.
_BEFORE, _TASKS = 12_000, 20_000

_BODY = b'{"prompt":"a lighthouse at dusk","seed":-1}'
_SUBMIT = Request("POST", "/", "endpoint=image_generation", {"x-api-key": FAKE_KEY}, _BODY)

#: What is measured, how such tasks live, and how often each is polled.
_PROFILES: dict[str, tuple[dict[str, Any], int]] = {
    "a task that waits for ever": ({"queued": "never"}, 0),
    "a task of random delays": ({"queued": "10..20", "running": "100..900"}, 0),
    "a task in polls": ({"polls": (5, 5)}, 0),
    "a finished task": ({"queued": 0, "running": 0}, 0),
    "a finished task that was polled": ({"queued": 0, "running": 0}, 1),
}


def sizes() -> list[tuple[str, float, str]]:
    """(what, bytes, remark): a task without its request of 42 bytes, which is kept as bytes of 75."""
    kept = sys.getsizeof(_BODY.replace(b", ", b","))
    return [(name, _bytes(*how) - kept, f"and the request: {kept}") for name, how in _PROFILES.items()]


def _bytes(profile: dict[str, Any], polls: int) -> float:
    settings, bounds = Settings(task_profile(**profile), balance=10**9), Bounds(max_finished_tasks=10**6)
    tracemalloc.start()  # by now, as what is let go of later counts too
    service = Service(keys=[FAKE_KEY], settings=settings, bounds=bounds)
    _submits(service, _BEFORE, polls)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    _submits(service, _TASKS, polls)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / _TASKS


def _submits(service: Service, tasks: int, polls: int) -> None:
    for _ in range(tasks):
        submit = _SUBMIT._replace(body=_BODY[:1] + _BODY[1:])  # the bytes of this request alone
        task_id = json.loads(service.handle(submit).body)["data"]["id"]
        for _ in range(polls):
            service.handle(_SUBMIT._replace(method="GET", query=f"endpoint=task_status&task_id={task_id}", body=b""))


def fill(session: Session, tasks: int) -> None:
    """Submit so many tasks, without a request for each."""
    for _ in range(tasks):
        session.submit("image_generation", {"prompt": "a lighthouse at dusk"}, "default", ENGINES["comfyui"])


def costs(most: int = 100_000) -> list[tuple[str, float, str]]:
    """(what, microseconds, remark): each kind of call beside one living task, beside a hundred, and so on."""
    sizes = [size for size in (1, 100, 10_000, 100_000, 1_000_000) if size <= most]
    found = [(tasks, _costs(tasks)) for tasks in sizes]
    least = found[0][1]
    return [
        (f"{what} beside {tasks:,} tasks", cost, f"{cost / least[what]:.2f} times")
        for what in least
        for tasks, costs in found
        for cost in [costs[what]]
    ]


def _costs(tasks: int) -> dict[str, float]:
    """Microseconds of each kind of call. All tasks will fail, none has: that is what a balance has to settle."""
    settings = Settings(task_profile(queued=10**6, fail_rate=1.0), balance=10**9)
    service = Service(keys=[FAKE_KEY], settings=settings)
    session = service.sessions.open(FAKE_KEY)
    fill(session, tasks)
    poll = _SUBMIT._replace(method="GET", query=f"endpoint=task_status&task_id={session.tasks[-1].id}", body=b"")
    balance = poll._replace(query="endpoint=user_balance")
    others = cycle([poll._replace(query=f"endpoint=task_status&task_id={task.id}") for task in session.tasks[:10_000]])
    costs = {
        "a poll": _microseconds(service, repeated(poll)),
        "a poll, of another task each time,": _microseconds(service, others),
        "a balance": _microseconds(service, repeated(balance)),
        "a submit": _microseconds(service, repeated(_SUBMIT)),
    }
    session.data.settings = replace(settings, balance=0)
    return costs | {"a submit that cannot be paid": _microseconds(service, repeated(_SUBMIT))}


def _microseconds(service: Service, requests: Iterator[Request], calls: int = 100) -> float:
    return min(repeat(lambda: service.handle(next(requests)), number=calls, repeat=9)) / calls * 1e6


def walk(tasks: int = 100_000) -> list[tuple[str, float, str]]:
    """(what, milliseconds, remark): what a submit does that lets tasks go, where very many have ended at once."""
    clock = VirtualClock()
    settings = Settings(task_profile(running=60), balance=10**12)
    service = Service(keys=[FAKE_KEY], settings=settings, clock=lambda: clock)
    session = service.sessions.open(FAKE_KEY)
    fill(session, tasks)
    clock.advance(60)
    began = perf_counter()
    forget(session.data)
    return [(f"{tasks:,} tasks that end at once", 1_000 * (perf_counter() - began), "32 of them for each look")]


if __name__ == "__main__":
    many = int(sys.argv[1]) if sys.argv[1:] else 100_000
    for unit, rows in (("bytes", sizes()), ("us", costs(many)), ("ms", walk(many))):
        for what, figure, remark in rows:
            print(f"{what:<52}{figure:>9.1f} {unit}  {remark}".rstrip(), flush=True)
