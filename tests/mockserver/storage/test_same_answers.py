"""Whatever keeps the sessions, the same requests get the same answers, and the same is kept of them."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import example, given

from fake import SUBMIT, status_of
from json_store import STORE_NAMES, STORES
from mockserver_actions import ACTIONS, SETTINGS
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.sessions.session import Session
from safelight.mockserver.storage.store import Store


class Driven:
    """A service whose one session is changed by requests and, within transactions, by a test."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.api = Service(settings=settings, store=store, clock=VirtualClock, bounds=Bounds(3, 10_000))
        self.api.sessions.open(FAKE_KEY)
        self.ids: list[str] = []

    def do(self, action: Any) -> Any:
        """One thing that is done, and what comes of it."""
        match action:
            case "submit", workflow, prompt:
                status, body = self.send("POST", SUBMIT, json.dumps({"prompt": prompt, "workflow": workflow}).encode())
                self.ids += [json.loads(body)["data"]["id"]] if status == 200 and b'"id"' in body else []
                return status, body
            case "poll", number if number < len(self.ids):
                return self.send("GET", status_of(self.ids[number]))
            case "balance":
                return self.send("GET", "/v1/index.php?endpoint=user_balance")
        with self.api.sessions.enter(FAKE_KEY) as session:
            return self.changed(session, action)

    def changed(self, session: Session, action: Any) -> Any:
        kept = [task.id for task in session.tasks]
        match action:
            case "release", number if number < len(kept):
                session.release(kept[number])
            case "advance", seconds:
                assert isinstance(session.clock, VirtualClock)
                session.clock.advance(seconds)
            case "next", reason:
                session.override(TaskOverride(fail=reason))
            case "fail", number if number < len(kept):
                return session.fail(kept[number], "no GPU left")
        return kept

    def send(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        path, _, query = target.partition("?")
        headers = {"x-api-key": FAKE_KEY, "content-type": "application/json"}
        reply = self.api.handle(Request(method, path, query, headers, body))
        reply.deliver()
        reply.end(0)
        return reply.status, reply.body

    def kept(self) -> Any:
        """Whatever a session has, in its order."""
        journal = self.api.sessions.store.journal(fingerprint(FAKE_KEY))
        with self.api.sessions.enter(FAKE_KEY) as session:
            plan = session.plan
            counts = {task_id: session.data.counts[task_id] for task_id in session.data.counts}
            return (
                (session.tasks, counts, list(session.ledger), session.credits, session.passed()),
                len(session.data.refunds_due),
                ([str(rule) for rule in plan], plan.counts(), plan.undelivered()),
                (list(journal), journal.dropped),
            )


#: A task that fails when it is released, and is released again.
RELEASED: Final = [("submit", "rr3", "a lamp"), ("release", 0), ("release", 0)]


@pytest.mark.parametrize("kind", STORE_NAMES)
@example(settings=Settings(task_profile(ticks=(0, 1), fail_rate=1)), actions=RELEASED)
@given(settings=SETTINGS, actions=ACTIONS)
def test_every_store_answers_as_the_memory_does(kind: str, settings: Settings, actions: Any) -> None:
    with TemporaryDirectory() as folder:
        fakes = [Driven(settings, STORES[name](Path(folder))) for name in ("memory", kind)]
        for action in actions:
            expected, found = (fake.do(action) for fake in fakes)
            assert found == expected
        expected, found = (fake.kept() for fake in fakes)
        assert found == expected
