"""What is said beforehand about the tasks to come."""

from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import SUBMIT, Fake
from safelight.contracts import Axis, Phase, Step, Timeline
from safelight.mockserver.model.delays import Fixed
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_profile import TaskProfile
from safelight.mockserver.sessions.opening import task_profile

Q, R, D, F = Phase

#: What is said, and the status words of five polls one second apart; else a task takes 1 s queued and 1 s running.
SAID: Final[list[tuple[dict[str, Any], list[str]]]] = [
    ({}, ["pending", "processing", "completed", "completed", "completed"]),
    ({"queued": 0}, ["processing", "completed", "completed", "completed", "completed"]),
    ({"queued": 3}, ["pending", "pending", "pending", "processing", "completed"]),
    ({"running": 3}, ["pending", "processing", "processing", "processing", "completed"]),
    ({"running": "never"}, ["pending", "processing", "processing", "processing", "processing"]),
    ({"queued": 0, "running": 0}, ["completed"] * 5),
    ({"fail": True}, ["pending", "processing", "failed", "failed", "failed"]),
    ({"queued": 0, "running": 0, "fail": "no"}, ["failed"] * 5),
    ({"fail": False}, ["pending", "processing", "completed", "completed", "completed"]),
    (
        {"timeline": Timeline((Step(R, 1), Step(Q, 1), Step(D, 1), Step(R, 1), Step(F)))},
        ["processing", "pending", "completed", "processing", "failed"],
    ),
    ({"axis": Axis.POLLS, "queued": 2}, ["pending", "pending", "processing", "completed", "completed"]),
    ({"axis": Axis.TICKS}, ["pending"] * 5),
    ({"id": "01234567-89ab-4def-8123-456789abcdef"}, ["pending", "processing", "completed", "completed", "completed"]),
]


def five_polls(fake: Fake, task_id: str) -> list[str]:
    words = []
    for _ in range(5):
        words.append(fake.word(task_id))
        fake.clock.advance(1)
    return words


@pytest.mark.parametrize(("said", "words"), SAID)
def test_the_next_task_lives_as_was_said(said: dict[str, Any], words: list[str]) -> None:
    fake = Fake(queued=1, running=1)
    fake.next(**said)
    assert five_polls(fake, fake.submit()) == words
    assert five_polls(fake, fake.submit()) == SAID[0][1], "it was about one task"


def test_a_failure_says_what_was_said() -> None:
    fake = Fake(fail_rate=1, fail_reason="the usual")
    fake.next(fail="out of paper")
    fake.next(fail=True)
    errors = [fake.poll(fake.submit())["error"] for _ in range(3)]
    assert errors == ["out of paper", "Task processing failed or timed out", "the usual"]


def test_what_fails_by_lot_can_be_told_not_to() -> None:
    fake = Fake(fail_rate=1)
    fake.next(fail=False)
    assert [fake.word(fake.submit()) for _ in range(2)] == ["completed", "failed"]


def test_several_are_about_the_next_tasks_in_their_order() -> None:
    fake = Fake(checked=False)
    for name in "abc":
        fake.next(id=name, fail=name == "b")
    assert [fake.submit() for _ in range(3)] == ["a", "b", "c"]
    assert [fake.word(name) for name in "abc"] == ["completed", "failed", "completed"]


def test_a_refused_submit_is_not_the_next_task() -> None:
    fake = Fake(checked=False)
    fake.next(id="seven")
    fake.send("POST", "/?endpoint=image_generation", b'{"prompt": ""}')
    assert fake.submit() == "seven"


def test_what_is_said_changes_nothing_about_other_tasks() -> None:
    plain, told = (Fake(running="1..9", checked=False) for _ in range(2))
    told.next(id="seven", queued=3)
    for fake in (plain, told):
        for _ in range(3):
            fake.submit()
    assert plain.tasks[1:] == told.tasks[1:]


ODD: Final = [
    "a b&c=d#é",
    "007",
    "9007199254740993",
    "a/b",
    "../x",
    "..",
    ".",
    "%2e%2E",
    "a%20b",
    "+",
    "null",
    "undefined",
    " ",
    "a\x00b\r\nc",
    "猫",
    "😀",
    '"<script>',
    "x" * 500,
    "é" * 1_000,
]


