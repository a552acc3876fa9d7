"""The fake's paths for each operation: beside the real entry points, where they are asked for."""

import json

import pytest

from safelight.contracts import VERSION, openapi
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.messages import Reply, Request
from safelight.mockserver.service.service import Service
from safelight.mockserver.storage.memory import MemoryStore


def send(api: Service, method: str, target: str, body: bytes = b"") -> Reply:
    path, _, query = target.partition("?")
    return api.handle(Request(method, path, query, {"x-api-key": FAKE_KEY, "content-type": "application/json"}, body))


@pytest.fixture
def api() -> Service:
    return Service(keys=[FAKE_KEY], openapi_paths=True)


def test_a_task_is_submitted_and_polled_at_its_paths(api: Service) -> None:
    submitted = json.loads(send(api, "POST", "/v1/image_generation", b'{"prompt": "a lamp"}').body)["data"]
    polled = [
        json.loads(send(api, "GET", target + submitted["id"]).body)["data"]
        for target in ("/v1/task_status?task_id=", "/v1/index.php?endpoint=task_status&task_id=")
    ]
    assert [(task["id"], task["status"]) for task in polled] == 2 * [(submitted["id"], "completed")]


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "/v1/image_generation", 400),
        ("GET", "/v1/image_generation", 405),
        ("GET", "/v1/task_status", 400),
        ("GET", "/v1/task_status?endpoint=user_balance", 400),
        ("GET", "/v1/user_balance?endpoint=task_status&task_id=1", 200),
        ("GET", "/v1/user_balances", 404),
        ("GET", "/v1/user_balance/", 404),
        ("GET", "/user_balance", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v1/index.php?endpoint=user_balance", 200),
        ("POST", "/openapi.json", 405),
        ("HEAD", "/openapi.json", 200),
    ],
)
def test_the_path_says_what_is_asked_for(api: Service, method: str, target: str, status: int) -> None:
    reply = send(api, method, target)
    assert reply.status == status
    assert json.loads(reply.body).get("success", True) is (status == 200)


@pytest.mark.parametrize(("path", "paths"), [("/openapi.json", True), ("/openapi.one-path.json", False)])
def test_the_documents_are_served_without_a_key(api: Service, path: str, *, paths: bool) -> None:
    reply = api.handle(Request("GET", path))
    assert (reply.status, reply.media_type) == (200, "application/json")
    assert reply.headers["x-safelight-contract"] == VERSION
    assert json.loads(reply.body) == openapi(paths=paths)


@pytest.mark.parametrize("target", ["/v1/user_balance", "/openapi.json", "/openapi.one-path.json"])
def test_of_themselves_they_are_unknown(target: str) -> None:
    assert send(Service(keys=[FAKE_KEY]), "GET", target).status == 404


def test_what_is_written_down_is_what_was_sent() -> None:
    store = MemoryStore()
    send(Service(keys=[FAKE_KEY], store=store, openapi_paths=True), "GET", "/v1/user_balance?a=1")
    (exchange,) = store.journal(fingerprint(FAKE_KEY))
    assert (exchange.operation, exchange.target) == ("user_balance", "/v1/user_balance?a=1")
