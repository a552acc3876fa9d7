"""An index gives its places in their order, wherever it is kept, and reads no others."""

from __future__ import annotations

from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import redis_server
from safelight.mockserver.model.index import Index, Place
from safelight.mockserver.storage.codec import decoded, encoded
from safelight.mockserver.storage.database import Changes, Database, Document, FoundPlace, Placed, Row, Wanted
from safelight.mockserver.storage.sqlite import SQLiteDatabase
from safelight.mockserver.storage.stored_index import StoredIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "0123456789abcdef"
TIMES = st.sampled_from([0, -0.0, -1.5, -inf, inf, 1.75e9, 1e-9]) | st.floats(allow_nan=False)
PLACES = st.builds(lambda at, number: Place(at, number, f"\u00e9 {number}"), TIMES, st.integers(1, 2**31))


class Kept:
    """An index that is written and read back now and then."""

    def __init__(self) -> None:
        self.written: set[tuple[str, str]] = set()
        self.index = StoredIndex()

    def write(self) -> None:
        for place, key, is_there in self.index.changes():
            (self.written.add if is_there else self.written.discard)((place, key))
        self.index = decoded(encoded(self.index))
        self.index.find = self.find

    def find(self, after: str, until: str, most: int) -> Iterator[tuple[str, str]]:
        yield from sorted(found for found in self.written if after < found[0] <= until)[:most]


@given(
    st.lists(st.tuples(st.sampled_from(["add", "discard", "write"]), PLACES), max_size=30),
    st.integers(0, 5),
    TIMES,
    st.integers(0, 3),
    TIMES,
)
def test_what_is_written_is_found_as_in_memory(
    actions: list[tuple[str, Place]], most: int, after: float, number: int, until: float
) -> None:
    kept, index = Kept(), Index()
    for action, place in actions:
        match action:
            case "add" if place not in list(index):
                kept.index.add(place)
                index.add(place)
            case "discard" if len(index):
                [first] = index.first(1)
                kept.index.discard(first)
                index.discard(first)
            case "write":
                kept.write()
        assert len(kept.index) == len(index)
    assert list(kept.index.first(100)) == list(index)
    bounds: dict[str, Any] = {"after": (after, number), "until": until}
    assert list(kept.index.first(most, **bounds)) == list(index.first(most, **bounds))
    assert decoded(encoded(index)) == index
    assert list(kept.index.take(most, until=until)) == list(index.take(most, until=until))
    kept.write()
    assert list(kept.index.first(100)) == list(index)
    kept.index.clear()
    kept.write()
    assert (kept.written, len(kept.index)) == (set(), 0)


def test_a_place_that_is_there_is_not_there_twice() -> None:
    index = Index()
    for _ in range(2):
        index.add(Place(1, 1, "a"))
    assert list(index) == [Place(1, 1, "a")]
    index.discard(Place(1, 1, "b"))
    assert len(index) == 1


def _redis() -> Database:
    from safelight.mockserver.storage.redis import RedisDatabase  # noqa: PLC0415

    return RedisDatabase(redis_server.empty())


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.needs("redis-server"))])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made: Callable[[], Database] = _redis if request.param == "redis" else partial(SQLiteDatabase, tmp_path / "x.db")
    database = made()
    yield database
    database.close()


def placed(database: Database, *places: Placed, is_new: bool = False) -> None:
    database.enter(NAME)
    rows = [Row("task", '"b"', "of b"), Row("task", '"a"', None)]
    database.leave(NAME, Changes(Document("settings", "rest"), rows, is_new, places=places))


def test_a_database_finds_the_first_places_with_their_rows(database: Database) -> None:
    zero, one, two, three = (f"{number:032x}" for number in range(4))
    placed(database, *(Placed("ends", place, key, True) for place, key in [(three, '"c"'), (one, '"a"'), (two, '"b"')]))
    found = database.places(NAME, Wanted("ends", zero, three, 2), ["task"])
    assert found == [FoundPlace(one, '"a"', [None]), FoundPlace(two, '"b"', ["of b"])]
    assert [place.key for place in database.places(NAME, Wanted("ends", one, three, 9))] == ['"b"', '"c"']
    assert [place.key for place in database.places(NAME, Wanted("ends", one, two, 9))] == ['"b"']
    assert database.places(NAME, Wanted("ended", zero, three, 9)) == []
    placed(database, Placed("ends", two, '"b"', False), Placed("ends", two, '"d"', True))
    assert [place.key for place in database.places(NAME, Wanted("ends", zero, three, 9))] == ['"a"', '"d"', '"c"']
    placed(database, is_new=True)
    assert database.places(NAME, Wanted("ends", zero, three, 9)) == []
