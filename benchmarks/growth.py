"""What tasks cost once there are many: bytes of a living task, and microseconds of a submit that cannot be paid."""

from __future__ import annotations

import gc
import tracemalloc
from timeit import repeat
from typing import TYPE_CHECKING, Any

from safelight.mockserver.model.engines import ENGINES
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile

if TYPE_CHECKING:
    from safelight.mockserver.sessions.session import Session

#: Tasks that are there before anything is measured: by then ledger and journal are full, and grow no more.
_BEFORE, _TASKS = 12_000, 20_000

_BODY = b'{"prompt":"a lighthouse at dusk","seed":-1}'
_SUBMIT = Request("POST", "/", "endpoint=image_generation", {"x-api-key": FAKE_KEY}, _BODY)

_PROFILES: dict[str, dict[str, Any]] = {
    "a task that waits for ever": {"queued": "never"},
    "a task of random delays": {"queued": "10..20", "running": "100..900"},
    "a task in polls": {"polls": (5, 5)},
}


def sizes() -> list[tuple[str, float, str]]:
    """(what, bytes, remark): a living task with its request of 43 bytes."""
    return [(name, _bytes(profile), "") for name, profile in _PROFILES.items()]


def _bytes(profile: dict[str, Any]) -> float:
    service = Service(keys=[FAKE_KEY], settings=Settings(task_profile(**profile), balance=10**9))
    for _ in range(_BEFORE):
        service.handle(_SUBMIT)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(_TASKS):
        service.handle(_SUBMIT)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / _TASKS


def fill(session: Session, tasks: int) -> None:
    """Submit so many tasks, without a request for each."""
    for _ in range(tasks):
        session.submit("image_generation", {"prompt": "a lighthouse at dusk"}, "default", ENGINES["comfyui"], size=40)


def refusals() -> list[tuple[str, float, str]]:
    """(what, microseconds, remark): a submit of an account with nothing left, beside few tasks and beside many."""
    return [(f"402 beside {tasks:,} tasks", _microseconds(tasks), "") for tasks in (10, 20_000)]


def _microseconds(tasks: int) -> float:
    settings = Settings(task_profile(queued="never", fail_rate=1.0), balance=10 * tasks)
    service = Service(keys=[FAKE_KEY], settings=settings)
    for _ in range(tasks):
        service.handle(_SUBMIT)
    calls = 200
    return min(repeat(lambda: service.handle(_SUBMIT), number=calls, repeat=9)) / calls * 1e6


if __name__ == "__main__":
    for what, figure, _ in sizes():
        print(f"{what:<28}{figure:>8.0f} bytes")
    for what, figure, _ in refusals():
        print(f"{what:<28}{figure:>8.1f} us")
