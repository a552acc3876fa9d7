"""The journal reads its exchanges when somebody looks: what it gives is what it would have given at once."""

import json
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.messages import Request
from safelight.mockserver.service.service import Service
from safelight.traffic.exchange import Exchange
from safelight.traffic.journal import Journal

#: Keys that no form tells from other texts.
OWNER: Final = "key-of-the-owner"
OTHER: Final = "key-of-another-one"

SUBMIT: Final = "endpoint=image_generation"


def submit(key: str, prompt: str) -> Request:
    body = json.dumps({"prompt": prompt, "workflow": "z-image", "cfg": 3, OTHER: 1}).encode()
    headers = {"x-api-key": key, "content-type": "application/json", "user-agent": OTHER}
    return Request("POST", "/v1/index.php", SUBMIT, headers, body)


def texts(journal: Journal) -> str:
    return "\n".join(map(repr, journal))


def test_a_key_whose_session_was_closed_or_revoked_before_anybody_looked_is_redacted_all_the_same() -> None:
    api = Service(keys=[OWNER, OTHER])
    api.handle(submit(OWNER, f"a lamp of {OTHER} and {OWNER}"))
    journal = api.sessions.store.journal(fingerprint(OWNER))
    api.sessions.close(OTHER)
    with api.sessions.enter(OWNER) as session:
        session.revoke()
    api.handle(submit(OWNER, f"a lamp of {OWNER}"))
    api.sessions.close(OWNER)
    first, second = texts(journal).split("\n")
    assert OTHER not in first
    assert OWNER not in first + second
    assert "sk-..." in first


def test_a_key_that_nobody_knows_is_redacted_where_it_was_sent() -> None:
    api = Service()
    api.handle(submit(OWNER, f"a lamp of {OWNER}"))
    assert OWNER not in texts(api.sessions.store.journal(None))


def test_an_exchange_says_nothing_of_itself_before_it_is_read() -> None:
    api = Service(keys=[OWNER])
    api.handle(submit(OWNER, f"a lamp of {OWNER}"))
    journal = api.sessions.store.journal(fingerprint(OWNER))
    assert OWNER not in repr(vars(journal))


@given(st.lists(st.sampled_from([OWNER, OTHER, FAKE_KEY, ""]), max_size=8), st.text(max_size=8))
def test_what_is_read_later_is_what_a_listener_was_told_at_once(keys: list[str], prompt: str) -> None:
    told: list[Exchange] = []

    def tell(_: str | None, exchange: Exchange) -> None:
        told.append(exchange._replace(task_id=None, answer=b""))

    at_once, later = (Service(keys=[OWNER, OTHER], clock=VirtualClock, listener=one) for one in (tell, None))
    kept: list[Exchange] = []
    for key in keys:
        at_once.handle(submit(key, prompt))
        later.handle(submit(key, prompt))
        kept.append(later.sessions.store.journal(fingerprint(key) if key in (OWNER, OTHER) else None)[-1])
    assert [exchange._replace(task_id=None, answer=b"") for exchange in kept] == told


def test_an_exchange_is_read_once() -> None:
    api = Service(keys=[OWNER])
    api.handle(submit(OWNER, "a lamp"))
    journal = api.sessions.store.journal(fingerprint(OWNER))
    assert journal[0] is journal[0] is next(iter(journal))
