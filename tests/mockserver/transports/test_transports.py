"""Three transports, one behaviour: the same facts for each HTTP library through each transport that it fits."""

import asyncio
import json
import subprocess
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any, Final, NamedTuple

import aiohttp
import httpx
import httpx2
import pytest
import requests
import respx

from fake import PNG
from safelight.testing.safelight import Safelight
from sentences import CheckSentence


class Answer(NamedTuple):
    """What a client saw: nothing but the error where there was no answer."""

    status: int
    media_type: str
    body: bytes
    error: str = ""


LOST: Final = "lost"

#: Method, URL, headers and body (None: none) to the answer.
Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]


def _of(response: Any) -> Answer:
    return Answer(response.status_code, response.headers["content-type"], response.content)


def _with_httpx(library: Any, **options: Any) -> Send:
    def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            with library.Client(**options) as client:
                return _of(client.request(method, url, headers=headers, content=body))
        except library.ReadError:
            return Answer(0, "", b"", LOST)

    return send


def _with_async_httpx(library: Any, lost: type[BaseException], **options: Any) -> Send:
    async def asked(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        async with library.AsyncClient(**options) as client:
            return _of(await client.request(method, url, headers=headers, content=body))

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            return asyncio.run(asked(method, url, headers, body))
        except lost:
            return Answer(0, "", b"", LOST)

    return send


def _with_requests(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
    try:
        return _of(requests.request(method, url, headers=headers, data=body, timeout=20))
    except requests.ConnectionError:
        return Answer(0, "", b"", LOST)


def _with_urllib(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
    asked = urllib.request.Request(url, body, dict(headers), method=method)
    try:
        with urllib.request.urlopen(asked) as answer:
            return Answer(answer.status, answer.headers["content-type"], answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers["content-type"], error.read())
    except (OSError, HTTPException):
        return Answer(0, "", b"", LOST)


def _with_aiohttp(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
    async def asked() -> Answer:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, data=body) as answer,
        ):
            return Answer(answer.status, answer.headers["content-type"], await answer.read())

    try:
        return asyncio.run(asked())
    except aiohttp.ClientError:
        return Answer(0, "", b"", LOST)


#: Asks with `fetch` for what stands in its arguments, and prints the answer.
NODE: Final = """
const [method, url, headers, body] = JSON.parse(process.argv[1]);
fetch(url, {method, headers, body: body ?? undefined}).then(async answer => {
  const bytes = Buffer.from(await answer.arrayBuffer()).toString("base64");
  console.log(JSON.stringify([answer.status, answer.headers.get("content-type"), bytes]));
}, () => console.log("null"));
"""


def _with_node(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
    told = json.dumps([method, url, dict(headers), None if body is None else body.decode()])
    printed = subprocess.run(["node", "-e", NODE, told], capture_output=True, check=True, timeout=20).stdout
    found = json.loads(printed)
    if found is None:
        return Answer(0, "", b"", LOST)
    return Answer(found[0], found[1], b64decode(found[2]))


#: A transport, which gives a client while it is open.
Transport = Callable[[Safelight], Any]


def _live(send: Send) -> Transport:
    @contextmanager
    def transport(_: Safelight) -> Iterator[Send]:
        yield send

    return transport


def _routed(send: Send) -> Transport:
    @contextmanager
    def transport(api: Safelight) -> Iterator[Send]:
        with api.respx:
            yield send

    return transport


def _transported(library: Any, make: Callable[..., Send], *lost: Any) -> Transport:
    @contextmanager
    def transport(api: Safelight) -> Iterator[Send]:
        yield make(library, *lost, transport=api.transport(library))

    return transport


def _through_asgi(library: Any) -> Transport:
    @contextmanager
    def transport(api: Safelight) -> Iterator[Send]:
        transport = library.ASGITransport(api.asgi)
        yield _with_async_httpx(library, ConnectionResetError, transport=transport)

    return transport


TRANSPORTS: Final[Mapping[str, Transport]] = {
    "socket, httpx": _live(_with_httpx(httpx)),
    "socket, httpx async": _live(_with_async_httpx(httpx, httpx.ReadError)),
    "socket, httpx2": _live(_with_httpx(httpx2)),
    "socket, requests": _live(_with_requests),
    "socket, urllib": _live(_with_urllib),
    "socket, aiohttp": _live(_with_aiohttp),
    "socket, node": _live(_with_node),
    "respx, httpx": _routed(_with_httpx(httpx)),
    "respx, httpx async": _routed(_with_async_httpx(httpx, httpx.ReadError)),
    "transport, httpx": _transported(httpx, _with_httpx),
    "transport, httpx async": _transported(httpx, _with_async_httpx, httpx.ReadError),
    "transport, httpx2": _transported(httpx2, _with_httpx),
    "transport, httpx2 async": _transported(httpx2, _with_async_httpx, httpx2.ReadError),
    "ASGI, httpx async": _through_asgi(httpx),
    "ASGI, httpx2 async": _through_asgi(httpx2),
}

PARAMETERS: Final = [
    pytest.param(name, marks=pytest.mark.needs("node") if "node" in name else ()) for name in TRANSPORTS
]


@pytest.fixture(params=PARAMETERS)
def transport(request: pytest.FixtureRequest) -> Transport:
    return TRANSPORTS[request.param]


class Client:
    """A client of the API by way of one library and one transport."""

    def __init__(self, api: Safelight, send: Send) -> None:
        self.api, self.send = api, send

    def call(self, method: str, query: str, document: Any = None, key: str | None = None) -> Answer:
        body = None if document is None else json.dumps(document).encode()
        headers = {"x-api-key": key or self.api.api_key, "content-type": "application/json"}
        return self.send(method, f"{self.api.url}?endpoint={query}", headers, body)

    def submit(self, **parameters: Any) -> Answer:
        return self.call("POST", "image_generation", {"prompt": "a lamp", **parameters})

    def poll(self, task_id: str) -> Answer:
        return self.call("GET", f"task_status&task_id={task_id}")

    def data(self, answer: Answer) -> Any:
        assert answer.status == 200, answer
        return json.loads(answer.body)["data"]


def test_a_task_goes_from_submit_to_picture(transport: Transport) -> None:
    with Safelight() as api, transport(api) as send:
        client = Client(api, send)
        task_id = client.data(client.submit(width=16, height=16, prompt="É \N{CAT}"))["id"]
        answers = [client.data(client.poll(task_id)) for _ in range(3)]
        assert [answer["status"] for answer in answers] == ["pending", "processing", "completed"]
        url = answers[-1]["result"]["image_url"]
        assert url.startswith(api.url.replace("/v1/index.php", "/uploads/"))
        picture = send("GET", url, {}, None)
        assert (picture.status, picture.media_type, picture.body[:8]) == (200, "image/png", PNG)
        api.assert_submitted(prompt="É \N{CAT}")
        assert [exchange.operation for exchange in api.journal] == [
            "image_generation",
            *["task_status"] * 3,
            "upload",
        ]
        assert {exchange.outcome for exchange in api.journal} == {"ok"}


def test_what_is_wrong_is_answered_and_written_down(transport: Transport) -> None:
    with Safelight() as api, transport(api) as send:
        client = Client(api, send)
        wrong = client.submit(width=2049)
        assert (wrong.status, wrong.media_type) == (400, "application/json")
        assert "width is 2049" in json.loads(wrong.body)["error"]["message"]
        assert client.call("POST", "image_generation", {"prompt": "a"}, key="sk-other").status == 401
        assert client.poll("null").status == 404
        assert [exchange.status for exchange in api.journal] == [400, 404]
        assert len(api.orphans) == 1


def test_what_is_planned_strikes(transport: Transport) -> None:
    # No reset of a poll: aiohttp asks again by itself where nothing is at stake.
    plan = ["submit#1: http 503", "submit#2: reset after", "poll#2: garbled", "poll#3: http 502"]
    with Safelight(faults=plan) as api, transport(api) as send:
        client = Client(api, send)
        assert client.submit().status == 503
        assert client.submit().error == LOST
        assert [entry.credits for entry in api.ledger] == [-10], "the second was accepted and paid"
        (task,) = api.tasks
        answers = [client.poll(task.id) for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 502, 200]
        with pytest.raises(json.JSONDecodeError):
            json.loads(answers[1].body)
        assert client.data(answers[3])["status"] == "completed"
        assert [exchange.fault for exchange in api.journal] == [*plan[:2], "", *plan[2:], ""]
        assert api.plan.undelivered() == []


def test_a_router_takes_routes_of_ones_own_before_those_of_the_fake() -> None:
    with Safelight() as api, api.respx as router:
        other = router.get("https://cdn.example/a.png").respond(204)
        router.get(api.url, params={"endpoint": "user_balance"}).respond(json={"data": None})
        assert httpx.get("https://cdn.example/a.png").status_code == 204
        assert other.called
        assert httpx.get(f"{api.url}?endpoint=user_balance").json() == {"data": None}
        assert httpx.get(f"{api.url}?endpoint=task_status").status_code == 401


def test_a_router_refuses_what_it_was_not_told_of() -> None:
    with Safelight() as api, api.respx:
        with pytest.raises(respx.models.AllMockedAssertionError):
            httpx.get("https://other.example/")
        with pytest.raises(respx.models.AllMockedAssertionError):
            httpx.get(api.url.replace("127.0.0.1", "127.0.0.2"))


def test_a_router_goes_with_routers_around_it_and_within_it() -> None:
    with Safelight() as api, respx.mock() as outer, api.respx, respx.mock() as inner:
        outer.get("https://outer.example/").respond(201)
        inner.get("https://inner.example/").respond(202)
        assert httpx.get("https://outer.example/").status_code == 201
        assert httpx.get("https://inner.example/").status_code == 202
        assert httpx.get(api.url).status_code == 404


def test_a_router_says_which_of_ones_own_routes_were_not_called() -> None:
    with Safelight() as api, pytest.raises(AssertionError, match="some routes were not called"), api.respx as router:
        router.get("https://cdn.example/a.png").respond(204)


def test_a_router_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with Safelight() as api, api.respx:
        monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a socket was connected"))
        assert httpx.get(api.url).status_code == 404


@pytest.mark.parametrize("library", [requests, json])
def test_what_has_no_transports_is_refused(library: Any, check_sentence: CheckSentence) -> None:
    with pytest.raises(ValueError, match=library.__name__) as refused:
        Safelight().transport(library)
    check_sentence(str(refused.value))


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_picture_has_a_head_without_a_body(library: Any) -> None:
    with Safelight(polls=(0, 0)) as api, library.Client(transport=api.transport(library)) as http:
        headers = {"x-api-key": api.api_key}
        task_id = http.post(f"{api.url}?endpoint=image_generation", headers=headers, json={"prompt": "a"}).json()
        query = {"endpoint": "task_status", "task_id": task_id["data"]["id"]}
        url = http.get(api.url, headers=headers, params=query).json()["data"]["result"]["image_url"]
        head = http.head(url)
        assert (head.status_code, head.headers["content-type"], head.content) == (200, "image/png", b"")
