"""The page and what it asks for: who gets it, what a browser lets it do, and sessions without their keys."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from asgi_call import Answered, body_in, call, scope_of
from safelight.contracts import operations
from safelight.mockserver.control import dashboard
from safelight.mockserver.control.control import Control
from safelight.mockserver.control.routes import Route, routes
from safelight.mockserver.faults.catalogue import faults
from safelight.mockserver.faults.rules import read_rule
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.settings import Settings, User
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app

KEY: Final = "key-of-a-session"
TOKEN: Final = "t0ken-of-a-page"
FILES: Final = sorted(file.name for file in Path(dashboard.__file__).parent.iterdir() if file.suffix not in ("", ".py"))
BROWSER: Final[Any] = {"accept": "text/html,application/xhtml+xml;q=0.9", "sec-fetch-site": "none"}


def fake(**settings: Any) -> Service:
    """A fake with one session, whose tasks are done at once."""
    made = Settings(task_profile(queued=0, running=0), **settings)
    return Service(keys=[KEY], settings=made, clock=AdjustableClock)


def ask(
    api: Service, method: str, target: str, body: Any = None, *, control: Control | None = None, **headers: str
) -> Answered:
    """The answer to a request; a header `x_api_key` is `x-api-key`."""
    sent = {"host": "127.0.0.1:8123", **{name.replace("_", "-"): value for name, value in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in sent.items()]
    text = b"" if body is None else json.dumps(body).encode()
    app = create_app(api, control=control or Control(page=True))
    return call(app, scope_of(method, target.encode(), raw), body_in(text))


def data(api: Service, method: str, path: str, body: Any = None) -> Any:
    """The data of a control route, of the session that the fingerprint means."""
    answered = ask(api, method, f"/_safelight{path}", body, x_safelight_session=fingerprint(KEY))
    document = json.loads(answered.body)
    assert document["success"], document
    assert KEY not in answered.body.decode()
    return document["data"]


def test_a_browser_gets_the_page_and_a_client_the_api_at_the_same_path() -> None:
    api = fake()
    page = ask(api, "GET", "/", **BROWSER)
    assert page.status == 200
    assert page.body.startswith(b"<!doctype html>")
    requests: Any = (({"accept": "*/*"}, "/"), ({}, "/"), (BROWSER, "/?endpoint=user_balance"), (BROWSER, "/x"))
    for headers, target in requests:
        answered = ask(api, "GET", target, x_api_key=KEY, **headers)
        assert answered.headers["content-type"] == "application/json", target


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_sent_with_a_policy_that_lets_nothing_in_from_elsewhere(name: str) -> None:
    answered = ask(fake(), "GET", f"/_safelight/page/{name}")
    assert answered.status == 200
    policy = dict(part.strip().split(" ", 1) for part in answered.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert answered.headers["x-content-type-options"] == "nosniff"
    text = answered.body.decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|@import", text)
    assert set(re.findall(r"https?://[\w.]+", text)) <= {"http://www.w3.org", "http://x"}, "a namespace, and a base"
    assert not re.search(r"<script(?! type=\"module\" src=)|<style|\sstyle=|\son\w+=\"", text)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_who_reads_gets_the_page(method: str) -> None:
    answered = ask(fake(), method, "/", {}, x_api_key=KEY, **BROWSER)
    assert answered.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/", "/_safelight/page/page.js", "/_safelight/page/nothing", "/_safelight/page/"])
def test_without_a_page_there_is_none(path: str) -> None:
    answered = ask(fake(), "GET", path, control=Control(), **BROWSER)
    assert (answered.status, answered.headers["content-type"]) == (404, "application/json")


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"host": "evil.example"}, "is not this machine"),
        ({"origin": "https://evil.example"}, "no page of another origin may"),
        ({"sec-fetch-site": "cross-site"}, "no page of another origin may"),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/", "/_safelight/page/page.js", "/_safelight/sessions", "/_safelight/events"])
def test_who_may_not_control_the_fake_gets_neither_page_nor_sessions(path: str, headers: Any, says: str) -> None:
    answered = ask(fake(), "GET", path, **{**BROWSER, **headers})
    assert answered.status == 403
    assert says in answered.body.decode()


FOLLOWED: Final[Any] = {**BROWSER, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize("site", ["none", "same-origin", "same-site", "cross-site"])
@pytest.mark.parametrize("control", [Control(page=True), Control(TOKEN, page=True)], ids=["open", "token"])
def test_a_link_of_any_site_leads_to_the_page(site: str, control: Control) -> None:
    answered = ask(fake(), "GET", "/", control=control, **{**FOLLOWED, "sec-fetch-site": site})
    assert answered.status == 200
    assert answered.body.startswith(b"<!doctype html>")
    assert KEY not in answered.body.decode()
    assert fingerprint(KEY) not in answered.body.decode()
    assert answered.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-dest": "iframe"},
        {"sec-fetch-dest": "frame"},
        {"sec-fetch-dest": "embed"},
        {"sec-fetch-dest": "object"},
        {"sec-fetch-dest": "empty", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"host": "evil.example:8123"},
        {"host": "evil.example:8123", "sec-fetch-site": "same-origin"},
    ],
    ids=str,
)
def test_the_page_in_a_frame_read_by_a_script_or_at_a_name_of_another_site_is_refused(headers: Any) -> None:
    answered = ask(fake(), "GET", "/", **{**FOLLOWED, "sec-fetch-site": "cross-site", **headers})
    assert answered.status == 403
    assert b"<" not in answered.body


@pytest.mark.parametrize("one", routes(), ids=lambda one: f"{one.method} {one.path}")
def test_a_link_or_a_form_of_another_site_leads_to_no_route(one: Route) -> None:
    api = fake()
    before = api.sessions.look(KEY)
    path = one.path.replace("{", "").replace("}", "")
    headers = {**FOLLOWED, "sec-fetch-site": "cross-site", "x-api-key": KEY}
    answered = ask(api, one.method, f"/_safelight{path}", {}, **headers)
    assert answered.status == 403
    assert "no page of another origin may" in answered.body.decode()
    assert api.sessions.look(KEY) == before


@pytest.mark.parametrize("name", FILES)
def test_a_link_of_another_site_leads_to_the_page_and_to_none_of_its_files(name: str) -> None:
    answered = ask(fake(), "GET", f"/_safelight/page/{name}", **{**FOLLOWED, "sec-fetch-site": "cross-site"})
    assert answered.status == 403


def test_with_a_token_the_page_comes_without_it_and_the_sessions_do_not() -> None:
    control, api = Control(TOKEN, page=True), fake()
    assert ask(api, "GET", "/", control=control, **{**BROWSER, "host": "a-machine.example"}).status == 200
    assert ask(api, "GET", "/_safelight/sessions", control=control).status == 401
    assert ask(api, "GET", "/_safelight/sessions", control=control, x_safelight_token=TOKEN).status == 200
    named = ask(api, "GET", "/_safelight/tasks", control=control, x_safelight_session=fingerprint(KEY))
    assert named.status == 401


def test_the_sessions_are_listed_by_fingerprint_and_user_without_a_key() -> None:
    api = fake()
    api.sessions.open("sk-a11ce-and-more", Settings(user=User(1, "alice")))
    found = data(api, "GET", "/sessions")["sessions"]
    assert {one["fingerprint"]: one["user"] for one in found} == {
        fingerprint(KEY): None,
        fingerprint("sk-a11ce-and-more"): "alice",
    }


@pytest.mark.parametrize("name", ["0123456789abcdef", fingerprint(KEY).upper(), f"{fingerprint(KEY)}:kinds", "../x"])
def test_a_fingerprint_that_no_session_has_is_a_sentence(name: str) -> None:
    answered = ask(fake(), "GET", "/_safelight/tasks", x_safelight_session=name)
    assert answered.status == 404
    assert "/_safelight/sessions lists those there are" in answered.body.decode()


def test_a_key_comes_before_a_fingerprint() -> None:
    api = fake()
    api.sessions.open("another-key")
    named = ask(api, "GET", "/_safelight/session", x_api_key="another-key", x_safelight_session=fingerprint(KEY))
    document = json.loads(named.body)
    assert document["data"]["fingerprint"] == fingerprint("another-key")


def test_a_request_is_sent_in_the_name_of_a_session_and_counts_as_any_client_s() -> None:
    api = fake()
    sent = data(api, "POST", "/send", {"operation": "image_generation", "parameters": {"prompt": "a lamp"}})
    task_id = sent["answer"]["data"]["id"]
    polled = data(api, "POST", "/send", {"operation": "task_status", "parameters": {"task_id": task_id}})
    assert (sent["status"], polled["answer"]["data"]["status"]) == (200, "completed")
    assert polled["answer"]["data"]["result"]["image_url"].startswith("http://127.0.0.1:8123/uploads/")
    assert [one["operation"] for one in data(api, "GET", "/journal")["exchanges"]] == [
        "image_generation",
        "task_status",
    ]


def test_a_wrong_request_is_sent_as_it_is_and_answered_as_the_service_does() -> None:
    sent = data(fake(), "POST", "/send", {"operation": "image_generation", "parameters": {"width": "wide"}})
    assert sent["status"] == 400
    assert sent["answer"]["error"]["message"].startswith("Invalid request")


def test_a_fault_strikes_what_is_sent_and_is_delivered() -> None:
    api = fake(plan=("submit#1: reset after", "submit#2: http 503"))
    body = {"operation": "image_generation", "parameters": {"prompt": "a lamp"}}
    first, second = data(api, "POST", "/send", body), data(api, "POST", "/send", body)
    assert (first["status"], first["wire"], first["answer"], second["status"]) == (0, "reset", None, 503)
    assert [one["delivered"] for one in data(api, "GET", "/plan")["rules"]] == [1, 1]


def test_an_operation_that_there_is_not_is_a_sentence() -> None:
    answered = ask(fake(), "POST", "/_safelight/send", {"operation": "image_generaton"}, x_api_key=KEY)
    assert answered.status == 400
    assert "did you mean image_generation?" in answered.body.decode()


def test_the_result_of_a_task_is_no_request_of_the_api() -> None:
    api = fake(plan=("image#1: http 500",))
    body = {"operation": "image_generation", "parameters": {"prompt": "a lamp", "width": 64, "height": 64}}
    task_id = data(api, "POST", "/send", body)["answer"]["data"]["id"]
    answered = ask(api, "GET", f"/_safelight/tasks/{task_id}/result", x_api_key=KEY)
    assert (answered.status, answered.headers["content-type"], answered.body[:4]) == (200, "image/png", b"\x89PNG")
    assert len(data(api, "GET", "/journal")["exchanges"]) == 1
    assert data(api, "GET", "/plan")["rules"][0]["struck"] == 0


def test_a_task_that_is_not_done_has_no_result_yet() -> None:
    api = Service(keys=[KEY], settings=Settings(task_profile(queued="never")), clock=AdjustableClock)
    body = {"operation": "image_generation", "parameters": {"prompt": "a lamp"}}
    task_id = data(api, "POST", "/send", body)["answer"]["data"]["id"]
    answered = ask(api, "GET", f"/_safelight/tasks/{task_id}/result", x_api_key=KEY)
    assert answered.status == 409
    assert "is queued: there is a result once it is done" in answered.body.decode()


def test_the_catalogue_has_every_operation_and_every_fault_with_a_rule_that_can_be_read() -> None:
    api = fake()
    assert [one["name"] for one in data(api, "GET", "/operations")["operations"]] == list(operations())
    catalogue = data(api, "GET", "/faults")
    assert len(catalogue["faults"]) == len(faults())
    for one in catalogue["faults"]:
        assert read_rule(f"poll#2: {one['example']}").which == "poll#2"
