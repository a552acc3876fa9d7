"""The life of a task as its client sees it, on each axis, in each vocabulary, and what it costs when it fails."""

from itertools import pairwise
from math import inf
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake import Fake, status_of
from safelight.contracts import FINAL, Axis, Phase, Step, Timeline, problems, vocabularies, workflows
from safelight.mockserver.model.delays import Fixed
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_profile import TaskProfile
from safelight.mockserver.sessions.opening import task_profile

SLOW: Final = [name for name, workflow in workflows().items() if not workflow.instant]

#: Vocabulary -> its words for queued, running, done, failed.
WORDS: Final = {
    "published": ("pending", "processing", "completed", "failed"),
    "plain": ("queued", "running", "done", "failed"),
}


@pytest.mark.parametrize("workflow", SLOW)
@pytest.mark.parametrize(("vocabulary", "words"), WORDS.items())
def test_a_task_is_done_when_its_time_has_come(workflow: str, vocabulary: str, words: tuple[str, ...]) -> None:
    fake = Fake(Settings(task_profile(queued=1, running=2), vocabulary=vocabulary))
    task_id = fake.submit(workflow=workflow)
    seen = []
    for seconds in (0, 0.5, 0.5, 1, 0.75, 0.25, 1_000):
        fake.clock.advance(seconds)
        data = fake.poll(task_id)
        seen.append((data["status"], data.get("progress")))
    queued, running, done, _ = words
    waiting, finished = (queued, None), (done, None)
    assert seen == [waiting, waiting, (running, 0), (running, 50), (running, 87), finished, finished]


@pytest.mark.parametrize(("vocabulary", "words"), WORDS.items())
def test_every_answer_is_of_its_vocabularys_schema(vocabulary: str, words: tuple[str, ...]) -> None:
    fake = Fake(Settings(task_profile(polls=(1, 1)), vocabulary=vocabulary))
    task_id = fake.submit()
    for word in words[:3]:
        reply = fake.send("GET", status_of(task_id))
        assert problems(f"task_status.response.{vocabulary}", reply.body) == []
        assert f'"status":"{word}"'.encode() in reply.body


def test_the_vocabularies_are_two() -> None:
    assert {name: tuple(vocabulary.words.values()) for name, vocabulary in vocabularies().items()} == WORDS


def test_the_answers_have_the_published_members() -> None:
    fake = Fake(queued=1, running=2)
    task_id, rest = fake.submit(), {"created_at": None, "result": None}
    assert fake.poll(task_id) == {"id": task_id, "status": "pending", **rest}
    fake.clock.advance(2)
    assert fake.poll(task_id) == {"id": task_id, "status": "processing", "progress": 50, **rest}
    fake.clock.advance(1)
    data = fake.poll(task_id)
    url = data["result"].pop("image_url")
    assert data == {"id": task_id, "status": "completed", "created_at": None, "result": {}}
    assert url.startswith("http://localhost/uploads/")
    assert url.endswith(f"/{task_id}.png")


def test_a_failed_task_has_an_error_and_is_a_success_of_the_poll() -> None:
    fake = Fake(fail_rate=1)
    task_id = fake.submit()
    error = "Task processing failed or timed out"
    assert fake.poll(task_id) == {"id": task_id, "status": "failed", "error": error, "result": None}


@pytest.mark.parametrize("workflow", SLOW)
def test_on_the_axis_of_polls_each_poll_moves_its_task_on(workflow: str) -> None:
    fake = Fake(polls=(1, 2))
    task_id, other = (fake.submit(workflow=workflow) for _ in range(2))
    fake.clock.advance(1_000)
    assert [fake.word(task_id) for _ in range(5)] == ["pending", "processing", "processing", "completed", "completed"]
    assert fake.word(other) == "pending", "the polls of another task are not its own"


