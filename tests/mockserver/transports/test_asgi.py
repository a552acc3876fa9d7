"""The ASGI transport: bytes in, the core's answer out, whatever the bytes are."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any, Final

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi_call import GONE, Answered, body_in, call, scope_of
from fake import PNG, SUBMIT, Fake, status_of, violations
from idle_fake import IdleFake
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.service.service import Service
from safelight.mockserver.transports.asgi import create_app
from safelight.testing import VirtualClock
from safelight.testing.virtual_time import virtual_time

KEYED: Final = [(b"x-api-key", FAKE_KEY.encode()), (b"content-type", b"application/json")]
PROMPT: Final = b'{"prompt": "a lamp", "width": 16, "height": 8}'


def send(
    fake: Fake,
    method: str,
    target: str | bytes,
    *chunks: bytes,
    headers: Iterable[tuple[bytes, bytes]] = KEYED,
    **app: Any,
) -> Answered:
    raw = target if isinstance(target, bytes) else target.encode()
    answered = call(create_app(fake.api, **app), scope_of(method, raw, headers), body_in(*chunks or (b"",)))
    shown = raw.decode("latin-1")
    if method != "HEAD":
        assert violations(shown, answered.status, answered.media_type, answered.body) == []
        assert answered.headers["content-length"] == str(len(answered.body))
    return answered


def test_a_task_goes_from_submit_to_picture() -> None:
    fake = Fake()
    task_id = json.loads(send(fake, "POST", SUBMIT, PROMPT).body)["data"]["id"]
    answered = send(fake, "GET", status_of(task_id))
    url = json.loads(answered.body)["data"]["result"]["image_url"]
    assert url.startswith("http://127.0.0.1:8000/uploads/")
    picture = send(fake, "GET", url.removeprefix("http://127.0.0.1:8000"), headers=[])
    assert picture.body.startswith(PNG)
    assert [answered.headers["cache-control"], picture.headers["cache-control"]] == [
        "no-store",
        "public, max-age=3600",
    ]


def test_head_has_the_headers_of_get_and_no_body() -> None:
    fake = Fake()
    task_id = json.loads(send(fake, "POST", SUBMIT, PROMPT).body)["data"]["id"]
    path = json.loads(send(fake, "GET", status_of(task_id)).body)["data"]["result"]["image_url"][21:]
    head, get = (send(fake, method, path) for method in ("HEAD", "GET"))
    assert head.headers.keys() == get.headers.keys()
    dated = {"date": get.headers["date"]}  # a second may begin between the two
    assert ({**head.headers, **dated}, head.body) == (get.headers, b"")


CONTENT_TYPES: Final = [
    (b"application/json", 0),
    (b"application/json; charset=utf-8", 0),
    (b"APPLICATION/JSON", 0),
    (b"text/plain", 1),
    (b"application/x-www-form-urlencoded", 1),
    (b"multipart/form-data", 1),
    (b"", 1),
    (b"\xff", 1),
]


@pytest.mark.parametrize(("content_type", "advice"), CONTENT_TYPES)
def test_a_body_is_json_whatever_it_is_called(content_type: bytes, advice: int) -> None:
    fake = Fake()
    headers = [KEYED[0], (b"content-type", content_type)]
    assert send(fake, "POST", SUBMIT, PROMPT, headers=headers).status == 200
    assert len(fake.journal[0].advice) == advice


@pytest.mark.parametrize("size", [1, 7, 50])
def test_a_body_may_come_in_chunks(size: int) -> None:
    fake = Fake()
    chunks = [PROMPT[at : at + size] for at in range(0, len(PROMPT), size)]
    assert send(fake, "POST", SUBMIT, *chunks, b"").status == 200
    assert fake.journal[0].body == PROMPT


@pytest.mark.parametrize(("limit", "size", "status"), [(100, 100, 200), (100, 101, 413), (10_000_000, 10_000_001, 413)])
@pytest.mark.parametrize("pieces", [1, 3])
def test_a_body_over_the_limit_is_too_large(limit: int, size: int, status: int, pieces: int) -> None:
    fake, body = Fake(), PROMPT.ljust(size)
    each = -(-size // pieces)
    chunks = [body[at : at + each] for at in range(0, size, each)]
    assert send(fake, "POST", SUBMIT, *chunks, body_limit=limit).status == status
    assert len(fake.tasks) == (status == 200)


@pytest.mark.parametrize(
    "before", [[], [b""], [PROMPT], [PROMPT, b" "], [PROMPT[:9]]], ids=["nothing", "empty", "all", "more", "a part"]
)
def test_a_client_that_leaves_in_the_middle_of_a_body_books_nothing(before: list[bytes]) -> None:
    fake = Fake()
    messages: list[dict[str, Any]] = [
        *({"type": "http.request", "body": chunk, "more_body": True} for chunk in before),
        GONE,
    ]
    answered = call(create_app(fake.api), scope_of("POST", SUBMIT.encode(), KEYED), messages)
    assert (answered.status, fake.tasks, len(fake.journal)) == (0, [], 0)


async def _sends_without_end() -> dict[str, Any]:
    return {"type": "http.request", "body": bytes(50_000_000), "more_body": True}


async def _sends_no_more() -> dict[str, Any]:
    await asyncio.Event().wait()
    return GONE


@pytest.mark.parametrize("receive", [_sends_without_end, _sends_no_more])
def test_the_rest_of_a_body_that_was_answered_is_not_waited_for_long(receive: Any) -> None:
    """On a clock that leaps: what sends without end is cut off by its bytes, and what sends no more by the time."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    length = (b"content-length", b"%d" % 10**15)
    with virtual_time(clock := VirtualClock(), IdleFake()):
        asyncio.run(create_app(Fake().api)(scope_of("POST", SUBMIT.encode(), [*KEYED, length]), receive, send))
    assert [message.get("status") for message in sent] == [413, None, None]
    assert clock.now() == (0 if receive is _sends_without_end else 10)


