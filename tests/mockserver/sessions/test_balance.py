"""Money: what is left is the balance at the start, less what was taken, plus what was returned."""

import json
from decimal import Decimal, localcontext
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import SUBMIT, Fake
from safelight.contracts import operations
from safelight.mockserver.model.credits import Credits, credits_of
from safelight.mockserver.model.settings import BALANCE, Settings
from safelight.mockserver.sessions.opening import task_profile

PROMPT = b'{"prompt": "a lamp"}'


def with_balance(balance: int, **told: Any) -> Fake:
    return Fake(Settings(task_profile(**told), balance=balance))


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
def test_nothing_is_ever_overdrawn_and_no_credit_is_lost(balance: int, kinds: list[str]) -> None:
    fake = with_balance(balance)
    for kind in kinds:
        if kind == "poll":
            for task in fake.tasks:
                fake.poll(task.id)
        else:
            if kind == "fail" and not fake.session.data.overrides:
                fake.next(fail=True)
            status = fake.send("POST", SUBMIT, PROMPT).status
            assert status in (200, 402)
        failed = [task for task in fake.tasks if task.timeline.steps[-1].phase == "failed"]
        assert left(fake) == balance - 10 * (len(fake.tasks) - len(failed)) >= 0


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_it_is_asked_for_with_get(method: str) -> None:
    assert Fake().send(method, "/?endpoint=user_balance").status == 405


#: What somebody pays for a submit, and what is then left of 1,000: exactly.
EXACT = [("0.1", 3, 999.7), ("12.5", 2, 975.0), ("0.001", 7, 999.993), (333, 3, 1.0), (0, 5, 1000.0)]


@pytest.mark.parametrize(("price", "times", "rest"), EXACT)
def test_prices_add_up_to_the_decimal(price: str | int, times: int, rest: float) -> None:
    fake = Fake(Settings(prices={"image_generation": credits_of(price)}))
    for _ in range(times):
        fake.submit()
    assert left(fake) == rest
    assert fake.session.credits == 1000 - times * credits_of(price)


def test_the_last_credit_can_be_spent_and_no_more() -> None:
    fake = Fake(Settings(balance=credits_of("0.3"), prices={"image_generation": credits_of("0.1")}))
    statuses = [fake.send("POST", SUBMIT, PROMPT).status for _ in range(4)]
    assert statuses == [200, 200, 200, 402]
    assert left(fake) == 0
    assert len(fake.tasks) == 3


PAID: Final = ("image_generation", "image_editing", "video_generation")


def owed_by(fake: Fake, balance: Credits) -> Credits:
    """What is left, counted anew: what tasks cost that have not failed by now."""
    alive = [task for task in fake.tasks if fake.session.state(task).phase != "failed"]
    return balance - sum(operations()[task.operation].price for task in alive)


@given(
    st.lists(st.sampled_from([*PAID, "down", "fail", "wait", "look"]), max_size=20),
    st.decimals(0, 500, places=3),
)
def test_every_kind_of_submit_takes_its_price_and_nothing_is_overdrawn(kinds: list[str], balance: Decimal) -> None:
    """In any order, with failures that come with time, and are seen or not."""
    fake = Fake(Settings(task_profile(running=3), balance=credits_of(balance), down=frozenset({"rr3"})))
    for kind in kinds:
        if kind in ("wait", "look"):
            fake.clock.advance(2)
            for task in fake.tasks if kind == "look" else ():
                fake.poll(task.id)
            continue
        owed = owed_by(fake, credits_of(balance))
        operation = kind if kind in operations() else "image_generation"
        parameters = {"prompt": "a", "image": "https://example.com/a.png"}
        if kind == "down":
            parameters["workflow"] = "rr3"
        if kind == "fail" and not fake.session.data.overrides:
            fake.next(fail=True)
        reply = fake.ask(operation, **parameters)
        price = operations()[operation].price
        assert reply.status == (402 if owed < price else 502 if kind == "down" else 200)
        assert fake.session.credits == owed_by(fake, credits_of(balance)) >= 0
        assert left(fake) == float(fake.session.credits)


@pytest.mark.parametrize(
    "written", ["-1", "1e3", "nan", "inf", "0.0001", "1234567890123", "", "ten", True, None, "1_0"]
)
def test_what_is_no_number_of_credits_is_a_sentence(written: object) -> None:
    with pytest.raises(ValueError, match=r"is no balance: write credits, 0 or more, with at most 3 decimals"):
        credits_of(written)


@pytest.mark.parametrize(
    ("scale", "cost"),
    [(1, "12.125"), (2, "24.25"), (0.1, "1.2125"), (0.333, "4.037625"), (8, "97"), (1e-6, "0.000012125")],
)
def test_a_scale_is_a_factor_on_every_price_exact_to_the_decimal(scale: float, cost: str) -> None:
    fake = Fake(Settings(task_profile(), prices={"image_generation": Decimal("12.125")}, cost_scale=scale))
    fake.submit()
    [entry] = fake.ledger
    assert -entry.credits == Decimal(cost)
    assert Settings(cost_scale=scale).price_of("video_generation") == 200 * Decimal(str(scale))


def test_a_price_of_what_is_no_submit_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"no submit is called 'image_edit'; did you mean image_editing\?"):
        Settings(prices={"image_edit": 1})


def test_the_ledger_of_a_day_is_a_table() -> None:
    fake = Fake(Settings(task_profile(), balance=50, down=frozenset({"rr3"})), checked=False)
    fake.next(id="a")
    fake.next(id="b", fail=True)
    fake.submit()
    fake.clock.advance(90)
    fake.poll(fake.submit())
    fake.ask("image_generation", prompt="a", workflow="rr3")
    assert fake.ask("video_generation", prompt="a", mode="t2v").status == 402
    assert str(fake.ledger) == (
        "seconds  credits  total  what              task\n"
        "    0.0      -10    -10  image_generation  a\n"
        "   90.0      -10    -20  image_generation  b\n"
        "   90.0      +10    -10  refund            b\n"
        "   90.0      -10    -20  image_generation\n"
        "   90.0      +10    -10  refund"
    )


def test_a_refund_that_was_seen_late_stands_where_the_task_failed() -> None:
    fake = Fake(running=5, fail_rate=1)
    fake.submit()
    fake.clock.advance(60)
    fake.submit()
    fake.poll(fake.tasks[0].id)
    assert [line.split()[:2] for line in str(fake.ledger).splitlines()[1:]] == [
        ["0.0", "-10"],
        ["5.0", "+10"],
        ["60.0", "-10"],
    ]


def test_sums_are_exact_whatever_the_callers_decimals_are_set_to() -> None:
    with localcontext() as context:
        context.prec = 3
        fake = Fake(Settings(balance=Decimal("1000.5"), prices={"image_generation": Decimal("0.125")}))
        for _ in range(3):
            fake.submit()
        assert left(fake) == 1000.125
        assert str(fake.ledger).splitlines()[-1].split()[2] == "-0.375"


def test_a_long_ledger_is_cut_in_print_and_adds_up() -> None:
    fake = Fake()
    for _ in range(130):
        fake.submit()
    lines = str(fake.ledger).splitlines()
    assert lines[1] == "  ... and 30 lines before ..."
    assert len(lines) == 102
    assert lines[-1].split()[2] == "-1300"