def test_looking_at_a_picture_is_no_poll() -> None:
    fake = Fake(polls=(1, 0))
    task_id = fake.submit()
    assert [fake.picture(task_id).status for _ in range(3)] == [404, 404, 404]
    assert fake.word(task_id) == "pending"
    assert fake.picture(task_id).status == 404, "the client was told pending"
    assert fake.word(task_id) == "completed"


def test_on_the_axis_of_ticks_a_task_moves_when_it_is_released() -> None:
    fake = Fake(Settings(TaskProfile(Fixed(1), Fixed(4), Axis.TICKS)))
    task_id = fake.submit()
    assert [fake.word(task_id) for _ in range(3)] == ["pending"] * 3
    fake.session.release(task_id)
    assert fake.poll(task_id)["progress"] == 0
    fake.session.release(task_id, ticks=2)
    assert fake.poll(task_id)["progress"] == 50
    fake.session.release(task_id, ticks=100)
    assert fake.word(task_id) == "completed"


def test_what_was_never_submitted_is_not_released() -> None:
    with pytest.raises(ValueError, match=r"no task '7': it was never issued to this key"):
        Fake().session.release("7")


@pytest.mark.parametrize("told", [{"queued": 30, "running": "never"}, {"polls": (9, 9)}])
def test_grok_is_done_at_the_first_poll(told: dict[str, Any]) -> None:
    fake = Fake(**told)
    assert fake.word(fake.submit(workflow="grok")) == "completed"
    assert fake.word(fake.submit(workflow="rr3")) == "pending"


def test_grok_takes_its_time_where_it_is_told_to() -> None:
    fake = Fake(Settings(workflows={"grok": task_profile(queued=1)}))
    task_id = fake.submit(workflow="grok")
    assert fake.word(task_id) == "pending"
    fake.clock.advance(1)
    assert fake.word(task_id) == "completed"


def test_never_is_for_ever() -> None:
    fake = Fake(running="never")
    task_id = fake.submit()
    fake.clock.advance(1e9)
    assert fake.poll(task_id)["progress"] == 0


def test_a_workflow_leads_the_lives_it_is_told_to() -> None:
    fake = Fake(
        Settings(task_profile(queued=5), {"anime": task_profile(polls=(0, 1)), "rr3": task_profile(fail_rate=1)})
    )
    first = {workflow: fake.word(fake.submit(workflow=workflow)) for workflow in SLOW}
    assert first == {"default": "pending", "anime": "processing", "z-image": "pending", "rr3": "failed"}


DWELLS: Final = st.sampled_from([0.0, 0.5, 1.0, 3.0, inf])
STEPS: Final = st.builds(Step, st.sampled_from([Phase.QUEUED, Phase.RUNNING]), DWELLS)
ENDS: Final = st.builds(Step, st.sampled_from(sorted(FINAL)), reason=st.none() | st.text(min_size=1))


@given(st.lists(STEPS, max_size=4), ENDS, st.sampled_from(Axis), st.lists(st.sampled_from([0.0, 0.25, 1, 7])))
def test_final_is_final_and_progress_rises_within_running(
    steps: list[Step], end: Step, axis: Axis, waits: list[float]
) -> None:
    fake = Fake()
    fake.next(timeline=Timeline((*steps, end)), axis=axis)
    task_id, seen = fake.submit(), []
    for wait in waits:
        fake.clock.advance(wait)
        fake.session.release(task_id, round(wait))
        seen.append(fake.poll(task_id))
    for before, after in pairwise(seen):
        if before["status"] in ("completed", "failed"):
            assert after == before
    if len([step for step in steps if step.phase is Phase.RUNNING]) == 1:
        progress = [data["progress"] for data in seen if data["status"] == "processing"]
        assert progress == sorted(progress)


def words(fake: Fake, number: int, workflow: str = "default") -> list[str]:
    return [fake.word(fake.submit(workflow=workflow)) for _ in range(number)]


def test_the_share_of_tasks_that_fail_is_the_rate() -> None:
    assert 0.25 < words(Fake(fail_rate=0.3), 500).count("failed") / 500 < 0.35
    assert "failed" not in words(Fake(fail_rate=0), 100)
    assert set(words(Fake(fail_rate=1), 100)) == {"failed"}


