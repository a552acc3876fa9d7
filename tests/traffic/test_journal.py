"""Everything seen is kept, within bounds and without keys."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fake import SUBMIT, Fake, status_of
from safelight.contracts import Phase
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.messages import Request
from safelight.mockserver.service.service import Service
from safelight.traffic.exchange import Exchange
from safelight.traffic.journal import Journal

PROMPT: Final = b'{"prompt": "a lamp"}'


def test_exchanges_are_kept_in_their_order_with_what_came_of_them() -> None:
    fake = Fake(running=1)
    task_id = fake.submit(workflow="z-image", cfg=3)
    fake.poll(task_id)
    fake.clock.advance(1)
    fake.poll(task_id)
    fake.picture(task_id)
    seen = [(seen.at, seen.method, seen.operation, seen.status, seen.phase, seen.gap) for seen in fake.journal]
    assert seen == [
        (0, "POST", "image_generation", 200, Phase.RUNNING, None),
        (0, "GET", "task_status", 200, Phase.RUNNING, 0),
        (1, "GET", "task_status", 200, Phase.DONE, 1),
        (1, "GET", "upload", 200, Phase.DONE, 0),
    ]
    assert {seen.task_id for seen in fake.journal} == {task_id}
    assert [advice.pointer for advice in fake.journal[0].advice] == ["/cfg"]


def test_request_and_answer_are_kept_as_they_were_and_a_picture_is_not() -> None:
    fake = Fake()
    reply = fake.send("POST", SUBMIT, PROMPT, {"user-agent": "curl/8"})
    kept = fake.journal[0]
    assert (kept.target, kept.body, kept.answer, kept.media_type) == (SUBMIT, PROMPT, reply.body, "application/json")
    assert kept.headers == {"x-api-key": "...", "content-type": "application/json", "user-agent": "curl/8"}
    fake.picture(fake.tasks[0].id)
    assert (fake.journal[-1].media_type, fake.journal[-1].answer) == ("image/png", b"")


#: Method, target, body, the outcome.
VERDICTS: Final = [
    ("POST", SUBMIT, PROMPT, "ok"),
    ("POST", SUBMIT, b'{"prompt": "a lamp", "width": 4096, "steps": 0}', "image_generation.width.maximum"),
    ("POST", SUBMIT, b"{", "json.syntax"),
    ("POST", SUBMIT, None, "refused"),
    ("GET", SUBMIT, b"", "refused"),
    ("GET", status_of("1"), b"", "refused"),
    ("GET", "/?endpoint=task_status", b"", "task_status.task_id.required"),
]


@pytest.mark.parametrize(("method", "target", "body", "outcome"), VERDICTS)
def test_each_exchange_has_a_verdict(method: str, target: str, body: bytes | None, outcome: str) -> None:
    fake = Fake()
    fake.send(method, target, body)
    assert fake.journal[0].outcome == outcome


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=20))
def test_a_gap_is_the_time_since_the_previous_answer_about_the_same_task(polls: list[tuple[int, int]]) -> None:
    fake = Fake()
    ids = [fake.submit() for _ in range(3)]
    for which, wait in polls:
        fake.clock.advance(wait)
        fake.poll(ids[which])
    for task_id in ids:
        about = [seen for seen in fake.journal if seen.task_id == task_id]
        assert about[0].gap is None
        assert all(after.gap == after.at - before.at for before, after in pairwise(about))


def test_what_is_no_task_has_no_gap() -> None:
    fake = Fake()
    for _ in range(2):
        fake.send("GET", status_of("null"))
    assert [(seen.task_id, seen.gap) for seen in fake.journal] == [("null", None)] * 2


def exchange(number: int, body: bytes = b"", header: str = "") -> Exchange:
    return Exchange(number, "GET", "/", {"x-long": header}, body, 200, "application/json", b"")


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 8), st.integers(1, 40))
def test_the_journal_is_bounded_in_entries_and_bytes(kilobytes: list[int], most: int, most_kilobytes: int) -> None:
    journal = Journal(max_entries=most, max_bytes=most_kilobytes * 1_000)
    for number, size in enumerate(kilobytes):
        journal.add(exchange(number, size * b"x" * 1_000))
    kept = list(journal)
    assert len(journal) == len(kept) <= most
    assert sum(one.size for one in kept) <= most_kilobytes * 1_000
    assert [one.at for one in kept] == list(range(journal.dropped, len(kilobytes))), "the newest, in their order"
    if journal.dropped and len(kept) < most:
        assert sum(len(one.body) + 1_000 for one in kept) + 11_000 > most_kilobytes * 1_000, "no more than needed"


def test_headers_weigh_too() -> None:
    journal = Journal(max_bytes=1_000_000)
    for number in range(100):
        journal.add(exchange(number, header="x" * 60_000))
    assert len(journal) < 17


def test_requests_without_a_usable_key_are_orphans() -> None:
    fake = Fake()
    task_id = fake.submit()
    fake.send("POST", SUBMIT, PROMPT, key="")
    fake.send("GET", status_of(task_id), key="sk-unknown-to-us")
    fake.send("GET", "/nowhere", key="")
    seen = [(seen.operation, seen.status, seen.gap) for seen in fake.store.orphans]
    assert seen == [("image_generation", 401, None), ("task_status", 401, None), (None, 404, None)]
    assert len(fake.journal) == 1


def test_the_listener_hears_what_the_journal_keeps() -> None:
    heard: list[tuple[str | None, Exchange]] = []
    api = Service(keys=[FAKE_KEY], listener=lambda name, kept: heard.append((name, kept)))
    for headers in ({"x-api-key": FAKE_KEY}, {}):
        api.handle(Request("GET", "/", "endpoint=task_status&task_id=1", headers))
    keys, kept = zip(*heard, strict=True)
    assert keys == (fingerprint(FAKE_KEY), None)
    assert [one.status for one in kept] == [404, 401]


#: Text with the key somewhere in it.
WITH_KEY: Final = st.builds("{}{}{}".format, st.text(max_size=5), st.just(FAKE_KEY), st.text(max_size=5))
HEADER_NAMES: Final = ["authorization", "cookie", "content-type", "host", "referer", "x-other", FAKE_KEY]
AS_HEADER: Final = st.builds(
    "{}{}".format, st.sampled_from(["", "Bearer ", "https://x/?api_key=", "key="]), st.just(FAKE_KEY)
)
BODIES: Final = st.one_of(
    st.just(PROMPT),
    WITH_KEY.map(str.encode),
    st.fixed_dictionaries(
        {"prompt": st.just("a lamp")},
        optional=dict.fromkeys(("api_key", "width", "workflow", "model", FAKE_KEY), WITH_KEY),
    ).map(lambda document: json.dumps(document).encode()),
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Requests of a client that puts its key where it likes."""
    method = draw(st.sampled_from(["POST", "GET", FAKE_KEY]))
    path = draw(st.sampled_from(["/", "/v1/index.php", f"/{FAKE_KEY}", f"/uploads/{FAKE_KEY}/1.png"]))
    endpoint = draw(st.sampled_from(["image_generation", "task_status", FAKE_KEY]))
    rest = draw(st.sampled_from(["", f"&api_key={FAKE_KEY}", f"&task_id={FAKE_KEY}", f"&{FAKE_KEY}=1"]))
    headers = draw(st.dictionaries(st.sampled_from(HEADER_NAMES), AS_HEADER))
    usable = draw(st.sampled_from([{"x-api-key": FAKE_KEY}, {"x-api-key": f"{FAKE_KEY}0"}, {}]))
    return Request(method, path, f"endpoint={endpoint}{rest}", {**headers, **usable}, draw(BODIES))


