"""A request reads and writes what it is about, however many tasks its session has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

from asgi_call import body_in, call, scope_of
from fake import RICH, SUBMIT, status_of
from json_store import STORE_NAMES, STORES
from safelight.mockserver.control.control import Control
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.storage.database import Changes, Database, FoundPlace, Wanted
from safelight.mockserver.storage.kinds import opened
from safelight.mockserver.storage.row_store import RowStore
from safelight.mockserver.storage.sqlite import SQLiteDatabase
from safelight.mockserver.transports.asgi import create_app

#: A picture that is so large that a task does not keep it in memory.
LARGE = "data:image/png;base64," + "QUFB" * 30_000


class Cost(NamedTuple):
    """Rows that were read and written, and characters that were written."""

    read: int
    written: int
    characters: int


class Counted(SQLiteDatabase):
    """It counts what is read and written: rows, and characters."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.read_rows = self.written_rows = self.written = 0

    def row(self, name: str, kinds: Sequence[str], key: str) -> Sequence[str | None]:
        self.read_rows += 1
        return super().row(name, kinds, key)

    def rows(self, name: str, kind: str) -> Mapping[str, str]:  # noqa: ARG002
        raise AssertionError(f"all rows of {kind} are read")

    def places(self, name: str, wanted: Wanted, kinds: Sequence[str] = ()) -> Sequence[FoundPlace]:
        found = super().places(name, wanted, kinds)
        self.read_rows += 1 + len(found) - len(found) * bool(kinds)  # the others count as rows
        return found

    def leave(self, name: str, changes: Changes | None) -> None:
        if changes:
            self.written_rows += len(changes.rows) + len(changes.places)
            self.written += sum(
                len(text or "") for text in (*(changes.document or ()), *(row.text for row in changes.rows))
            )
        super().leave(name, changes)

    def cost(self) -> Cost:
        """What was counted since it was last asked for."""
        found = Cost(self.read_rows, self.written_rows, self.written)
        self.read_rows = self.written_rows = self.written = 0
        return found


def service(store: RowStore | Any, settings: Settings, bounds: Bounds | None = None) -> Service:
    api = Service(settings=settings, store=store, clock=VirtualClock, bounds=bounds)
    api.sessions.open(FAKE_KEY)
    return api


def send(api: Service, method: str, target: str, **body: Any) -> Any:
    path, _, query = target.partition("?")
    headers = {"x-api-key": FAKE_KEY, "content-type": "application/json"}
    reply = api.handle(Request(method, path, query, headers, json.dumps(body).encode() if body else b""))
    assert reply.status == 200, reply.body
    return json.loads(reply.body)["data"]


def controlled(api: Service, target: str) -> Any:
    """The data that a control route answers."""
    headers = [(b"host", b"127.0.0.1:8123"), (b"x-api-key", FAKE_KEY.encode())]
    answered = call(create_app(api, control=Control()), scope_of("GET", target.encode(), headers), body_in(b""))
    return json.loads(answered.body)["data"]


@pytest.mark.parametrize(
    "profile", [{"running": "never"}, {"polls": (1, 9)}, {"running": 1_000, "fail_rate": 1}, {"running": 0}]
)
def test_a_request_costs_the_same_however_many_tasks_there_are(tmp_path: Path, profile: dict[str, Any]) -> None:
    settings = Settings(task_profile(**profile), plan=("poll 50%: garbled", "poll#900: http 502"), balance=RICH)
    database = Counted(tmp_path / "sessions.db")
    api = service(RowStore(database), settings)
    costs = []
    for _ in range(300):
        task_id = send(api, "POST", SUBMIT, prompt="a lamp")["id"]
        submit = database.cost()
        api.handle(Request("GET", "/v1/index.php", f"endpoint=task_status&task_id={task_id}", {"x-api-key": FAKE_KEY}))
        costs.append((submit, database.cost()))
    for early, late in zip(costs[10], costs[-1], strict=True):
        assert late.read < 10
        # A rule may have begun to count, and the heap of refunds moves an entry more where it is larger.
        assert late.written <= early.written + 3
        assert late.characters <= early.characters + 500