def test_which_tasks_fail_is_the_seeds_matter() -> None:
    assert words(Fake(fail_rate=0.5, seed=3), 30) == words(Fake(fail_rate=0.5, seed=3), 30)
    assert words(Fake(fail_rate=0.5, seed=3), 30) != words(Fake(fail_rate=0.5, seed=4), 30)


def test_a_change_of_the_rate_changes_no_other_number() -> None:
    for_rate = {}
    for rate in (0, 1):
        fake = Fake(running="1..100", fail_rate=rate)
        ids = [fake.submit() for _ in range(20)]
        for_rate[rate] = ids, [task.timeline.length for task in fake.tasks], [task.seed for task in fake.tasks]
    assert for_rate[0] == for_rate[1]


def test_the_nth_task_fails_counted_from_one() -> None:
    fake = Fake(fail_nth=frozenset({1, 3}))
    assert words(fake, 4) == ["failed", "completed", "failed", "completed"]


def test_a_workflow_with_lives_of_its_own_counts_its_own_tasks() -> None:
    fake = Fake(Settings(workflows={"anime": task_profile(fail_nth=frozenset({2}))}))
    seen = [fake.word(fake.submit(workflow=workflow)) for workflow in ("default", "anime", "rr3", "anime", "anime")]
    assert seen == ["completed", "completed", "completed", "failed", "completed"]


def test_a_failure_says_the_reason_it_was_given() -> None:
    fake = Fake(fail_rate=1, fail_reason="CUDA out of memory")
    assert fake.poll(fake.submit())["error"] == "CUDA out of memory"


def test_a_failed_task_is_refunded_once() -> None:
    fake = Fake(running=1, fail_nth=frozenset({2}))
    ids = [fake.submit() for _ in range(3)]
    assert [fake.word(task_id) for task_id in ids] == ["processing"] * 3
    assert fake.ledger.total == -30
    fake.clock.advance(1)
    for _ in range(3):
        assert [fake.word(task_id) for task_id in ids] == ["completed", "failed", "completed"]
    booked = [(entry.at, entry.credits, entry.task_id, entry.reason) for entry in fake.ledger]
    assert booked == [*((0, -10, task_id, "image_generation") for task_id in ids), (1, 10, ids[1], "refund")]
    assert (fake.ledger.total, len(fake.ledger)) == (-20, 4)


def test_what_is_refused_costs_nothing() -> None:
    fake = Fake()
    fake.send("POST", "/?endpoint=image_generation", b'{"prompt": ""}')
    fake.send("POST", "/?endpoint=image_generation", b'{"prompt": "a lamp"}', key="sk-nobody")
    assert (fake.ledger.total, len(fake.ledger)) == (0, 0)


def test_all_tasks_may_lead_one_life_whatever_their_workflow() -> None:
    life = Timeline.read([("running", 2), ("queued", 1), ("running", 1), "failed"])
    fake = Fake(timeline=life, checked=False)
    ids = [fake.submit(workflow=workflow) for workflow in workflows()]
    seen = []
    for _ in range(5):
        seen.append({fake.word(task_id) for task_id in ids})
        fake.clock.advance(1)
    assert seen == [{"processing"}, {"processing"}, {"pending"}, {"processing"}, {"failed"}]


def test_what_is_said_of_the_next_task_goes_before_the_life_of_all() -> None:
    fake = Fake(timeline=Timeline.read([("running", 9), "done"]), checked=False)
    fake.next(id="first")
    fake.next(queued=2)
    fake.next(fail="no ink")
    for task_id in [fake.submit() for _ in range(3)]:
        fake.poll(task_id)
    assert [str(task.timeline.steps[0].phase) for task in fake.tasks] == ["running", "queued", "queued"]
    assert [task.timeline.length for task in fake.tasks] == [9, 2, 0]
    assert fake.tasks[2].timeline.at(0).reason == "no ink"
