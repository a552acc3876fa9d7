"""The store is bounded by finished tasks alone: the oldest go first, and a living task never does."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import settings

from fake import SUBMIT, Fake, status_of
from keeping import Keeping, indexed, kept
from safelight.contracts import Axis
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.session_state import Bounds, SessionState
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions import registry
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.sessions.session import EnteredSession, Session
from safelight.mockserver.storage.memory import MemoryStore

PROMPT: Final = b'{"prompt": "a lamp"}'


#: The order of tasks in memory, and in a database.
ORDERS: Final = [Fake, indexed]


def test_the_oldest_finished_tasks_go_first() -> None:
    fake = Fake(bounds=Bounds(max_finished_tasks=10))
    ids = [fake.submit() for _ in range(10)]
    assert kept(fake) == list(range(1, 11))
    ids.append(fake.submit())
    assert kept(fake) == list(range(3, 12)), "a tenth more than needed"
    assert [fake.send("GET", status_of(task_id)).status for task_id in ids[:4]] == [404, 404, 200, 200]


@pytest.mark.parametrize("made", ORDERS)
def test_bytes_are_bounded_too(made: Callable[..., Fake]) -> None:
    fake = made(bounds=Bounds(max_task_bytes=10_000))
    for _ in range(11):
        fake.submit(prompt="x" * 980)
    assert kept(fake)[-1] == 11
    assert sum(task.size for task in fake.tasks) <= 10_000
    assert kept(fake)[0] > 1, "of so many bytes, the oldest have gone"


#: What tasks are like, and what makes one end.
ENDS: Final[list[tuple[dict[str, Any], Callable[[Fake, str], object]]]] = [
    ({"running": 1}, lambda fake, _: fake.clock.advance(1)),
    ({"queued": 1}, lambda fake, _: fake.clock.advance(1)),
    ({"polls": (0, 1)}, lambda fake, task_id: (fake.poll(task_id), fake.poll(task_id))),
    ({"running": 1, "fail_rate": 1}, lambda fake, _: fake.clock.advance(1)),
]


@pytest.mark.parametrize("made", ORDERS)
@pytest.mark.parametrize(("options", "end"), ENDS)
def test_a_living_task_stays_until_it_ends(
    made: Callable[..., Fake], options: dict[str, Any], end: Callable[[Fake, str], object]
) -> None:
    fake = made(bounds=Bounds(3, 1), **options)
    task_id = fake.submit()
    for _ in range(20):
        fake.next(queued=0, running=0)
        fake.submit()
    assert kept(fake)[0] == 1
    end(fake, task_id)
    fake.submit()
    assert 1 not in kept(fake)


@pytest.mark.parametrize("made", ORDERS)
def test_the_price_of_a_failed_task_is_returned_before_it_is_forgotten(made: Callable[..., Fake]) -> None:
    fake = made(bounds=Bounds(max_finished_tasks=2), fail_rate=1)
    ids = [fake.submit() for _ in range(20)]
    for task_id in ids[-1:] * 2:
        assert fake.word(task_id) == "failed"
    returned = [entry.task_id for entry in fake.ledger if entry.reason == "refund"]
    assert sorted(returned) == sorted([*ids[: -len(fake.tasks)], ids[-1]])


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
