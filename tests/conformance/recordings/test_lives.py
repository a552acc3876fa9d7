"""What is made of a recording: timelines that begin, change and end as it was told, refusals, and credits."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import RICH, Fake
from histories import LOST, balance, done, error, exchange, failed, poll, running, submit, unknown
from safelight.conformance.recordings.lives import Lives
from safelight.contracts import FINAL, Phase, Timeline
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.opening import task_profile
from safelight.strategies.timelines import timelines
from safelight.traffic.exchange import Exchange
from safelight.traffic.ndjson import line, read


def lives(*history: Exchange) -> Lives:
    found = Lives()
    found.all(history)
    return found


def steps(*history: Exchange) -> list[tuple[Any, ...]]:
    (task,) = lives(*history).tasks()
    return [(step.name, step.dwell) for step in task.timeline.steps]


TOOK_NO_TIME = {"took": 0}
START = submit(0, took=0)
INF = float("inf")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([START, poll(1), done(3)], [("queued", 2), ("done", INF)]),
        ([START, poll(1), running(2, 50), done(4)], [("queued", 1.5), ("running", 1.5), ("done", INF)]),
        ([START, done(4)], [("done", INF)]),
        ([START, poll(1), poll(2), failed(4)], [("queued", 3), ("failed", INF)]),
        ([START, unknown(1), poll(3), done(5)], [("unseen", 2), ("queued", 2), ("done", INF)]),
        ([START, poll(1), poll(2, **LOST), done(3)], [("queued", 2), ("done", INF)]),
        ([START, done(3), poll(1)], [("queued", 2), ("done", INF)]),
        ([START, poll(1), done(3), poll(4)], [("queued", 2), ("done", INF)]),
        ([START, poll(1)], [("queued", INF)]),
    ],
    ids=str,
)
def test_a_step_begins_halfway_between_the_polls_that_told_it_and_the_one_before(
    history: list[Exchange], expected: list[tuple[str, float]]
) -> None:
    assert steps(*history) == expected


def test_the_progress_and_the_reason_and_a_word_that_nobody_knows_are_those_that_were_told() -> None:
    (task,) = lives(START, poll(1, "cooking"), running(2, 7), running(4, 70), failed(6, "no paper")).tasks()
    cooking, first, second, end = task.timeline.steps
    assert (cooking.phase, cooking.word) == (Phase.QUEUED, "cooking")
    assert (first.progress, second.progress, first.word) == (7, 70, None)
    assert end.reason == "no paper"


def test_a_plain_word_stays_one() -> None:
    (task,) = lives(START, poll(1, "running", data={"progress": 1}), poll(2, "done")).tasks()
    assert [step.word for step in task.timeline.steps] == ["running", "done"]


def test_of_polls_that_tell_the_same_two_are_kept() -> None:
    found = lives(START, *(poll(number) for number in range(100)), *(done(number) for number in range(100, 200)))
    (life,) = found.lives()
    assert [at for at, _ in life.told] == [0, 99, 100, 199]
    assert [step.dwell for step in life.timeline().steps] == [99.5, INF]


def test_a_task_that_nobody_polled_is_none() -> None:
    assert lives(START).tasks() == ()


def test_tasks_with_one_id_under_two_keys_are_two() -> None:
    history = [submit(0, key="a"), submit(0, key="b"), poll(1, key="a"), done(1, key="b")]
    assert [task.timeline.steps[0].phase for task in lives(*history).tasks()] == [Phase.QUEUED, Phase.DONE]


@pytest.mark.parametrize(
    ("refused", "rule"),
    [
        (submit(0, status=500, answer=error("crashed")), "submit#1: refuse 500 crashed"),
        (submit(0, status=402, answer=error("Insufficient balance")), "submit#1: refuse 402 'Insufficient balance'"),
        (submit(0, status=400, answer=error("a: 'b' \"c\"")), 'submit#1: refuse 400 "a: \'b\' \\"c\\""'),
        (submit(0, status=429, answer=error(), answer_headers={"retry-after": "7"}), "submit#1: throttle 7"),
        (submit(0, status=429, answer=error()), "submit#1: throttle none"),
        (submit(0, status=503, answer=b"<html>"), "submit#1: refuse 503 Refused"),
        (submit(0, status=503, answer=error("\ud800")), "submit#1: http 503"),
        (submit(0, status=400, body=b"{}", answer=error()), ""),
        (submit(0, status=401, answer=error()), ""),
        (submit(0, **LOST), ""),
        (submit(0, status=999, answer=error()), ""),
    ],
)
def test_a_submit_that_broke_no_rule_and_was_refused_is_a_fault(refused: Exchange, rule: str) -> None:
    assert ", ".join(lives(refused).faults()) == rule


def test_the_number_of_a_fault_counts_the_submits_before_it() -> None:
    history = [submit(0), submit(1, status=401, answer=error()), submit(2, **LOST), submit(3, status=500, answer=b"")]
    assert lives(*history).faults() == ("submit#3: refuse 500 Refused",)


def test_the_credits_at_the_start_are_those_told_and_what_was_paid_until_then() -> None:
    history = [submit(0, "1"), submit(0, "2"), failed(1, task_id="2"), balance(2, 30), balance(3, 7)]
    assert lives(*history).balance == 40
    assert lives(submit(0)).balance is None


def test_what_is_of_another_api_says_nothing() -> None:
    found = lives(exchange("GET", "", 0, b"")._replace(target="/shop"), balance(1, 3)._replace(method="POST"))
    assert (found.tasks(), found.faults(), found.balance) == ((), (), None)


def test_a_recording_that_is_cut_is_taken_as_far_as_it_goes() -> None:
    lines = [*map(line, [START, done(1)]), '{"at": 3, "meth']
    found = Lives()
    found.all(read(lines))
    assert len(found.tasks()) == 1
    assert found.broken.startswith("line 3")


# --- repeated by the fake ------------------------------------------------------------------------------------------


def course(fake: Fake, moments: list[float]) -> list[tuple[Any, ...]]:
    """What the polls of a new task at these moments tell."""
    task_id, began, told = fake.submit(prompt="a lamp"), fake.clock.now(), list[tuple[Any, ...]]()
    for moment in moments:
        fake.clock.advance(began + moment - fake.clock.now())
        data = fake.poll(task_id)
        told.append((data["status"], data.get("progress"), data.get("error")))
        if data["status"] in ("completed", "failed"):
            break
    return told


def journal(fake: Fake) -> list[Exchange]:
    """What the fake has written down, as a file has it."""
    return list(read(map(line, fake.journal)))


MOMENTS = st.lists(st.floats(0, 200), min_size=1, max_size=12, unique=True).map(sorted)


@given(timelines(max_dwell=60), MOMENTS)
def test_a_recorded_life_is_told_again_and_recorded_again_the_same(timeline: Timeline, moments: list[float]) -> None:
    first = Fake(Settings(task_profile(timeline=timeline), balance=RICH))
    told = course(first, moments)
    recorded = lives(*journal(first)).tasks()
    again = Fake(Settings(task_profile(queued=1_000), balance=RICH, recorded=recorded))
    assert course(again, moments) == told
    assert [task.parameters for task in lives(*journal(again)).tasks()] == [task.parameters for task in recorded]
    ended = recorded[0].timeline.steps[-1].phase in FINAL
    assert ended == (told[-1][0] in ("completed", "failed"))


def test_a_client_that_asks_at_another_pace_gets_the_same_course() -> None:
    recorded = lives(START, poll(1), running(3, 40), done(5)).tasks()
    fake = Fake(Settings(balance=RICH, recorded=recorded))
    slow, quick = course(fake, [10]), course(fake, [0, 1.9, 2.1, 3.9, 4.1])
    assert slow == [("completed", None, None)]
    assert [word for word, *_ in quick] == ["pending", "pending", "processing", "processing", "completed"]


def recorded_as(*bodies: dict[str, Any]) -> Fake:
    """A fake that repeats a task for each body, which has failed for the reason that its number is."""
    history: list[Exchange] = []
    for number, body in enumerate(bodies):
        history += [submit(0, str(number), body=json.dumps(body).encode()), failed(1, str(number), task_id=str(number))]
    return Fake(Settings(balance=RICH, recorded=lives(*history).tasks()))


def reasons(fake: Fake, *bodies: dict[str, Any]) -> list[str]:
    return [fake.poll(fake.submit(**body))["error"] for body in bodies]


A, B, C = ({"prompt": name} for name in "abc")


def test_a_submit_gets_the_task_of_its_parameters_one_after_the_other_and_from_the_start() -> None:
    assert reasons(recorded_as(A, B, A), B, A, A, A, B) == ["1", "0", "2", "0", "1"]


def test_any_other_submit_gets_the_tasks_of_its_operation_in_their_order() -> None:
    assert reasons(recorded_as(A, B), C, C, B, C) == ["0", "1", "1", "0"]


def test_what_the_operation_does_not_know_and_the_order_of_parameters_change_nothing() -> None:
    fake = recorded_as(A, {"prompt": "b", "steps": 5})
    assert reasons(fake, {"steps": 5, "api_version": 3, "prompt": "b"}) == ["1"]


def test_an_operation_that_was_not_recorded_has_its_usual_timeline() -> None:
    fake = recorded_as(A)
    data = fake.data("video_generation", prompt="a", mode="t2v")
    assert fake.poll(data["id"])["status"] == "completed"


def test_an_override_comes_before_what_was_recorded() -> None:
    fake = recorded_as(A)
    fake.next(fail="asked for")
    assert reasons(fake, A, A) == ["asked for", "0"]


def test_more_recorded_tasks_than_a_session_has_are_counted() -> None:
    history = [one for number in range(1_001) for one in (submit(0, str(number)), done(1, task_id=str(number)))]
    found = lives(*history)
    assert (len(found.tasks()), found.left_out) == (1_000, 1)
    with pytest.raises(ValueError, match="1,001 recorded tasks are too many"):
        Settings(recorded=2 * found.tasks()[:1] + found.tasks()[:999])