@pytest.mark.parametrize("workflow", ["default", "rr3", "grok"])
@pytest.mark.parametrize("task_id", ODD)
def test_an_odd_id_answers_when_it_is_polled_percent_encoded(task_id: str, workflow: str) -> None:
    fake = Fake(checked=False)
    fake.next(id=task_id)
    data = fake.submitted(workflow=workflow)
    assert data["id"] == task_id
    assert data.get("check_status") in (None, f"?endpoint=task_status&task_id={quote(task_id, safe='')}")
    assert fake.poll(task_id)["id"] == task_id


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_id_answers_when_it_is_polled_percent_encoded(task_id: str) -> None:
    fake = Fake(checked=False)
    fake.next(id=task_id)
    assert fake.submit() == task_id
    assert fake.word(task_id) == "completed"


def test_an_id_that_is_taken_is_refused() -> None:
    fake = Fake(checked=False)
    fake.next(id="seven")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"there is a task with the id 'seven' already: ids are never given twice"):
            fake.next(id="seven")
        if not fake.tasks:
            fake.submit()
    drawn = fake.submit()
    with pytest.raises(ValueError, match=f"there is a task with the id '{drawn}' already"):
        fake.next(id=drawn)


def test_an_id_that_is_said_is_drawn_for_no_other_task() -> None:
    first = Fake().submit()
    fake = Fake()
    fake.next()
    fake.next(id=first)
    assert fake.submit() != first
    assert fake.submit() == first


def with_ids(*ids: str) -> Fake:
    return Fake(Settings(ids=ids), checked=False)


def test_settings_give_the_first_tasks_their_ids() -> None:
    fake = with_ids("9007199254740993", "0001234567", "a b&c=d#é")
    ids = [fake.submit(workflow=workflow) for workflow in ("rr3", "default", "grok", "default")]
    assert ids[:3] == ["9007199254740993", "0001234567", "a b&c=d#é"]
    assert [fake.poll(task_id)["id"] for task_id in ids] == ids


def test_an_id_of_the_settings_is_for_its_own_task_alone() -> None:
    drawn = [with_ids().submit()]
    fake = with_ids("first", "second", *drawn)
    with pytest.raises(ValueError, match="there is a task with the id 'second' already"):
        fake.next(id="second")
    fake.next(id="own")
    assert [fake.submit() for _ in range(3)] == ["own", "second", *drawn]
    fake.next(id="first")
    assert fake.submit() == "first", "the first task had another one"


def test_a_refused_submit_takes_no_id() -> None:
    fake = with_ids("first")
    assert fake.send("POST", SUBMIT, b'{"prompt": ""}').status == 400
    assert fake.submit() == "first"


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        (("a", "b", "a"), "the id 'a' is given twice: each task has its own"),
        (("",), "a task needs an id of at least one character"),
        (("\ud800",), r"'\\ud800' is no id: half a surrogate pair is no character"),
    ],
)
def test_what_cannot_be_an_id_is_a_sentence(ids: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        with_ids(*ids)


def test_an_id_said_for_one_key_is_another_task_for_another() -> None:
    fake = Fake(any_key=True, checked=False)
    fake.next(id="seven", queued=9)
    fake.submit()
    reply = fake.send("GET", "/?endpoint=task_status&task_id=seven", key="sk-other")
    assert reply.status == 404


@pytest.mark.parametrize("axis", [Axis.POLLS, Axis.TICKS])
def test_slots_need_a_next_life_in_seconds(axis: Axis) -> None:
    fake = Fake(Settings(task_profile(running=1), slots=1))
    with pytest.raises(ValueError, match="engine slots need timelines in seconds"):
        fake.next(axis=axis)
    fake.next(axis=Axis.SECONDS)


def test_a_workflows_own_axis_is_kept() -> None:
    fake = Fake(Settings(TaskProfile(Fixed(1), Fixed(1), Axis.TICKS)))
    fake.next(queued=0)
    task_id = fake.submit()
    assert fake.word(task_id) == "processing"
    fake.session.release(task_id)
    assert fake.word(task_id) == "completed"


def test_what_comes_next_can_be_said_as_people_write_it() -> None:
    fake = Fake()
    fake.next(running="never")
    fake.next(running="2..3", axis="seconds")
    fake.next(running=1, axis="ticks")
    endless, short, ticking = (fake.submit() for _ in range(3))
    assert [fake.word(task_id) for task_id in (endless, short, ticking)] == ["processing"] * 3
    fake.clock.advance(2)
    assert fake.word(short) == "processing"
    fake.clock.advance(1)
    fake.session.release(ticking)
    assert [fake.word(task_id) for task_id in (endless, short, ticking)] == ["processing", "completed", "completed"]
