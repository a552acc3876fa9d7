"""Keys are read in the published ways, the first that is there counts, and none is ever written down."""

import json
from hashlib import sha256
from itertools import combinations
from typing import Any, Final

import pytest

from fake import SUBMIT, Fake
from safelight.mockserver.model.keys import FAKE_KEY, WAYS, sent_key
from safelight.mockserver.model.messages import Reply, Request

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
    assert len(fake.session_of(OTHER).tasks) == 4


#: A key that is nobody's here, and how it hides: the target and the body of a request that is kept.
SPELLED: Final[dict[str, tuple[str, bytes]]] = {
    "in the path": (f"/a/{OTHER.replace('-', '%2D')}", b""),
    "percent-encoded in a query": (f"/?endpoint=image_generation&token={OTHER.replace('0', '%30', 9)}", b"{}"),
    "under a name that is percent-encoded": ("/?endpoint=image_generation&api%5Fkey=real%2Dkey%2D1234", b"{}"),
    "percent-encoded twice": (f"/?endpoint=image_generation&token={OTHER.replace('0', '%2530', 9)}", b"{}"),
    "percent-encoded in a body": (SUBMIT, f'{{"prompt": "{OTHER.replace("-", "%2D")}"}}'.encode()),
    "escaped in a body": (SUBMIT, f'{{"prompt": "{OTHER.replace("s", chr(92) + "u0073")}"}}'.encode()),
}


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("name", SPELLED)
def test_no_spelling_of_a_key_is_kept(name: str, *, own: bool) -> None:
    target, body = SPELLED[name]
    fake = Fake(key=OTHER if own else FAKE_KEY)
    fake.send("POST", target, body, key=fake.key)
    kept = str(fake.journal[0]) + str(list(fake.store.orphans))
    for secret in (
        OTHER,
        OTHER.replace("-", "%2D"),
        OTHER[:20],
        "real%2Dkey%2D1234",
        "real-key-1234",
        "%30%30",
        "%2530%2530",
    ):
        assert secret not in kept


def test_what_stands_after_a_key_in_a_body_is_kept() -> None:
    fake = Fake()
    fake.data("image_editing", image="https://cdn.example.com/x.png?api_key=abc", prompt="x", seed=7)
    assert json.loads(fake.journal[0].body) == {
        "image": "https://cdn.example.com/x.png?api_key=sk-...",
        "prompt": "x",
        "seed": 7,
    }


def test_the_key_of_one_who_fetches_anothers_picture_is_not_kept() -> None:
    fake = Fake(any_key=True)
    task_id = fake.submit(width=8, height=8)
    path = f"/uploads/{fake.picture_owner}/{task_id}.png?token=bob-secret-key-22"
    fake.send("GET", path, key="bob-secret-key-22")
    assert "bob-secret" not in str(fake.journal[-1])


def test_a_key_is_looked_up_by_its_digest() -> None:
    fake = Fake()
    assert fake.store.names() == [sha256(FAKE_KEY.encode()).hexdigest()[:16]]
