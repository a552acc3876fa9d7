"""What every kind of store does: sessions begin, change within transactions, and end; exchanges are kept."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from json_store import STORE_NAMES, STORES
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.session_state import Bounds, SessionState
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.sessions.session import EnteredSession, new_state
from safelight.mockserver.storage.store import NoSession, Store
from safelight.traffic.exchange import Exchange
from safelight.traffic.journal import MAX_ENTRIES, MAX_NUMBER

NAME = "0123456789abcdef"
EXCHANGE = Exchange(0, "GET", "/", {}, b"", 200, "application/json", b"{}")


def state() -> SessionState:
    return new_state("sk-key", Settings(plan=("poll#2: http 502",)), VirtualClock(), 7, Bounds())


@pytest.fixture(params=STORE_NAMES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


@pytest.fixture
def having(store: Store) -> Store:
    """A store with one session."""
    with store.transaction(NAME) as transaction:
        transaction.begin(state())
    return store


def test_a_session_begins_in_a_transaction(store: Store) -> None:
    assert (store.look(NAME), list(store.names())) == (None, [])
    with store.transaction(NAME) as transaction:
        assert transaction.state is None
        transaction.begin(state())
    found = store.look(NAME)
    assert found is not None
    assert (found.key, found.seed, list(store.names())) == ("sk-key", 7, [NAME])


def test_a_transaction_that_begins_nothing_leaves_nothing(store: Store) -> None:
    with store.transaction(NAME):
        pass
    assert list(store.names()) == []
    with pytest.raises(NoSession), EnteredSession(store, NAME):
        pass


def test_what_a_transaction_changes_is_seen_by_the_next(having: Store) -> None:
    with having.transaction(NAME) as transaction:
        assert transaction.state is not None
        transaction.state.submits["rr3"] = 2
    with having.transaction(NAME) as transaction:
        assert transaction.state is not None
        assert transaction.state.submits == {"rr3": 2}


def test_what_was_changed_before_an_error_is_kept(having: Store) -> None:
    """A refusal is an error too, and what was booked before it has happened."""
    with suppress(ZeroDivisionError), having.transaction(NAME) as transaction:
        assert transaction.state is not None
        transaction.state.submits["rr3"] = 1 + 1
        transaction.state.submits["rr3"] //= 0
    found = having.look(NAME)
    assert found is not None
    assert found.submits == {"rr3": 2}


def test_a_thread_enters_a_session_that_it_has_entered(having: Store) -> None:
    with having.transaction(NAME) as outer:
        with having.transaction(NAME) as inner:
            assert inner.state is not None
            inner.state.submits["rr3"] = 2
        assert outer.state is not None
        assert outer.state.submits == {"rr3": 2}


def test_another_thread_waits_until_the_block_ends(having: Store) -> None:
    entered_by_other = Event()

    def other() -> None:
        with having.transaction(NAME):
            entered_by_other.set()

    with having.transaction(NAME):
        waiting = Thread(target=other)
        waiting.start()
        assert not entered_by_other.wait(0.05)
    waiting.join(10)
    assert entered_by_other.is_set()


def test_an_ended_session_is_gone_with_its_journal(having: Store) -> None:
    having.record(NAME, EXCHANGE)
    with having.transaction(NAME) as transaction:
        transaction.end()
        assert transaction.state is None
    assert (having.look(NAME), list(having.names())) == (None, [])
    with pytest.raises(NoSession):
        having.journal(NAME)


def test_a_session_that_begins_anew_has_nothing_of_the_one_before(having: Store) -> None:
    having.record(NAME, EXCHANGE)
    before = having.look(NAME)
    with having.transaction(NAME) as transaction:
        transaction.begin(state())
    after = having.look(NAME)
    assert before is not None
    assert after is not None
    assert len(having.journal(NAME)) == 0
    assert before.identity != after.identity


def test_exchanges_are_kept_in_their_order_each_with_its_session(having: Store) -> None:
    for name, target in ((NAME, "/1"), (None, "/2"), ("of nobody", "/3"), (NAME, "/4")):
        having.record(name, EXCHANGE._replace(target=target))
    assert [exchange.target for exchange in having.journal(NAME)] == ["/1", "/4"]
    assert [exchange.target for exchange in having.journal(None)] == ["/2", "/3"]


def test_a_part_of_a_journal_has_what_comes_after_a_number_and_others_as_they_are_by_now(having: Store) -> None:
    kept = [EXCHANGE._replace(target=f"/{number}") for number in range(1, 6)]
    for exchange in kept:
        having.record(NAME, exchange)
    having.record(NAME, kept[1]._replace(took=1.5), kept[1])
    part = having.part(NAME, 3, again=[2, 5, 9])
    assert (part.dropped, part.last) == (0, 5)
    found = [(number, exchange.target, exchange.took) for number, exchange in part.numbered]
    assert found == [(2, "/2", 1.5), (4, "/4", None), (5, "/5", None)]
    assert list(having.part(NAME, MAX_NUMBER).numbered) == []
    assert having.part(None, 0).last == 0
    with pytest.raises(NoSession):
        having.part("of nobody", 0)


def test_exchanges_have_the_same_numbers_when_the_oldest_went_and_others_were_replaced(having: Store) -> None:
    with having.transaction(NAME):
        for number in range(1, MAX_ENTRIES + 4):
            exchange = EXCHANGE._replace(target=f"/{number}")
            having.record(NAME, exchange)
            having.record(NAME, exchange._replace(took=1.5), exchange)
    part = having.part(NAME, MAX_ENTRIES + 1, again=[2, 4])
    assert (part.dropped, part.last) == (3, MAX_ENTRIES + 3)
    found = [(number, exchange.target, exchange.took) for number, exchange in part.numbered]
    assert found == [(number, f"/{number}", 1.5) for number in (4, MAX_ENTRIES + 2, MAX_ENTRIES + 3)]
    assert (len(having.journal(NAME)), having.journal(NAME).dropped) == (MAX_ENTRIES, 3)


def test_a_name_says_nothing_of_the_key(having: Store) -> None:
    assert "sk-key" not in repr(having.look(NAME))
