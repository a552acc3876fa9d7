"""Nothing that the fake does is impossible, whatever is done to it, and whatever of its answers is lost."""

import json
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from fake import SUBMIT, Fake, status_of
from safelight.conformance.oracle.oracle import Oracle
from safelight.contracts import Axis
from safelight.mockserver.faults.rules import read_rule
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import task_profile
from safelight.strategies import timelines

OPERATIONS: Final = {
    "image_generation": {"prompt": "a lamp"},
    "image_editing": {"prompt": "a lamp", "image": "https://a.example/b.png"},
    "video_generation": {"prompt": "a lamp", "mode": "t2v"},
}
BALANCE: Final = "/v1/index.php?endpoint=user_balance"

#: Few tasks are polled often.
MAX_TASKS: Final = 3

#: What becomes of an answer, before the request is carried out or after; mostly nothing.
FAULTS: Final = st.sampled_from(
    [*[""] * 8, "reset before", "reset after", "http 503 before", "http 502 after", "garbled", "hang after", "redirect"]
)

SECONDS: Final = st.integers(0, 12).map(lambda quarters: quarters / 4)


class Watched(RuleBasedStateMachine):
    """Requests that overlap, answers that are lost, time and control in any order; the oracle sees each exchange."""

    def __init__(self) -> None:
        super().__init__()
        self.fake = Fake(Settings(task_profile(), balance=10_000), checked=False)
        self.oracle = Oracle()
        self.polls: list[tuple[str, float]] = []
        self.read_the_balance(fault="", took=0)

    def see(self, method: str, target: str, body: bytes, *, start: float, took: float) -> None:
        """Send a request that began at `start`, and answer it after some seconds."""
        self.fake.send(method, target, body)
        now = self.fake.session.now()
        exchange = self.fake.journal[-1]._replace(at=start, took=now - start + took)
        assert [found.sentence for found in self.oracle.see(exchange)] == []

    @precondition(lambda self: len(self.fake.tasks) < MAX_TASKS)
    @rule(
        operation=st.sampled_from(sorted(OPERATIONS)),
        timeline=timelines(max_dwell=8, whole=True),
        axis=st.sampled_from(Axis),
        fault=FAULTS,
        took=SECONDS,
    )
    def submit(self, operation: str, timeline: object, axis: Axis, fault: str, took: float) -> None:
        self.fake.next(timeline=timeline, axis=axis)
        self.plan("submit", fault)
        body = json.dumps(OPERATIONS[operation]).encode()
        target = SUBMIT.replace("image_generation", operation)
        self.see("POST", target, body, start=self.fake.session.now(), took=took)

    @rule(body=st.sampled_from([b"", b"{}", b'{"prompt": ""}', b"["]))
    def submit_what_is_refused(self, body: bytes) -> None:
        self.see("POST", SUBMIT, body, start=self.fake.session.now(), took=0)

    @precondition(lambda self: self.fake.tasks)
    @rule(data=st.data(), wait=SECONDS)
    def begin_a_poll(self, data: st.DataObject, wait: float) -> None:
        self.polls.append((self.a_task(data), self.fake.session.now()))
        self.fake.clock.advance(wait)

    @precondition(lambda self: self.polls)
    @rule(data=st.data(), took=SECONDS)
    def answer_a_poll(self, data: st.DataObject, took: float) -> None:
        task_id, start = self.polls.pop(data.draw(st.integers(0, len(self.polls) - 1)))
        self.see("GET", status_of(task_id), b"", start=start, took=took)

    @precondition(lambda self: self.fake.tasks)
    @rule(data=st.data(), waits=st.lists(SECONDS, min_size=1, max_size=4), fault=FAULTS)
    def poll(self, data: st.DataObject, waits: list[float], fault: str) -> None:
        task_id = self.a_task(data)
        self.plan("poll", fault)
        for wait in waits:
            self.see("GET", status_of(task_id), b"", start=self.fake.session.now(), took=wait / 2)
            self.fake.clock.advance(wait)

    @rule(fault=FAULTS, took=SECONDS)
    def read_the_balance(self, fault: str, took: float) -> None:
        self.plan("balance", fault)
        self.see("GET", BALANCE, b"", start=self.fake.session.now(), took=took)

    @precondition(lambda self: self.fake.tasks)
    @rule(data=st.data(), fails=st.booleans())
    def end_or_move_one(self, data: st.DataObject, *, fails: bool) -> None:
        task_id = self.a_task(data)
        if fails:
            self.fake.session.fail(task_id, "cancelled")
        else:
            self.fake.session.release(task_id)

    def a_task(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(self.fake.tasks)).id

    def plan(self, kind: str, fault: str) -> None:
        if fault:
            self.fake.session.plan.add(read_rule(f"{kind}#1: {fault}"))

    def teardown(self) -> None:
        self.read_the_balance(fault="", took=0)
        assert [found.sentence for found in self.oracle.finish()] == []


TestWatched = Watched.TestCase
TestWatched.settings = settings(max_examples=50, stateful_step_count=30)
