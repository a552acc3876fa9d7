"""A session survives being written as JSON: it is equal, and it answers as it would have."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from fake import SUBMIT, Fake, status_of
from mockserver_actions import ACTIONS, SETTINGS
from safelight.mockserver.model.clock import AdjustableClock, RealClock, VirtualClock
from safelight.mockserver.model.ledger import Entry, Ledger
from safelight.mockserver.model.session_state import SessionState
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.storage.codec import decoded, encoded


def do(fake: Fake, action: Any) -> Any:
    """One thing that is done to a session, and what comes of it."""
    ids = [task.id for task in fake.tasks]
    match action:
        case "submit", workflow, prompt:
            reply = fake.send("POST", SUBMIT, json.dumps({"prompt": prompt, "workflow": workflow}).encode())
            return reply.status, reply.body
        case "poll", number if number < len(ids):
            reply = fake.send("GET", status_of(ids[number]))
            return reply.status, reply.body
        case "release", number if number < len(ids):
            fake.session.release(ids[number])
        case "advance", seconds:
            fake.clock.advance(seconds)
        case "next", reason:
            fake.next(queued="1..3", fail=reason)
        case "fail", number if number < len(ids):
            return fake.session.fail(ids[number], "no GPU left")
    return None


@given(SETTINGS, ACTIONS, ACTIONS)
def test_a_session_read_back_is_equal_and_answers_as_it_would_have(settings: Settings, before: Any, after: Any) -> None:
    fake = Fake(settings, checked=False)
    for action in before:
        do(fake, action)
    text = encoded(fake.session.data)
    read = decoded(text)
    assert encoded(read) == text
    assert without_clock(read) == without_clock(fake.session.data)
    assert read.clock.now() == fake.clock.now()

    other = Fake(settings, checked=False)
    with other.store.transaction(other.session.name) as transaction:
        assert isinstance(read.clock, VirtualClock)
        other.clock = read.clock
        transaction.begin(read)
    assert [do(other, action) for action in after] == [do(fake, action) for action in after]
    assert list(other.session.ledger) == list(fake.session.ledger)
    assert other.session.plan.counts() == fake.session.plan.counts()


def without_clock(state: SessionState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in SessionState.__slots__ if name != "clock"}


def test_a_session_is_plain_json() -> None:
    fake = Fake(running="never")
    fake.submit()
    json.loads(encoded(fake.session.data), parse_constant=pytest.fail)


@pytest.mark.parametrize("clock", [RealClock(60), AdjustableClock(2)])
def test_a_clock_runs_on_from_the_time_that_was_kept(clock: RealClock | AdjustableClock) -> None:
    before = clock.now()
    now, then, *rest = clock.kept()
    read = type(clock).restored([now, then, *rest])
    later = type(clock).restored([now, then - 10, *rest])
    assert before <= read.now()
    assert later.now() - read.now() == pytest.approx(10 * rest[0], rel=0.1)


def test_a_frozen_clock_stands_still_wherever_it_is_read() -> None:
    clock = AdjustableClock(60)
    clock.freeze()
    now, then, *rest = clock.kept()
    assert AdjustableClock.restored([now, then - 1_000, *rest]).now() == clock.now()


def test_a_ledger_keeps_its_total_beyond_its_lines() -> None:
    ledger = Ledger(max_entries=2)
    for number in range(4):
        ledger.add(Entry(number, Decimal("0.5"), "", "refund"))
    read = Ledger.restored(ledger.kept())
    assert (len(read), read.total) == (2, 2)
    assert read == ledger
    ledger.add(Entry(9, 1, "", "refund"))
    assert read != ledger
