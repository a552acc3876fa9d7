"""An event loop never waits for a store: whatever asks one that does I/O asks it from a worker thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from safelight.mockserver.control.client import ControlClient
from safelight.mockserver.control.control import Control
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.operations.results import picture_path
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.storage.database import Database
from safelight.mockserver.storage.row_store import RowStore
from safelight.mockserver.storage.sqlite import SQLiteDatabase
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread

PLAN = ("poll#1: http 502", "poll#2: reset", "poll#3: drip 1000", "poll#4: garbled", "submit#2: reset after")


class Watched:
    """A database that notes which of its verbs a thread has called in which an event loop runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.called: set[str] = set()
        self.called_on_loop: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def verb(*arguments: Any) -> Any:
            self.called.add(name)
            with suppress(RuntimeError):
                asyncio.get_running_loop()
                self.called_on_loop.append(name)
            return getattr(self._database, name)(*arguments)

        return verb


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(SQLiteDatabase(tmp_path / "sessions.db"))


@pytest.fixture
def url(watched: Watched) -> Iterator[str]:
    settings = Settings(task_profile(running=0), plan=PLAN)
    api = Service(settings=settings, store=RowStore(cast("Database", watched)), any_key=True)
    api.sessions.open(FAKE_KEY)
    with in_thread(create_app(api, cors=True, control=Control())) as server:
        yield server.url


def test_no_request_lets_the_loop_ask_the_store(url: str, watched: Watched) -> None:
    control = ControlClient(url, FAKE_KEY)
    with httpx.Client(trust_env=False, headers={"x-api-key": FAKE_KEY}, timeout=10) as client:

        def poll() -> None:
            client.get(url, params={"endpoint": "task_status", "task_id": task_id})

        submit = {"params": {"endpoint": "image_generation"}, "json": {"prompt": "a lamp", "width": 64, "height": 64}}
        task_id = client.post(url, **submit).json()["data"]["id"]  # type: ignore[arg-type]
        for _ in range(5):
            with suppress(httpx.TransportError):
                poll()
        with suppress(httpx.TransportError):
            client.post(url, **submit)  # type: ignore[arg-type]
        control.wait(task_id, 1)
        client.options(url, headers={"origin": "http://a.example", "access-control-request-method": "BREW"})
        client.get(url, headers={"x-api-key": "sk-somebody-else", "origin": "http://a.example"})
        client.post(url, content=b"x" * 11_000_000)
        assert client.get(httpx.URL(url).copy_with(path=picture_path(FAKE_KEY, task_id))).status_code == 200
    for ask in (control.session, control.tasks, control.plan, control.journal, control.ledger, control.openapi):
        ask()
    control.close()
    assert watched.called_on_loop == []
    assert watched.called == {
        *("enter", "leave", "read", "row", "rows", "places", "names", "guests", "record", "records")
    }
