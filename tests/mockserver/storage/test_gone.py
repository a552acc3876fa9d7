"""While what keeps the sessions does not answer, nothing happens by halves."""

from __future__ import annotations

import gc
import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from redis import Redis

import redis_server
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.session_state import TaskCounts
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.storage.database import Changes, Document, Row
from safelight.mockserver.storage.kinds import opened
from safelight.mockserver.storage.redis import RedisDatabase
from safelight.mockserver.storage.row_store import RowStore
from safelight.mockserver.storage.sqlite import SQLiteDatabase
from safelight.mockserver.storage.store import StoreGone, UnusableStore

NAME = "0123456789abcdef"
HEADERS = {"x-api-key": FAKE_KEY, "content-type": "application/json"}
CHANGES = Changes(Document("settings", "rest"), [Row("task", "1", "a task")], is_new=True)


def test_a_submit_that_cannot_be_written_is_refused_and_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    settings = Settings(plan=("submit#1: http 500 after",))
    told: list[int] = []
    api = Service(
        settings=settings,
        store=opened(f"sqlite:{path}"),
        keys=[FAKE_KEY],
        clock=VirtualClock,
        listener=lambda _, exchange: told.append(exchange.status),
    )
    submit = Request("POST", "/v1/index.php", "endpoint=image_generation", HEADERS, b'{"prompt": "a lamp"}')
    other = sqlite3.connect(path)
    other.execute("alter table row rename to gone")
    other.commit()
    refused = api.handle(submit)
    other.execute("alter table gone rename to row")
    other.commit()
    other.close()
    assert refused.status == 503
    assert json.loads(refused.body)["error"]["message"].startswith(
        "Service unavailable: the store of this fake does not answer: SQLite says no such table: row"
    )
    with api.sessions.enter(FAKE_KEY) as session:
        assert (session.tasks, list(session.ledger), session.data.submits) == ([], [], {})
    struck, accepted = api.handle(submit), api.handle(submit)
    assert (struck.status, accepted.status) == (500, 200), "the fault was not used up"
    with api.sessions.enter(FAKE_KEY) as session:
        assert len(session.tasks) == len(session.ledger) == 2
    journal = api.sessions.store.journal(fingerprint(FAKE_KEY))
    assert [exchange.status for exchange in journal] == told == [503, 500, 200]


class Failing(SQLiteDatabase):
    """No row of it can be read, and then all goes on."""

    def row(self, name: str, kinds: Sequence[str], key: str) -> Sequence[str | None]:  # noqa: ARG002
        raise StoreGone("it is a moment away")


def test_a_transaction_that_could_not_read_writes_nothing(tmp_path: Path) -> None:
    database = Failing(tmp_path / "sessions.db")
    api = Service(store=RowStore(database), keys=[FAKE_KEY], clock=VirtualClock)
    with api.sessions.enter(FAKE_KEY) as session:
        session.data.counts["a task"] = TaskCounts()
    with suppress(StoreGone), api.sessions.enter(FAKE_KEY) as session:
        session.data.submits["rr3"] = 1
        session.answered("another task")
    with api.sessions.enter(FAKE_KEY) as session:
        assert session.data.submits == {}


@pytest.mark.needs("redis-server")
def test_who_has_lost_the_lock_writes_nothing() -> None:
    url = redis_server.empty()
    slow, quick = RedisDatabase(url), RedisDatabase(url)
    slow.enter(NAME)
    with Redis.from_url(url) as client:  # as if its process had stood still until the lock was free
        client.delete(f"safelight:lock:{NAME}")
    quick.enter(NAME)
    quick.leave(NAME, CHANGES)
    with pytest.raises(StoreGone, match="lost the session to another one"):
        slow.leave(NAME, CHANGES._replace(document=Document("other settings", "other rest")))
    assert quick.read(NAME) == CHANGES.document
    slow.enter(NAME)
    slow.leave(NAME, None)
    for database in (slow, quick):
        database.close()


class Kept(SQLiteDatabase):
    """It tells its connections."""

    def __init__(self, path: Path, connections: list[sqlite3.Connection]) -> None:
        self.connections = connections
        super().__init__(path)

    def _connected(self) -> sqlite3.Connection:
        self.connections.append(super()._connected())
        return self.connections[-1]


def test_a_file_that_nobody_closes_is_closed_with_its_store(tmp_path: Path) -> None:
    connections: list[sqlite3.Connection] = []
    Kept(tmp_path / "sessions.db", connections)
    gc.collect()
    [connection] = connections
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        connection.execute("select 1")


@pytest.mark.needs("redis-server")
def test_a_lock_is_held_for_as_long_as_its_transaction_lasts() -> None:
    url = redis_server.empty()
    database = RedisDatabase(url)
    database.enter(NAME)
    with Redis.from_url(url) as client:
        client.pexpire(f"safelight:lock:{NAME}", 900)
        while client.pttl(f"safelight:lock:{NAME}") <= 1_000:  # until it is renewed
            assert client.exists(f"safelight:lock:{NAME}")
    database.leave(NAME, CHANGES)
    assert database.row(NAME, ["task"], "1") == ["a task"]
    database.close()


@pytest.mark.needs("redis-server")
def test_what_another_version_has_written_is_left_alone() -> None:
    url = redis_server.empty()
    with Redis.from_url(url) as client:
        client.set("safelight:form", "0")
    with pytest.raises(UnusableStore, match="another version"):
        RedisDatabase(url)


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    opened(f"sqlite:{path}").close()
    with sqlite3.connect(path) as other:
        other.execute("pragma user_version = 99")
    other.close()
    with pytest.raises(UnusableStore, match="another version"):
        opened(f"sqlite:{path}")


@pytest.mark.needs("redis-server")
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"maxmemory": "1"}, "its memory is full: set a larger maxmemory, or empty it"),
        ({"requirepass": "s3cret"}, "it wants another user or password: redis://USER:PASSWORD@HOST:PORT/0"),
    ],
)
def test_what_redis_refuses_is_said_with_what_to_do(settings: dict[str, str], sentence: str) -> None:
    url = redis_server.empty()
    with redis_server.configured(**settings), pytest.raises(UnusableStore, match=f"^Redis: {re.escape(sentence)}$"):
        opened(url)
    opened(url).close()


@pytest.mark.needs("redis-server")
def test_a_replica_is_refused() -> None:
    url = redis_server.empty()
    with Redis.from_url(url) as client:
        client.replicaof("127.0.0.1", "1")
        try:
            with pytest.raises(UnusableStore, match="it is a replica, to which nobody can write: name the primary"):
                opened(url)
        finally:
            client.replicaof("NO", "ONE")


@pytest.mark.needs("redis-server")
def test_while_redis_takes_no_writes_the_answer_is_503_and_then_it_goes_on() -> None:
    api = Service(store=opened(redis_server.empty()), keys=[FAKE_KEY])
    submit = Request("POST", "/v1/index.php", "endpoint=image_generation", HEADERS, b'{"prompt": "a lamp"}')
    with redis_server.configured(maxmemory="1"):
        refused = api.handle(submit)
    assert (refused.status, api.handle(submit).status) == (503, 200)
    with api.sessions.enter(FAKE_KEY) as session:
        assert len(session.tasks) == len(session.ledger) == 1
    api.sessions.store.close()
