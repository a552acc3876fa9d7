"""Money: what is left is the balance at the start, less what was taken, plus what was returned."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import SUBMIT, Fake
from safelight.mockserver.lives import BALANCE, Settings, lives

PROMPT = b'{"prompt": "a lamp"}'


def with_balance(balance: int, **told: Any) -> Fake:
    return Fake(Settings(lives(**told), balance=balance))


def left(fake: Fake) -> float:
    reply = fake.send("GET", "/?endpoint=user_balance")
    assert reply.status == 200
    data = json.loads(reply.body)["data"]
    assert data["currency"] == "credits"
    return float(data["balance"])


def test_a_balance_falls_by_the_price_and_rises_by_what_is_returned() -> None:
    fake = Fake(Settings())
    assert left(fake) == BALANCE
    fake.submit()
    assert left(fake) == BALANCE - 10
    fake.next(fail=True)
    task_id = fake.submit()
    fake.poll(task_id)
    assert left(fake) == BALANCE - 10


def test_a_failure_that_nobody_asked_about_is_paid_back_when_it_matters() -> None:
    fake = with_balance(10, running=60, fail_rate=1)
    fake.submit()
    assert fake.send("POST", SUBMIT, PROMPT).status == 402
    fake.clock.advance(60)
    assert fake.send("POST", SUBMIT, PROMPT).status == 200
    assert left(fake) == 0


def test_each_key_is_a_user_of_its_own_and_is_not_shown() -> None:
    fake = Fake(any_key=True)
    seen = [
        json.loads(fake.send("GET", "/?endpoint=user_balance", key=key).body)["data"] for key in ("a" * 20, "b" * 20)
    ]
    assert seen[0]["user_id"] != seen[1]["user_id"]
    assert "a" * 20 not in json.dumps(seen)


@given(st.integers(0, 60), st.lists(st.sampled_from(["submit", "fail", "poll"]), max_size=20))
def test_nothing_is_ever_overdrawn_and_no_credit_is_lost(balance: int, deeds: list[str]) -> None:
    fake = with_balance(balance)
    for deed in deeds:
        if deed == "poll":
            for task in fake.tasks:
                fake.poll(task.id)
        else:
            if deed == "fail" and not fake.session.nexts:
                fake.next(fail=True)
            status = fake.send("POST", SUBMIT, PROMPT).status
            assert status in (200, 402)
        failed = [task for task in fake.tasks if task.timeline.steps[-1].phase == "failed"]
        assert left(fake) == balance - 10 * (len(fake.tasks) - len(failed)) >= 0


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_it_is_asked_for_with_get(method: str) -> None:
    assert Fake().send(method, "/?endpoint=user_balance").status == 405
