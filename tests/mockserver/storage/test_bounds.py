"""The store is bounded by finished tasks alone: what ended first goes first, and a living task never does."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fake import SUBMIT, Fake, status_of
from safelight.contracts import Axis
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.session_state import Bounds, SessionState
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task import Task
from safelight.mockserver.sessions import registry
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.sessions.session import EnteredSession, Session
from safelight.mockserver.storage.memory import MemoryStore

PROMPT: Final = b'{"prompt": "a lamp"}'


def kept(fake: Fake) -> list[int]:
    return [task.number for task in fake.tasks]


def test_what_ended_first_goes_first() -> None:
    fake = Fake(bounds=Bounds(max_finished_tasks=10))
    ids = [fake.submit() for _ in range(10)]
    assert kept(fake) == list(range(1, 11))
    ids += [fake.submit(), fake.submit()]
    assert kept(fake) == list(range(3, 13))
    assert [fake.send("GET", status_of(task_id)).status for task_id in ids[:4]] == [404, 404, 200, 200]


def test_a_task_that_took_long_is_not_gone_as_soon_as_it_is_done() -> None:
    fake = Fake(bounds=Bounds(max_finished_tasks=3))
    fake.next(running=9)
    slow = fake.submit()
    for _ in range(5):
        fake.submit()
        fake.clock.advance(2)
    fake.submit()
    assert kept(fake) == [1, 6, 7]
    assert fake.word(slow) == "completed"


@pytest.mark.parametrize(
    ("axis", "end"),
    [
        (Axis.POLLS, lambda fake, task_id: (fake.poll(task_id), fake.poll(task_id))),
        (Axis.TICKS, lambda fake, task_id: fake.session.release(task_id)),
        (Axis.TICKS, lambda fake, task_id: fake.session.fail(task_id)),
        (Axis.SECONDS, lambda fake, task_id: fake.session.fail(task_id)),
    ],
)
def test_whatever_ends_a_task_it_goes_when_its_turn_comes(axis: Axis, end: Callable[[Fake, str], object]) -> None:
    fake = Fake(bounds=Bounds(max_finished_tasks=3))
    fake.submit()
    fake.next(axis=axis, running=1)
    ended = fake.submit()
    fake.clock.advance(0.5)
    end(fake, ended)
    fake.clock.advance(0.1)
    fake.submit()
    fake.submit()
    assert kept(fake) == [2, 3, 4]
    fake.submit()
    assert kept(fake) == [3, 4, 5]
    assert fake.session.is_idle()


def test_where_very_many_end_at_once_each_submit_lets_some_go() -> None:
    fake = Fake(bounds=Bounds(max_finished_tasks=10), running=1)
    for _ in range(200):
        fake.submit()
    fake.clock.advance(1)
    left = []
    for _ in range(7):
        fake.submit()
        left.append(len(fake.tasks))
    assert left[:3] == [169, 138, 107]
    assert left[-1] == 10 + 7, "and those that were submitted now"


def test_bytes_are_bounded_too() -> None:
    fake = Fake(bounds=Bounds(max_task_bytes=10_000))
    for _ in range(11):
        fake.submit(prompt="x" * 980)
    assert kept(fake)[-1] == 11
    assert sum(task.size for task in fake.tasks) <= 10_000
    assert kept(fake)[0] > 1, "of so many bytes, the oldest have gone"


#: A life, and what makes it end.
LIVES: Final[list[tuple[dict[str, Any], Callable[[Fake, str], object]]]] = [
    ({"running": 1}, lambda fake, _: fake.clock.advance(1)),
    ({"queued": 1}, lambda fake, _: fake.clock.advance(1)),
    ({"polls": (0, 1)}, lambda fake, task_id: (fake.poll(task_id), fake.poll(task_id))),
    ({"running": 1, "fail_rate": 1}, lambda fake, _: fake.clock.advance(1)),
]


@pytest.mark.parametrize(("told", "end"), LIVES)
def test_a_living_task_stays_until_it_ends(told: dict[str, Any], end: Callable[[Fake, str], object]) -> None:
    fake = Fake(bounds=Bounds(3, 1), **told)
    task_id = fake.submit()
    for _ in range(20):
        fake.next(queued=0, running=0)
        fake.submit()
    assert kept(fake)[0] == 1
    end(fake, task_id)
    fake.submit()
    assert 1 not in kept(fake)


def test_the_price_of_a_failed_task_is_returned_before_it_is_forgotten() -> None:
    fake = Fake(bounds=Bounds(max_finished_tasks=2), fail_rate=1)
    ids = [fake.submit() for _ in range(20)]
    for task_id in ids[-1:] * 2:
        assert fake.word(task_id) == "failed"
    returned = [entry.task_id for entry in fake.ledger if entry.reason == "refund"]
    assert sorted(returned) == sorted([*ids[: -len(fake.tasks)], ids[-1]])


class Keeping(RuleBasedStateMachine):
    """Submits, time, ticks and polls in any order, against a store with room for five finished tasks."""

    FINISHED: Final = 5
    BYTES: Final = 600

    def __init__(self) -> None:
        super().__init__()
        self.fake = Fake(bounds=Bounds(self.FINISHED, self.BYTES))
        self.gone: set[str] = set()
        #: Task id -> when it ended.
        self.ended: dict[str, float] = {}
        self.submitted: list[str] = []
        self.most_alive = self.most_alive_bytes = 0

    def finished(self) -> list[Task]:
        """Those that have ended, the first one first."""
        living = self.living()
        found = [task for task in self.fake.tasks if task not in living]
        for task in found:
            at = task.submitted + task.timeline.length if task.axis is Axis.SECONDS else self.fake.clock.now()
            self.ended.setdefault(task.id, at)
        return sorted(found, key=lambda task: (self.ended[task.id], task.number))

    def living(self) -> list[Task]:
        return [task for task in self.fake.tasks if not self.fake.session.state(task).is_final]

    @rule(
        queued=st.sampled_from([0, 0, 0, 1, 3]),
        running=st.sampled_from([0, 0, 0, 2, "never"]),
        fail=st.booleans(),
        axis=st.sampled_from(Axis),
        prompt=st.sampled_from(["a", "b" * 100, "c" * 1_000]),
    )
    def submit(self, queued: float, running: float | str, *, fail: bool, axis: Axis, prompt: str) -> None:
        before, finished = self.fake.tasks, self.finished()
        self.fake.next(queued=queued, running=running, fail=fail, axis=axis)
        self.submitted.append(self.fake.submit(prompt=prompt))
        gone = [task for task in before if task not in self.fake.tasks]
        assert {task.id for task in gone} == {task.id for task in finished[: len(gone)]}, "those that ended first"
        self.gone |= {task.id for task in gone}
        if (queued, running) == (0, 0):
            self.gone.add(self.submitted[-1])  # done at once, and perhaps larger than all the room there is
        self.finished()
        self.most_alive = max(self.most_alive, len(self.living()))
        self.most_alive_bytes = max(self.most_alive_bytes, sum(task.size for task in self.living()))

    @rule(seconds=st.integers(0, 4))
    def wait(self, seconds: int) -> None:
        self.fake.clock.advance(seconds)

    @precondition(lambda self: self.fake.tasks)
    @rule(data=st.data())
    def poll_and_release(self, data: st.DataObject) -> None:
        task = data.draw(st.sampled_from(self.fake.tasks))
        self.fake.poll(task.id)
        self.fake.session.release(task.id)
        self.finished()

    @invariant()
    def a_living_task_answers(self) -> None:
        assert all(self.fake.session.find(task_id) or task_id in self.gone for task_id in self.submitted)

    @invariant()
    def what_is_kept_is_bounded(self) -> None:
        tasks = self.fake.tasks
        assert len(tasks) <= self.FINISHED + self.most_alive
        assert sum(task.size for task in tasks) <= self.BYTES + self.most_alive_bytes

    @invariant()
    def the_ledger_counts_every_submit(self) -> None:
        entries = list(self.fake.ledger)
        assert self.fake.ledger.total == sum(entry.credits for entry in entries)
        returned = [entry.task_id for entry in entries if entry.reason == "refund"]
        assert len(returned) == len(set(returned))


TestKeeping = Keeping.TestCase
TestKeeping.settings = settings(deadline=None, max_examples=40, stateful_step_count=40)


def test_keys_are_worlds_apart() -> None:
    fake = Fake(any_key=True, running=1)
    mine, theirs = fake.submit(), fake.submit(key="sk-other")
    assert mine != theirs
    assert fake.poll(theirs, key="sk-other")["id"] == theirs
    assert fake.send("GET", status_of(theirs)).status == 404
    assert fake.send("GET", status_of(mine), key="sk-other").status == 404
    other = fake.session_of("sk-other")
    assert (len(fake.tasks), len(other.tasks)) == (1, 1)
    assert (fake.ledger.total, other.ledger.total) == (-10, -10)
    assert (len(fake.journal), len(fake.store.journal(other.name))) == (2, 3)


def test_a_key_that_is_not_welcome_opens_nothing() -> None:
    fake = Fake()
    assert fake.send("POST", SUBMIT, PROMPT, key="sk-other").status == 401
    assert len(fake.store.orphans) == 1


@pytest.mark.parametrize("key", ["a b", "é", "a\n", "x" * 201, "\x7f"])
def test_where_any_key_is_welcome_it_has_to_be_one(key: str) -> None:
    fake = Fake(any_key=True)
    assert fake.send("POST", SUBMIT, PROMPT, key=key).status == 401
    with pytest.raises(ValueError, match="is no API key: a header carries 1 to 200 visible ASCII characters"):
        fake.api.sessions.open(key)


def test_no_key_at_all_is_not_welcome_either() -> None:
    fake = Fake(any_key=True)
    assert fake.send("POST", SUBMIT, PROMPT, key="").status == 401
    with pytest.raises(ValueError, match="is no API key"):
        fake.api.sessions.open("")


def test_of_any_keys_a_thousand_are_kept_and_those_in_which_something_lives() -> None:
    fake = Fake(any_key=True, queued=0)
    fake.next(running=1)
    living = fake.submit()
    idle = fake.submit(key="sk-0")
    for number in range(1, 1_002):
        fake.send("GET", "/?endpoint=task_status&task_id=1", key=f"sk-{number}")
    assert fake.poll(living)["status"] == "processing"
    assert fake.send("GET", status_of(idle), key="sk-0").status == 404


def test_of_any_keys_the_one_in_use_and_the_one_announced_stay() -> None:
    fake = Fake(any_key=True)
    announced, used = fake.submit(), fake.submit(key="sk-used")
    for number in range(1_001):
        fake.send("GET", "/?endpoint=task_status&task_id=1", key=f"sk-{number}")
        assert fake.send("GET", status_of(used), key="sk-used").status == 200
    assert fake.send("GET", status_of(announced)).status == 200


def test_a_guest_who_leaves_while_room_is_made_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    class Leaving(EnteredSession):
        def __enter__(self) -> Session:
            fake.api.sessions.close("sk-first")  # as another thread may, just now
            return super().__enter__()

    fake = Fake(any_key=True)
    monkeypatch.setattr(registry, "MAX_GUEST_SESSIONS", 1)
    fake.submit(key="sk-first")
    monkeypatch.setattr(registry, "EnteredSession", Leaving)
    fake.submit(key="sk-second")
    names = fake.store.names()
    assert [fingerprint(key) in names for key in ("sk-first", "sk-second")] == [False, True]


def test_a_session_that_is_closed_under_a_request_is_unknown_to_it() -> None:
    class Closing(MemoryStore):
        def look(self, name: str) -> SessionState | None:
            state = super().look(name)
            with self.transaction(name) as transaction:
                transaction.end()
            return state

    fake = Fake(store=Closing())
    assert fake.send("GET", status_of("x")).status == 401
    assert len(fake.store.orphans) == 1


def test_a_task_that_failed_unseen_is_paid_back_when_it_failed() -> None:
    fake = Fake(queued=1, running=2, fail_rate=1)
    fake.submit()
    fake.clock.advance(60)
    assert [(entry.at, entry.credits) for entry in fake.session.ledger] == [(0, -10), (3, 10)]
    assert fake.session.ledger.total == 0


def test_a_task_that_is_looked_at_just_before_it_fails_is_paid_back_once_it_has() -> None:
    fake = Fake(queued=1, running=2, fail_rate=1)
    fake.submit()
    fake.clock.advance(3 - 5e-7)
    assert fake.session.ledger.total == -10
    fake.clock.advance(1)
    assert [(entry.at, entry.credits) for entry in fake.session.ledger] == [(0, -10), (3, 10)]


def test_a_session_opened_again_begins_anew() -> None:
    fake = Fake(running=1)
    task_id = fake.submit()
    fake.next(id="seven")
    fake.api.sessions.open(fake.key, clock=VirtualClock(50))
    assert (fake.tasks, len(fake.journal), len(fake.ledger)) == ([], 0, 0)
    assert fake.submit() == task_id, "the same seed, the same first id"
    assert fake.tasks[0].submitted == 50


def test_a_closed_session_is_unknown() -> None:
    fake = Fake()
    task_id = fake.submit()
    fake.api.sessions.close(fake.key)
    assert fake.send("GET", status_of(task_id)).status == 401
    assert fake.picture(task_id).status == 404
    assert len(fake.store.orphans) == 2


def test_a_sessions_own_settings_are_its_own() -> None:
    fake = Fake()
    fake.api.sessions.open("sk-slow", Settings(task_profile(queued=5)))
    assert fake.poll(fake.submit())["status"] == "completed"
    assert fake.poll(fake.submit(key="sk-slow"), key="sk-slow")["status"] == "pending"


@pytest.mark.parametrize("axis", list(Axis))
@pytest.mark.parametrize("passed", [0, 1, 2])
def test_a_task_that_is_failed_is_failed_from_now_on(axis: Axis, passed: int) -> None:
    fake = Fake(running=1)
    fake.next(axis=axis, queued=1.5, running=1.7)
    task_id = fake.submit()
    for _ in range(passed):
        fake.poll(task_id)
        fake.clock.advance(1.1)
        fake.session.release(task_id)
    task = fake.session.find(task_id)
    assert task is not None
    before = fake.session.state(task).phase
    assert fake.session.fail(task_id, "no GPU left")
    assert not fake.session.fail(task_id, "another reason")
    [failed] = fake.tasks
    assert fake.session.state(failed).reason == "no GPU left"
    assert failed.timeline.steps[0].phase is before
    assert [entry.at for entry in fake.session.ledger] == [0, fake.clock.now()]
    assert (fake.poll(task_id)["error"], fake.ledger.total) == ("no GPU left", 0)


def test_polls_are_counted_on_every_axis_and_whatever_strikes_them() -> None:
    fake = Fake(running=5)
    task_id = fake.submit()
    fake.session.plan.add("poll#2: http 502")
    statuses = [fake.send("GET", status_of(task_id)).status for _ in range(3)]
    assert (statuses, fake.session.answered(task_id)) == ([200, 502, 200], 3)


def test_nothing_is_counted_of_a_task_that_nobody_asked_about() -> None:
    fake = Fake(polls=(1, 1))
    asked, unasked = fake.submit(), fake.submit()
    fake.poll(asked)
    assert asked in fake.session.data.counts
    assert unasked not in fake.session.data.counts