def test_of_a_body_that_its_last_piece_makes_too_large_nothing_is_left_to_wait_for() -> None:
    pieces = iter(body_in(bytes(60), bytes(60)))

    async def receive() -> Any:
        return next(pieces)  # a third time it breaks

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(create_app(Fake().api, body_limit=100)(scope_of("POST", SUBMIT.encode(), KEYED), receive, send))
    assert [message.get("status") for message in sent] == [413, None, None]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (b"fake.example", "http://fake.example"),
        (b"fake.example:8080", "http://fake.example:8080"),
        (b"[::1]:80", "http://[::1]:80"),
        (b"", "http://127.0.0.1:8000"),
        (b"evil.example/path", "http://127.0.0.1:8000"),
        (b"user@evil.example", "http://127.0.0.1:8000"),
        (b'"><script>', "http://127.0.0.1:8000"),
        (b"a b", "http://127.0.0.1:8000"),
        (b"\xe9.example", "http://127.0.0.1:8000"),
        (b"a:b:c", "http://127.0.0.1:8000"),
        (b"a" * 300, "http://127.0.0.1:8000"),
    ],
)
def test_the_pictures_url_starts_with_the_host_that_was_asked_where_it_is_one(host: bytes, origin: str) -> None:
    fake = Fake()
    answered = send(fake, "GET", status_of(fake.submit()), headers=[*KEYED, (b"host", host)])
    assert json.loads(answered.body)["data"]["result"]["image_url"].startswith(f"{origin}/uploads/")


def test_the_first_of_two_keys_counts() -> None:
    fake = Fake()
    other = (b"x-api-key", b"sk-other")
    assert send(fake, "POST", SUBMIT, PROMPT, headers=[KEYED[0], other]).status == 200
    assert send(fake, "POST", SUBMIT, PROMPT, headers=[other, KEYED[0]]).status == 401


ABSURD: Final[dict[str, list[tuple[bytes, bytes]]]] = {
    "a header of 100 kB": [*KEYED, (b"x-long", b"x" * 100_000)],
    "a thousand headers": [*KEYED, *((b"x-%d" % number, b"1") for number in range(1_000))],
    "a NUL": [*KEYED, (b"x-nul", b"\x00")],
    "no ASCII": [*KEYED, (b"x-\xff", b"\xff\xfe")],
    "no name": [*KEYED, (b"", b"")],
    "no origin": [*KEYED, (b"origin", b"null")],
}


@pytest.mark.parametrize("headers", ABSURD.values(), ids=ABSURD.keys())
def test_absurd_headers_do_no_harm(headers: list[tuple[bytes, bytes]]) -> None:
    fake = Fake()
    assert send(fake, "POST", SUBMIT, PROMPT, headers=headers).status == 200
    assert send(fake, "POST", SUBMIT, PROMPT, headers=headers[2:]).status == 401


@pytest.mark.parametrize("task_id", [b"x" * 10_000, b"../x", b"%00", b"\x00", b"%ff", b"\xc3\xa9", b"%", b"1%2", b"+"])
def test_any_task_id_is_just_unknown(task_id: bytes) -> None:
    assert send(Fake(), "GET", b"/?endpoint=task_status&task_id=" + task_id).status == 404