@given(requests())
@settings(deadline=None, max_examples=300)
@example(Request("GET", "/", "endpoint=task_status&task_id=" + quote(FAKE_KEY), {"x-api-key": FAKE_KEY}))
def test_the_key_is_nowhere_in_what_is_kept(request: Request) -> None:
    fake = Fake()
    fake.api.handle(request)
    (kept,) = [*fake.journal, *fake.store.orphans]
    assert FAKE_KEY not in repr(kept)


def secrets(key: str) -> Iterator[Request]:
    """Ways to send a key that does not look like one, for a request that finds no session with it."""
    document = json.dumps({"api_key": key, "prompt": "a lamp"})
    yield Request("POST", "/", f"api_key={key}&endpoint=image_generation")
    yield Request("POST", "/", "endpoint=image_generation", {}, document.encode())
    yield Request("POST", "/", "endpoint=image_generation", {}, document.replace(":", " :\t").encode())
    yield Request("POST", "/", "endpoint=image_generation", {"authorization": f"Bearer {key}"})
    yield Request("POST", "/", "endpoint=image_generation", {"x-api-key": f"{key}{key}"})


@pytest.mark.parametrize("number", range(5))
def test_orphans_keep_no_key_either(number: int) -> None:
    fake = Fake()
    fake.api.handle([*secrets("correct-horse")][number])
    assert "correct-horse" not in repr([*fake.store.orphans])
    assert len(fake.store.orphans) == 1


@pytest.mark.parametrize("target", ["/?k=%73k-5afe5afe5afe", "/v1/%73k-5afe5afe5afe"])
def test_a_key_is_known_however_it_is_encoded(target: str) -> None:
    fake = Fake(key="sk-5afe5afe5afe")
    fake.send("GET", target)
    assert "5afe" not in fake.journal[-1].target
