"""Where any key is welcome, a store keeps a number of sessions, whichever processes have opened them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fake import SUBMIT, status_of
from json_store import STORES
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions import registry
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.storage.kinds import opened

if TYPE_CHECKING:
    from safelight.mockserver.storage.store import Store

#: Stores that several processes share.
SHARED = ["sqlite", pytest.param("redis", marks=pytest.mark.needs("redis-server"))]

MOST = 5

#: A process with a fake on a store: it asks for a balance with so many keys, once it has read a line.
ASKING = """
import sys
from safelight.mockserver.model.messages import Request
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions import registry
from safelight.mockserver.storage.kinds import opened

store, name, most, keys = sys.argv[1:]
registry.MAX_GUEST_SESSIONS = int(most)
api = Service(store=opened(store), any_key=True)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(keys)):
    headers = {"x-api-key": f"sk-{name}-{number}"}
    assert api.handle(Request("GET", "/v1/index.php", "endpoint=user_balance", headers)).status == 200
"""


@pytest.fixture(params=SHARED)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What a store is called that has nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'sessions.db'}"
    import redis_server  # noqa: PLC0415

    return redis_server.empty()


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MAX_GUEST_SESSIONS", MOST)


def fake(store: Store) -> Service:
    settings = Settings(task_profile(running="never"))
    return Service(settings=settings, store=store, any_key=True, clock=VirtualClock, keys=["sk-announced"])


def ask(api: Service, *keys: str) -> None:
    for key in keys:
        assert api.handle(Request("GET", "/v1/index.php", "endpoint=user_balance", {"x-api-key": key})).status == 200


def submit(api: Service, key: str) -> str:
    headers = {"x-api-key": key, "content-type": "application/json"}
    target, _, query = SUBMIT.partition("?")
    reply = api.handle(Request("POST", target, query, headers, b'{"prompt": "a lamp"}'))
    assert reply.status == 200
    with api.sessions.enter(key) as session:
        return session.tasks[0].id


def names(*keys: str) -> set[str]:
    return {fingerprint(key) for key in keys}


def test_two_processes_keep_no_more_guests_than_one(place: str) -> None:
    command = [sys.executable, "-c", ASKING, place]
    processes = [
        subprocess.Popen([*command, name, "10", "60"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for name in "ab"
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.communicate(b"go\n")
    assert [process.returncode for process in processes] == [0, 0]
    store = opened(place)
    assert len(store.names()) == store.guests(0).number == 10
    store.close()


def test_who_was_not_used_for_longest_goes_whichever_process_has_opened_it(place: str) -> None:
    one, other = fake(opened(place)), fake(opened(place))
    ask(one, "sk-used", "sk-old", "sk-older")
    ask(other, "sk-old", "sk-used", "sk-1", "sk-2", "sk-3")
    assert {*one.sessions.store.names()} == names("sk-announced", "sk-old", "sk-used", "sk-1", "sk-2", "sk-3")
    ask(one, "sk-4")
    assert {*one.sessions.store.names()} == names("sk-announced", "sk-used", "sk-1", "sk-2", "sk-3", "sk-4")


@pytest.mark.parametrize("kind", ["memory", *SHARED])
def test_a_guest_whose_task_lives_stays(kind: str, tmp_path: Path) -> None:
    api = fake(STORES[kind](tmp_path))
    living = submit(api, "sk-living")
    ask(api, *(f"sk-{number}" for number in range(3 * MOST)))
    path, _, query = status_of(living).partition("?")
    assert api.handle(Request("GET", path, query, {"x-api-key": "sk-living"})).status == 200
    assert api.sessions.store.guests(1).number == MOST
    assert fingerprint("sk-announced") in api.sessions.store.names()


@pytest.mark.parametrize("kind", ["memory", *SHARED])
def test_a_guest_who_leaves_or_begins_anew_is_counted_once(kind: str, tmp_path: Path) -> None:
    api = fake(STORES[kind](tmp_path))
    ask(api, "sk-1", "sk-2")
    api.sessions.open("sk-1")
    assert api.sessions.store.guests(9) == (2, [fingerprint("sk-2"), fingerprint("sk-1")])
    api.sessions.close("sk-1")
    assert api.sessions.store.guests(9) == (1, [fingerprint("sk-2")])


def test_the_key_of_a_guest_is_forgotten_though_another_process_has_ended_its_session(place: str) -> None:
    one, other = fake(opened(place)), fake(opened(place))
    for number in range(10 * MOST):
        ask((one, other)[number % 2], f"key-of-a-guest-{number}")
        ask((one, other)[(number + 1) % 2], f"key-of-a-guest-{number}")
    assert all(len(api.sessions.secrets) <= 3 * MOST for api in (one, other))
