"""Keys are read in the published ways, the first that is there counts, and none is ever written down."""

import json
from itertools import combinations
from typing import Any, Final

import pytest

from fake import SUBMIT, Fake
from safelight.mockserver.keys import FAKE_KEY, WAYS, sent_key
from safelight.mockserver.messages import Reply, Request

OTHER: Final = "sk-" + 48 * "0"

#: The ways in their order of priority: headers, query and members of the body that bring a key.
BRINGS: Final[list[Any]] = [
    lambda key: ({"x-api-key": key}, "", {}),
    lambda key: ({"authorization": f"Bearer {key}"}, "", {}),
    lambda key: ({}, f"&api_key={key}", {}),
    lambda key: ({}, "", {"api_key": key}),
]


def submit(fake: Fake, *brought: tuple[dict[str, str], str, dict[str, Any]]) -> Reply:
    headers: dict[str, str] = {"content-type": "application/json"}
    query, document = "", {"prompt": "a lamp"}
    for more_headers, more_query, members in brought:
        headers |= more_headers
        query += more_query
        document |= members
    return fake.send("POST", SUBMIT + query, json.dumps(document).encode(), headers, key="")


@pytest.mark.parametrize("brings", BRINGS)
def test_a_key_is_read_in_each_published_way(brings: Any) -> None:
    fake = Fake()
    assert submit(fake, brings(FAKE_KEY)).status == 200
    assert submit(fake, brings(OTHER)).status == 401
    assert len(fake.tasks) == 1


@pytest.mark.parametrize(("first", "second"), list(combinations(range(4), 2)))
def test_the_first_in_priority_counts_whether_it_is_known_or_not(first: int, second: int) -> None:
    fake = Fake()
    assert submit(fake, BRINGS[first](FAKE_KEY), BRINGS[second](OTHER)).status == 200
    assert submit(fake, BRINGS[first](OTHER), BRINGS[second](FAKE_KEY)).status == 401


@pytest.mark.parametrize("brings", BRINGS)
def test_no_key_is_written_down_in_whatever_way_it_came(brings: Any) -> None:
    fake = Fake()
    submit(fake, brings(FAKE_KEY))
    submit(fake, brings(OTHER))
    kept = repr([*fake.journal, *fake.store.orphans, *fake.tasks])
    assert FAKE_KEY not in kept
    assert OTHER not in kept


SENT: Final[list[tuple[dict[str, str], str, bytes | None, str]]] = [
    ({"x-api-key": "  a  "}, "", b"", "a"),
    ({"x-api-key": "  "}, "api_key=b", b"", "b"),
    ({"authorization": "bearer   a"}, "", b"", "a"),
    ({"authorization": "Basic a"}, "", b"", ""),
    ({"authorization": "Bearer"}, "", b"", ""),
    ({}, "api_key=a&api_key=b", b"", "b"),
    ({}, "api%5Fkey=a%2Bb", b"", "a+b"),
    ({}, "api_key=", b'{"api_key": "c"}', "c"),
    ({}, "", b'{"api_key": 5}', ""),
    ({}, "", b'["api_key"]', ""),
    ({}, "", b'{"api_key": "a"', ""),
    ({}, "", None, ""),
]


@pytest.mark.parametrize(("headers", "query", "body", "key"), SENT)
def test_which_key_a_request_brings(headers: dict[str, str], query: str, body: bytes | None, key: str) -> None:
    found, way = sent_key(Request("POST", "/", query, headers, body))
    assert found == key
    assert (way in WAYS) is bool(key)


def test_any_key_may_come_in_any_way() -> None:
    fake = Fake(any_key=True)
    assert [submit(fake, brings(OTHER)).status for brings in BRINGS] == [200] * 4
    assert len(fake.store.world(OTHER).tasks) == 4
