"""Microseconds of the core by itself: a submit, a poll, and what validation takes of them."""

from __future__ import annotations

import json
from functools import partial
from timeit import repeat
from typing import TYPE_CHECKING

from orders import BODY

from safelight.contracts import parse
from safelight.contracts.validation import violations
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile

if TYPE_CHECKING:
    from collections.abc import Callable

#: Calls in one measurement, and how many are made; the fastest counts, as the others were disturbed.
_CALLS, _REPEATS = 1_000, 9

_HEADERS = {"x-api-key": FAKE_KEY, "content-type": "application/json", "host": "127.0.0.1"}


def rows() -> list[tuple[str, float, str]]:
    """(what, microseconds, remark)."""
    api = Service(keys=[FAKE_KEY], settings=Settings(task_profile(queued=0, running="never"), balance=10**12))
    body = json.dumps(BODY).encode()
    submit = Request("POST", "/v1/index.php", "endpoint=image_generation", _HEADERS, body)
    task_id = json.loads(api.handle(submit).body)["data"]["id"]
    poll = Request("GET", "/v1/index.php", f"endpoint=task_status&task_id={task_id}", _HEADERS)
    query = {"endpoint": "task_status", "task_id": task_id}
    calls: dict[str, Callable[[], object]] = {
        "Service.handle: submit": partial(api.handle, submit),
        "  of this: parsing": partial(parse, body),
        "  of this: the schema": partial(violations, "image_generation.request", BODY),
        "Service.handle: poll": partial(api.handle, poll),
        "  of this: the schema ": partial(violations, "task_status.request", query),
    }
    return [(name, _microseconds(call), "") for name, call in calls.items()]


def _microseconds(call: Callable[[], object]) -> float:
    return min(repeat(call, number=_CALLS, repeat=_REPEATS)) / _CALLS * 1e6


if __name__ == "__main__":
    for what, microseconds, _ in rows():
        print(f"{what:<28}{microseconds:>8.1f} us")