def test_other_applications_may_leave_out_the_raw_path() -> None:
    fake = Fake()
    scope = scope_of("GET", status_of(fake.submit()).encode(), KEYED) | {"raw_path": None}
    assert call(create_app(fake.api), scope).status == 200
    odd = {**scope, "path": "/é\ud7ff"}
    assert call(create_app(fake.api), odd).status == 404


def test_a_web_socket_is_closed() -> None:
    scope = {**scope_of("GET", b"/"), "type": "websocket", "scheme": "ws", "subprotocols": []}
    assert call(create_app(Fake().api), scope) == Answered()


def test_a_page_of_any_origin_may_use_it_with_cors() -> None:
    asked = [
        (b"origin", b"https://page.example"),
        (b"access-control-request-method", b"POST"),
        (b"access-control-request-headers", b"x-api-key,content-type"),
    ]
    fake = Fake()
    app = create_app(fake.api, cors=True)
    allowed = call(app, scope_of("OPTIONS", SUBMIT.encode(), asked))
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, "*")
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "x-api-key" in allowed.headers["access-control-allow-headers"].casefold()
    answered = call(app, scope_of("POST", SUBMIT.encode(), [*KEYED, asked[0]]), body_in(PROMPT))
    assert (answered.status, answered.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize("headers", [[], [(b"origin", b"https://page.example")]])
def test_with_cors_no_cache_takes_an_answer_that_no_page_may_read_for_one(headers: list[tuple[bytes, bytes]]) -> None:
    answered = call(create_app(Fake().api, cors=True), scope_of("GET", b"/uploads/0123456789abcdef/1.png", headers))
    assert answered.headers["vary"] == "Origin"


def test_without_cors_a_page_is_allowed_nothing() -> None:
    headers = [(b"origin", b"https://page.example"), (b"access-control-request-method", b"POST")]
    answered = send(Fake(), "OPTIONS", SUBMIT, headers=headers)
    assert answered.status == 405
    assert not [name for name in answered.headers if name.startswith("access-control")]


def test_httpx_talks_to_the_application_without_a_socket() -> None:
    fake = Fake()

    async def submit() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(fake.api))
        async with httpx.AsyncClient(transport=transport, base_url="http://fake.example") as client:
            return await client.post(SUBMIT, json={"prompt": "a lamp"}, headers={"x-api-key": FAKE_KEY})

    assert asyncio.run(submit()).json()["data"]["id"] == fake.tasks[0].id


TARGETS: Final = st.one_of(
    st.sampled_from([SUBMIT.encode(), status_of("1").encode(), b"/?endpoint=", b"/uploads/778615fe/", b"/"]),
    st.binary(),
)
HEADERS: Final = st.lists(
    st.tuples(st.sampled_from([b"host", b"content-type", b"x-api-key", b"cookie"]) | st.binary(), st.binary())
)
CHUNKS: Final = st.lists(st.sampled_from([PROMPT, b"{", b'"', b"[" * 5_000, b"\xef\xbb\xbf"]) | st.binary(), min_size=1)


@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "Ω"]),
    target=st.builds(bytes.__add__, TARGETS, st.binary()),
    headers=HEADERS,
    chunks=CHUNKS,
    keyed=st.booleans(),
)
@settings(deadline=None, max_examples=400)
def test_whatever_bytes_come_the_answer_is_an_envelope(
    method: str, target: bytes, headers: list[tuple[bytes, bytes]], chunks: list[bytes], *, keyed: bool
) -> None:
    answered = send(Fake(), method, target, *chunks, headers=[*(KEYED if keyed else ()), *headers])
    assert answered.status in {200, 400, 401, 404, 405}


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ([(b"access-control-request-method", b"BREW")], 'no page may send the method "BREW"; it may send '),
        (
            [(b"access-control-request-method", b"GET"), (b"access-control-request-private-network", b"true")],
            "open the page from this machine",
        ),
    ],
)
def test_a_preflight_that_is_refused_says_why_in_the_envelope(headers: list[tuple[bytes, bytes]], says: str) -> None:
    app = create_app(Service(), cors=True)
    answered = call(app, scope_of("OPTIONS", b"/v1/index.php", [(b"origin", b"http://page.example"), *headers]))
    assert (answered.status, answered.media_type) == (400, "application/json")
    assert says in json.loads(answered.body)["error"]["message"]
    assert answered.headers["access-control-allow-origin"] == "*"
