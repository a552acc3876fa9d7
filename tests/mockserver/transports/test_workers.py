"""Requests that take more than a moment are answered in threads, and those of one effort keep no other waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final

import httpx
import pytest

from fake import PNG
from safelight.mockserver.control.client import ControlClient
from safelight.mockserver.control.control import Control
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.operations.results import picture_path
from safelight.mockserver.service.effort import Effort
from safelight.mockserver.service.service import Service
from safelight.mockserver.service.workers import MAX_CALLS
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.storage.kinds import opened
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import AppServer, in_thread

#: More pictures than are drawn at a time.
PICTURES: Final = MAX_CALLS[Effort.DRAWING] + 2

#: A body that is worth a thread.
LARGE: Final = {"prompt": "a lamp", "unknown": 30_000 * "x"}


@pytest.fixture(params=["memory", "sqlite"])
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    name = f"sqlite:{tmp_path / 'sessions.db'}" if request.param == "sqlite" else request.param
    return Service(settings=Settings(task_profile(running=0)), store=opened(name), keys=[FAKE_KEY])


@contextmanager
def drawing(api: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[AppServer, list[str], list[Future[int]]]]:
    """A server, and while the block runs `PICTURES` pictures are being fetched from it that do not become ready.

    Gives the ids of their tasks, and how each fetch ends, once the block has.
    """
    is_over = Event()

    def draw(_: object) -> bytes:
        assert is_over.wait(30)
        return PNG

    monkeypatch.setattr("safelight.mockserver.pictures.draw", draw)
    with in_thread(create_app(api, control=Control())) as server, ThreadPoolExecutor(PICTURES) as clients:
        ids = [submit(server) for _ in range(PICTURES)]
        fetches = [clients.submit(fetch, server, task_id) for task_id in ids]
        try:
            while api.in_flight.open < PICTURES:
                server.settle()
            yield server, ids, fetches
        finally:
            is_over.set()
        assert [fetched.result() for fetched in fetches] == PICTURES * [200]


def submit(server: AppServer, **more: str) -> str:
    body = {"prompt": "a lamp"} | more
    answer = httpx.post(server.url, params={"endpoint": "image_generation"}, headers={"x-api-key": FAKE_KEY}, json=body)
    return str(answer.json()["data"]["id"])


def fetch(server: AppServer, task_id: str) -> int:
    return httpx.get(httpx.URL(server.url).copy_with(path=picture_path(FAKE_KEY, task_id)), timeout=30).status_code


def test_who_waits_for_a_picture_keeps_nobody_else_waiting(api: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    with drawing(api, monkeypatch) as (server, ids, fetches):
        status = httpx.get(
            server.url, params={"endpoint": "task_status", "task_id": ids[0]}, headers={"x-api-key": FAKE_KEY}
        ).json()["data"]["status"]
        accepted = submit(server, **LARGE)
        tasks = ControlClient(server.url, FAKE_KEY).tasks()
        assert not any(fetched.done() for fetched in fetches)
    assert status == "completed"
    assert accepted == tasks[-1]["id"]


def test_no_more_is_drawn_at_a_time_than_there_are_processors(api: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    with drawing(api, monkeypatch) as (server, _, _):
        server.settle()
        named = [thread.name for thread in threading.enumerate() if thread.name.startswith("AnyIO worker")]
    waiting = MAX_CALLS[Effort.STORE] if api.sessions.store.does_io else 0
    assert len(named) <= MAX_CALLS[Effort.DRAWING] + waiting
