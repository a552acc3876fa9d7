"""`with Safelight() as api:` is the whole fake for plain Python: a URL, a key, and what was seen."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import httpx
import pytest
import requests

from fake import PNG, size_of
from safelight.contracts import Axis, Phase, Step, Timeline
from safelight.mockserver.model.clock import VirtualClock
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import SLOTS_NEED_SECONDS
from safelight.testing.safelight import Safelight

#: Method, URL, headers, document to send: gives status and body.
Client = Callable[[str, str, Mapping[str, str], Any], tuple[int, bytes]]


def with_requests(method: str, url: str, headers: Mapping[str, str], document: Any) -> tuple[int, bytes]:
    answer = requests.request(method, url, headers=dict(headers), json=document, timeout=10)
    return answer.status_code, answer.content


def with_httpx(method: str, url: str, headers: Mapping[str, str], document: Any) -> tuple[int, bytes]:
    answer = httpx.request(method, url, headers=dict(headers), json=document, timeout=10)
    return answer.status_code, answer.content


def with_urllib(method: str, url: str, headers: Mapping[str, str], document: Any) -> tuple[int, bytes]:
    data = json.dumps(document).encode() if document is not None else None
    try:
        with urlopen(Request(url, data, dict(headers), method=method), timeout=10) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


CLIENTS: Final[list[Client]] = [with_requests, with_httpx, with_urllib]


def submit(api: Safelight, client: Client = with_urllib, **parameters: Any) -> Any:
    document = {"prompt": "a lamp", **parameters}
    status, body = client("POST", f"{api.url}?endpoint=image_generation", {"x-api-key": api.api_key}, document)
    assert status == 200, body
    return json.loads(body)["data"]


def poll(api: Safelight, task_id: str, client: Client = with_urllib) -> Any:
    url = f"{api.url}?endpoint=task_status&task_id={quote(task_id, safe='')}"
    status, body = client("GET", url, {"x-api-key": api.api_key}, None)
    assert status == 200, body
    return json.loads(body)["data"]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_task_is_pending_then_processing_then_completed(client: Client) -> None:
    with Safelight() as api:
        task_id = submit(api, client, width=24, height=16)["id"]
        data = [poll(api, task_id, client) for _ in range(4)]
        assert [one["status"] for one in data] == ["pending", "processing", "completed", "completed"]
        status, png = client("GET", data[-1]["result"]["image_url"], {"Authorization": "Bearer other"}, None)
        assert (status, size_of(png)) == (200, (24, 16))
        assert [seen.operation for seen in api.journal] == ["image_generation", *["task_status"] * 4, "upload"]
        assert {seen.outcome for seen in api.journal} == {"ok"}
        assert (api.ledger.total, [task.id for task in api.tasks]) == (-10, [task_id])


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_without_the_key_is_refused(client: Client) -> None:
    with Safelight() as api:
        status, body = client("POST", f"{api.url}?endpoint=image_generation", {}, {"prompt": "a lamp"})
        assert (status, json.loads(body)["error"]["message"]) == (401, "Unauthorized: Invalid API Key")


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("task_id", ["a b&c=d#é", "007", "9007199254740993", "a/b", "../x", "100%"])
def test_an_odd_id_goes_over_the_wire_and_back(client: Client, task_id: str) -> None:
    with Safelight(running=0) as api:
        api.next(id=task_id)
        assert submit(api, client, width=8, height=8)["id"] == task_id
        url = poll(api, task_id, client)["result"]["image_url"]
        status, png = client("GET", url, {}, None)
        assert (status, png[:8]) == (200, PNG)


def test_the_url_is_that_of_the_service_on_this_machine() -> None:
    with Safelight() as api:
        assert api.url.startswith("http://127.0.0.1:")
        assert api.url.endswith("/v1/index.php")
        assert api.api_key == FAKE_KEY


def test_outside_of_the_block_there_is_no_url() -> None:
    api = Safelight()
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"write `with Safelight\(\) as api:`, and use api.url inside"):
            _ = api.url
        with api:
            assert api.url
    assert [thread.name for thread in threading.enumerate() if thread.name == "safelight"] == []


def test_two_of_them_are_two_worlds() -> None:
    with Safelight() as one, Safelight(api_key="sk-other") as other:
        submit(one)
        assert (len(one.tasks), len(other.tasks)) == (1, 0)
        assert one.url != other.url


def test_what_it_is_told_it_does() -> None:
    with Safelight(queued=1, running="2", vocabulary="plain", clock=VirtualClock()) as api:
        assert isinstance(api.clock, VirtualClock)
        task_id = submit(api, workflow="rr3")["id"]
        words = []
        for _ in range(4):
            words.append(poll(api, task_id)["status"])
            api.clock.advance(1)
        assert words == ["queued", "running", "running", "done"]


def test_failures_slots_and_seed_are_told_too() -> None:
    with Safelight(running=5, slots=1, fail_rate=1, fail_reason="no paper", clock=VirtualClock(), seed=3) as api:
        ids = [submit(api)["id"] for _ in range(2)]
        assert [poll(api, task_id)["status"] for task_id in ids] == ["processing", "pending"]
        assert isinstance(api.clock, VirtualClock)
        api.clock.advance(5)
        assert poll(api, ids[0])["error"] == "no paper"
        assert [entry.credits for entry in api.ledger] == [-10, -10, 10]
        first = ids[0]
    with Safelight(seed=4) as api:
        assert submit(api)["id"] != first


def test_the_next_task_is_told_by_itself() -> None:
    with Safelight() as api:
        life = Timeline((Step(Phase.RUNNING, 1), Step(Phase.FAILED, reason="no")))
        api.next(timeline=life, axis=Axis.TICKS)
        task_id = submit(api)["id"]
        assert poll(api, task_id)["status"] == poll(api, task_id)["status"] == "processing"
        api.release(task_id)
        assert poll(api, task_id)["error"] == "no"


MISTAKES: Final[list[tuple[dict[str, Any], str]]] = [
    ({"queued": "soon"}, "queued: 'soon' is no delay: write 2, 1..3, ~5, ~5/0.8 or never"),
    ({"queued": 1, "polls": (1, 1)}, "time is in seconds or in polls: give queued and running, or polls"),
    ({"slots": 1}, SLOTS_NEED_SECONDS),
    ({"fail_rat": 1}, "fail_rat is no setting; did you mean fail_rate?"),
    ({"port": 99_999}, "port: 99999 is no port: write 0 to 65535"),
    ({"speed": 0}, "speed: 0 is no speed: write 60 for a minute in a second"),
    ({"seed": "x"}, 'seed: "x" is no seed: write a whole number of 64 bits'),
    ({"api_key": ""}, "this is no API key: a header carries 1 to 200 visible ASCII characters"),
]


@pytest.mark.parametrize(("told", "sentence"), MISTAKES)
def test_a_setting_that_cannot_be_is_a_sentence(told: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        Safelight(**told)
    assert str(raised.value) == sentence


def test_the_application_needs_no_socket() -> None:
    api = Safelight()
    transport = httpx.ASGITransport(api.asgi)

    async def submit_here() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://fake") as client:
            headers = {"x-api-key": api.api_key}
            return await client.post("/?endpoint=image_generation", json={"prompt": "a lamp"}, headers=headers)

    assert asyncio.run(submit_here()).json()["data"]["id"] == api.tasks[0].id