#: How tasks come to an end, or do not.
ENDS: list[dict[str, Any]] = [{"running": 0}, {"running": 0, "fail_rate": 1}, {"polls": (0, 1)}, {"running": "never"}]


@pytest.mark.parametrize("profile", ENDS)
def test_a_submit_that_lets_a_task_go_costs_the_same_however_many_are_kept(
    tmp_path: Path, profile: dict[str, Any]
) -> None:
    few, many = (_cost_when_full(tmp_path / f"{most}.db", profile, most) for most in (40, 400))
    assert many.read <= few.read < 10
    assert many.written <= few.written < 20
    assert many.characters <= few.characters + 50


def _cost_when_full(path: Path, profile: dict[str, Any], most: int) -> Cost:
    """The most that each of the last submits costs where that many tasks are kept."""
    database = Counted(path)
    api = service(RowStore(database), Settings(task_profile(**profile), balance=RICH), Bounds(max_finished_tasks=most))
    costs = []
    for _ in range(most * 3 // 2):
        task_id = send(api, "POST", SUBMIT, prompt="a lamp")["id"]
        costs.append(database.cost())
        for _ in range(2):
            send(api, "GET", status_of(task_id))
        database.cost()
    with api.sessions.enter(FAKE_KEY) as session:
        kept = len(session.data.tasks)
    assert kept == most * 3 // 2 if "never" in profile.values() else kept - most in (0, 1)
    return Cost(*(max(each) for each in zip(*costs[-10:], strict=True)))


def test_of_very_many_tasks_that_end_at_once_a_submit_looks_at_some(tmp_path: Path) -> None:
    database = Counted(tmp_path / "sessions.db")
    settings = Settings(task_profile(running=60), balance=RICH)
    api = service(RowStore(database), settings, Bounds(max_finished_tasks=10))
    for _ in range(400):
        send(api, "POST", SUBMIT, prompt="a lamp")
    with api.sessions.enter(FAKE_KEY) as session:
        assert isinstance(session.clock, VirtualClock)
        session.clock.advance(60)
    database.cost()
    send(api, "POST", SUBMIT, prompt="a lamp")
    assert database.cost().read < 200


def test_a_page_of_tasks_reads_its_own(tmp_path: Path) -> None:
    database = Counted(tmp_path / "sessions.db")
    api = service(RowStore(database), Settings(task_profile(running="never"), balance=RICH))
    for _ in range(100):
        send(api, "POST", SUBMIT, prompt="a lamp")
    database.cost()
    found, cursor = [], 0
    while True:
        page = controlled(api, f"/_safelight/tasks?cursor={cursor}&limit=7")
        assert database.cost().read <= 10
        found += [task["number"] for task in page["tasks"]]
        if page["cursor"] is None:
            break
        cursor = page["cursor"]
    assert found == list(range(1, 101))


def test_a_task_with_rules_of_its_own_makes_room_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.mockserver.faults.plan.MAX_TASKS_WITH_RULES", 5)
    database = Counted(tmp_path / "sessions.db")
    api = service(RowStore(database), Settings(task_profile(running="never"), balance=RICH, directives=True))
    ids = []
    for _ in range(20):
        database.cost()
        ids.append(send(api, "POST", SUBMIT, prompt="a lamp [[safelight poll#2: http 502]]")["id"])
        assert database.cost().read < 10
    with api.sessions.enter(FAKE_KEY) as session:
        plan = session.data.plan
        assert [task_id in plan.of_tasks for task_id in ids] == 15 * [False] + 5 * [True]
        assert (len(plan.of_tasks), len(plan.with_rules)) == (5, 5)


@pytest.mark.parametrize("profile", [{"running": "never"}, {"running": 1_000, "fail_rate": 1}, {"polls": (1, 9)}])
def test_who_has_many_living_tasks_looks_at_none_for_a_balance(tmp_path: Path, profile: dict[str, Any]) -> None:
    database = Counted(tmp_path / "sessions.db")
    api = service(RowStore(database), Settings(task_profile(**profile), balance=RICH))
    for _ in range(100):
        send(api, "POST", SUBMIT, prompt="a lamp")
    database.cost()
    assert send(api, "GET", "/v1/index.php?endpoint=user_balance")["balance"] == RICH - 1_000
    assert database.cost().read <= 1
    with api.sessions.enter(FAKE_KEY) as session:
        assert not session.is_idle()
    assert database.cost().read <= 2


@pytest.mark.parametrize("kind", STORE_NAMES)
def test_a_large_body_lasts_as_long_as_its_task(kind: str, tmp_path: Path) -> None:
    api = service(STORES[kind](tmp_path), Settings(task_profile(running=0), balance=RICH), Bounds(2, 10**9))
    task_id = send(api, "POST", "/v1/index.php?endpoint=image_editing", prompt="a lamp", image=LARGE)["id"]
    send(api, "GET", status_of(task_id))
    with api.sessions.enter(FAKE_KEY) as session:
        [task] = session.tasks
        assert task.request["image"] == LARGE
        session.data.tasks[task_id] = task
    with api.sessions.enter(FAKE_KEY) as session:
        assert session.tasks[0].request["image"] == LARGE


def test_a_poll_reads_no_large_body_and_a_forgotten_task_leaves_none(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    api = service(opened(f"sqlite:{path}"), Settings(task_profile(running=0), balance=RICH), Bounds(2, 10**9))
    for _ in range(5):
        send(api, "POST", "/v1/index.php?endpoint=image_editing", prompt="a lamp", image=LARGE)
    database = SQLiteDatabase(path)
    [name] = database.names()
    tasks, bodies = database.rows(name, "task"), database.rows(name, "body")
    assert tasks.keys() == bodies.keys()
    assert len(tasks) < 5
    assert max(map(len, tasks.values())) < 1_000
    assert min(map(len, bodies.values())) > len(LARGE)


class Asked:
    """A database, and the verbs that were asked of it: each is a way to a disk or over a network."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.verbs: list[str] = []

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._database, name)

        def asked(*arguments: Any) -> Any:
            self.verbs.append(name)
            return verb(*arguments)

        return asked

    def last(self) -> list[str]:
        """The verbs since they were last looked at."""
        found, self.verbs = self.verbs, []
        return found


@pytest.mark.parametrize("any_key", [False, True])
def test_a_request_is_one_transaction_with_its_record(tmp_path: Path, any_key: bool) -> None:  # noqa: FBT001
    database = Asked(SQLiteDatabase(tmp_path / "sessions.db"))
    api = Service(store=RowStore(cast("Database", database)), any_key=any_key, keys=[FAKE_KEY])
    task_id = send(api, "POST", SUBMIT, prompt="a lamp")["id"]
    database.last()
    send(api, "POST", SUBMIT, prompt="a lamp")
    assert database.last() == ["enter", "row", "leave"], "the row: is the new id taken?"
    send(api, "GET", status_of(task_id))
    assert database.last() == ["enter", "leave"]
    assert len(api.sessions.store.journal(fingerprint(FAKE_KEY))) == 3


def test_guests_that_come_while_others_ask_wait_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.mockserver.sessions.registry.MAX_GUEST_SESSIONS", 3)
    api = Service(store=opened(f"sqlite:{tmp_path / 'sessions.db'}"), any_key=True)

    def balance(number: int) -> int:
        key = f"sk-guest-{number % 7}"
        return api.handle(Request("GET", "/v1/index.php", "endpoint=user_balance", {"x-api-key": key})).status

    with ThreadPoolExecutor(8) as clients:
        assert set(clients.map(balance, range(200))) == {200}
    assert len(api.sessions.store.names()) <= 3
