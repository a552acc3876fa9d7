"""Control over HTTP: each route, each mistake in a sentence, and who may."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from socket import create_connection
from threading import Event, Thread, get_ident
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from asgi_call import Answered, body_in, call, scope_of
from har_schema import HAR
from json_store import counted
from safelight.mockserver.control.bodies import schemas
from safelight.mockserver.control.client import ControlClient as Client
from safelight.mockserver.control.client import ControlRefused
from safelight.mockserver.control.control import Control
from safelight.mockserver.control.pages import page_of
from safelight.mockserver.control.routes import routes
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.model.engines import ENGINES
from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.model.ledger import Entry, Ledger
from safelight.mockserver.model.messages import Reply, Request, Stream
from safelight.mockserver.model.session_state import SessionState
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_override import TaskOverride
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.sessions.session import Session
from safelight.mockserver.sessions.table import CONTROL
from safelight.mockserver.storage.memory import MemoryStore
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread

KEY: Final = "key-of-a-test"
TOKEN: Final = "t0ken-of-a-test"
RULE: Final = "poll#2: http 502"


@dataclass
class Steered:
    """A fake in this process, and what it is asked; `text` is all that it answered to whoever steers."""

    control: Control = field(default_factory=Control)
    api: Service = field(default_factory=lambda: Service(keys=[KEY], clock=AdjustableClock))
    text: str = ""

    def send(
        self, method: str, target: str, body: Any = None, *, headers: dict[str, str] | None = None, key: str = KEY
    ) -> Answered:
        """The answer to any request."""
        sent = {"host": "127.0.0.1:8123", "content-type": "application/json", **({"x-api-key": key} if key else {})}
        raw = [(name.encode(), value.encode()) for name, value in (sent | (headers or {})).items()]
        text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return call(create_app(self.api, control=self.control), scope_of(method, target.encode(), raw), body_in(text))

    def ask(self, method: str, path: str, body: Any = None, **rest: Any) -> Any:
        """The document that a control route answers with."""
        answered = self.send(method, f"/_safelight{path}", body, **rest)
        self.text += answered.body.decode()
        document = json.loads(answered.body)
        assert document["success"] is (answered.status == 200)
        return document

    def data(self, method: str, path: str, body: Any = None, **rest: Any) -> Any:
        """The data of a success."""
        document = self.ask(method, path, body, **rest)
        assert document["success"], document
        return document["data"]

    def submit(self, **parameters: Any) -> str:
        """The id of a new task."""
        answered = self.send("POST", "/v1/index.php?endpoint=image_generation", {"prompt": "a lamp", **parameters})
        return str(json.loads(answered.body)["data"]["id"])

    def poll(self, task_id: str) -> tuple[int, str]:
        """Status and status word of a poll."""
        answered = self.send("GET", f"/v1/index.php?endpoint=task_status&task_id={task_id}")
        return answered.status, (json.loads(answered.body)["data"] or {}).get("status", "")


@pytest.fixture
def fake() -> Iterator[Steered]:
    """A fake with one session; afterwards, no answer had its key in it."""
    controlled = Steered()
    yield controlled
    assert KEY not in controlled.text


def test_a_session_is_opened_with_settings_for_any_key_and_closed(fake: Steered) -> None:
    made = fake.data("PUT", "/session", {"polls": [0, 1], "balance": 12.5, "seed": 7, "faults": [RULE]}, key="new-key")
    assert (made["settings"]["polls"], made["balance"], made["seed"]) == ([0, 1], 12.5, 7)
    assert made["settings"]["faults"] == [RULE]
    seen = fake.data("GET", "/session", key="new-key")
    assert seen == made | {"clock": seen["clock"]}
    assert fake.data("DELETE", "/session", key="new-key") == {"fingerprint": made["fingerprint"]}
    assert "No session" in fake.ask("GET", "/session", key="new-key")["error"]["message"]


def test_a_session_that_is_put_again_has_nothing_in_it(fake: Steered) -> None:
    fake.submit()
    assert fake.data("GET", "/session")["tasks"] == 1
    made = fake.data("PUT", "/session", {})
    assert (made["tasks"], made["exchanges"], made["balance"]) == (0, 0, 1000)


def test_what_a_session_is_not_told_is_as_the_server_was() -> None:
    usual = Settings(task_profile(queued="1..3", running="~5"), slots=2, vocabulary="plain", balance=50)
    fake = Steered(api=Service(settings=usual))
    told = fake.data("PUT", "/session", {"balance": 7, "slots": 3, "fail": "no GPU left"})["settings"]
    assert (told["queued"], told["running"], told["vocabulary"]) == ("1..3", "~5/0.5", "plain")
    assert (told["balance"], told["slots"], told["fail_reason"], told["fail_rate"]) == (7, 3, "no GPU left", 1)


_DELAYS: Final = st.sampled_from([0, 2, 1.5, "1..3", "~5/0.8", "never"])
_LIVES: Final = st.one_of(
    st.fixed_dictionaries({"queued": _DELAYS, "running": _DELAYS}),
    st.fixed_dictionaries({"polls": st.lists(st.integers(0, 9), min_size=2, max_size=2)}),
    st.just({"ticks": [1, 2]}),
    st.just({"timeline": [["queued", 2], ["running", 5], "done"]}),
    st.just({"timeline": [["unseen", 2], ["running", "never", "cancelled"]]}),
)
_REST: Final = st.fixed_dictionaries(
    {},
    optional={
        "balance": st.sampled_from([0, 40, 12.125]),
        "prices": st.just({"video_generation": 12.5}),
        "down": st.just(["rr3"]),
        "vocabulary": st.just("plain"),
        "errors": st.just("string"),
        "limits": st.just("clamp"),
        "directives": st.booleans(),
        "workflows": st.just({"rr3": {"polls": [1, 2], "fail_reason": "no ink", "fail_rate": 0.5, "fail_nth": [3]}}),
        "faults": st.just([RULE, "submit#1: reset after"]),
    },
)


@given(_LIVES, _REST)
def test_settings_are_said_as_they_were_told(life: dict[str, Any], rest: dict[str, Any]) -> None:
    fake = Steered()
    said = fake.data("PUT", "/session", {**life, **rest})["settings"]
    assert said.items() >= {**life, **rest}.items()
    assert fake.data("PUT", "/session", said)["settings"] == said


def test_a_virtual_clock_is_advanced(fake: Steered) -> None:
    fake.data("PUT", "/session", {"clock": "virtual", "queued": 2, "running": 3})
    task_id = fake.submit()
    words = [fake.poll(task_id)[1]]
    for seconds in (2, 3):
        clock = fake.data("POST", "/clock", {"advance": seconds})
        words.append(fake.poll(task_id)[1])
    assert words == ["pending", "processing", "completed"]
    assert (clock["kind"], clock["passed"]) == ("virtual", 5)


def test_a_real_clock_is_frozen_scaled_and_advanced(fake: Steered) -> None:
    assert fake.data("POST", "/clock", {"freeze": True})["frozen"] is True
    first, second = fake.data("GET", "/clock"), fake.data("GET", "/clock")
    assert first == second
    assert fake.data("POST", "/clock", {"scale": 60})["speed"] == 60
    assert fake.data("POST", "/clock", {"advance": 10})["now"] == first["now"] + 10
    assert fake.data("POST", "/clock", {"freeze": False})["frozen"] is False


def test_tasks_are_listed_with_what_they_are_now(fake: Steered) -> None:
    task_id = fake.submit(workflow="rr3")
    [task] = fake.data("GET", "/tasks")["tasks"]
    assert (task["id"], task["workflow"], task["price"], task["polls"]) == (task_id, "rr3", 10, 0)
    fake.poll(task_id)
    assert fake.data("GET", "/tasks")["tasks"][0]["polls"] == 1


@pytest.mark.parametrize(("path", "name"), [("/tasks", "tasks"), ("/journal", "exchanges"), ("/ledger", "entries")])
@given(st.integers(0, 7), st.integers(1, 8))
def test_the_pages_of_a_list_are_the_list(path: str, name: str, number: int, limit: int) -> None:
    fake = Steered()
    for _ in range(number):
        fake.submit()
    whole = fake.data("GET", path)
    assert (len(whole[name]), whole["cursor"]) == (number, None)
    pages: list[Any] = []
    cursor: int | None = 0
    while cursor is not None:
        page = fake.data("GET", f"{path}?limit={limit}&cursor={cursor}")
        pages.append(page[name])
        cursor = page["cursor"]
    assert [thing for page in pages for thing in page] == whole[name]
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_a_list_has_a_thousand_things_on_a_page_at_most() -> None:
    fake = Steered()
    session = fake.api.sessions.open(KEY, Settings(balance=10**6))
    for _ in range(1_001):
        session.submit("image_generation", {"prompt": "a lamp"}, "default", ENGINES["comfyui"])
    for path, name in (("/tasks", "tasks"), ("/ledger", "entries")):
        first = fake.data("GET", path)
        assert (len(first[name]), first["cursor"]) == (1_000, 1_000)
        rest = fake.data("GET", f"{path}?cursor={first['cursor']}")
        assert (len(rest[name]), rest["cursor"]) == (1, None)


def test_a_cursor_leads_on_when_what_it_stands_for_is_no_longer_kept() -> None:
    ledger = Ledger(max_entries=2)
    for number in range(5):
        ledger.add(Entry(number, 1, str(number), "refund"))
    lines = list(ledger.entries.items())
    assert page_of(lines, itemgetter(0), {"cursor": "1"}) == (lines, None)
    assert [entry.task_id for _, entry in page_of(lines, itemgetter(0), {"cursor": "3"})[0]] == ["4"]


@pytest.mark.parametrize("name", ["sqlite", "redis"])
def test_of_a_journal_no_more_is_read_than_what_comes_after_a_cursor(name: str, tmp_path: Path) -> None:
    store, database = counted(name, tmp_path)
    fake = Steered(api=Service(keys=[KEY], clock=AdjustableClock, store=store))
    for _ in range(5):
        fake.submit()
    session = fake.data("GET", "/session")
    assert (session["exchanges"], session["dropped"], database.records_given) == (5, 0, 0)
    assert len(fake.data("GET", "/journal?cursor=3")["exchanges"]) == database.records_given == 2


@pytest.mark.parametrize("form", ["har", "ndjson"])
def test_a_format_says_in_a_header_where_the_next_page_begins(asked: Steered, form: str) -> None:
    answered = [asked.send("GET", f"/_safelight/journal?format={form}&limit=2&cursor={cursor}") for cursor in (0, 2)]
    assert [answer.headers.get("x-safelight-cursor") for answer in answered] == ["2", None]


def test_what_control_answers_is_made_in_a_worker() -> None:
    class Noting(MemoryStore):
        def look(self, name: str) -> SessionState | None:
            threads.append(get_ident())
            return super().look(name)

    threads: list[int] = []
    fake = Steered(api=Service(keys=[KEY], store=Noting()))
    for path in ("/tasks", "/journal", "/ledger", "/session", "/plan", "/clock"):
        fake.data("GET", path)
    assert threads
    assert get_ident() not in threads


def test_a_task_in_ticks_is_released(fake: Steered) -> None:
    fake.data("POST", "/next", {"id": "t-1", "axis": "ticks", "queued": 1, "running": 2})
    assert fake.submit() == "t-1"
    phases = [fake.data("POST", "/tasks/t-1/release", body)["phase"] for body in (None, {}, {"ticks": 1})]
    assert phases == ["running", "running", "done"]


@pytest.mark.parametrize("life", [{"polls": [5, 5]}, {"queued": 5, "clock": "virtual"}], ids=str)
def test_a_task_that_is_failed_stays_so_and_is_paid_back(fake: Steered, life: dict[str, Any]) -> None:
    fake.data("PUT", "/session", life)
    task_id = fake.submit()
    fake.poll(task_id)
    failed = fake.data("POST", f"/tasks/{task_id}/fail", {"reason": "no GPU left"})
    assert (failed["phase"], failed["reason"]) == ("failed", "no GPU left")
    ledger = fake.data("GET", "/ledger")
    assert [(entry["number"], entry["credits"]) for entry in ledger["entries"]] == [(1, -10), (2, 10)]
    assert (ledger["total"], ledger["balance"]) == (0, 1000)
    assert [fake.poll(task_id)[1] for _ in range(2)] == ["failed", "failed"]
    message = fake.ask("POST", f"/tasks/{task_id}/fail", {})["error"]["message"]
    assert message == f'Task "{task_id}" is failed already, and stays so'


def test_a_plan_is_put_extended_and_counted(fake: Steered) -> None:
    fake.data("PUT", "/session", {"polls": [5, 5]})
    fake.data("PUT", "/plan", {"rules": ["poll#1: http 503"]})
    fake.data("PUT", "/plan", {"rules": [RULE]})
    added = fake.data("POST", "/plan", {"rules": ["image: garbled"]})
    assert [one["rule"] for one in added["rules"]] == [RULE, "image: garbled"]
    task_id = fake.submit()
    assert [fake.poll(task_id)[0] for _ in range(3)] == [200, 502, 200]
    plan = fake.data("GET", "/plan")
    assert [(one["struck"], one["delivered"]) for one in plan["rules"]] == [(1, 1), (0, 0)]
    assert plan["undelivered"] == [{"rule": "image: garbled", "reason": "no such request came", "was_due": False}]


def test_a_plan_has_a_thousand_rules_at_most(fake: Steered) -> None:
    assert len(fake.data("PUT", "/plan", {"rules": [RULE] * 1_000})["rules"]) == 1_000
    message = fake.ask("POST", "/plan", {"rules": [RULE]})["error"]["message"]
    assert "a plan has 1,000 rules at most" in message
    assert len(fake.data("GET", "/plan")["rules"]) == 1_000


def test_something_is_settled_of_a_thousand_tasks_to_come_at_most(fake: Steered) -> None:
    session = fake.api.sessions.open(KEY)
    for number in range(1_000):
        session.override(TaskOverride(id=f"t-{number}"))
    message = fake.ask("POST", "/next", {"queued": 1})["error"]["message"]
    assert message.endswith("1,000 tasks to come have overrides, and that is the most: submit some first")
    assert fake.submit() == "t-0"
    assert fake.data("POST", "/next", {"queued": 1}) == {"next": 1_000}


def test_a_plan_with_one_wrong_rule_changes_nothing(fake: Steered) -> None:
    fake.data("PUT", "/plan", {"rules": [RULE]})
    for method in ("PUT", "POST"):
        message = fake.ask(method, "/plan", {"rules": ["image: garbled", "poll#0: http 502"]})["error"]["message"]
        assert message.startswith('Invalid request: rules.1, column 5 of "poll#0: http 502": requests are counted from')
    assert [one["rule"] for one in fake.data("GET", "/plan")["rules"]] == [RULE]


@pytest.fixture
def asked(fake: Steered) -> Steered:
    """A fake with a journal: a submit, two polls of which one was struck, a request that breaks a rule."""
    fake.data("PUT", "/session", {"clock": "virtual", "polls": [5, 5], "faults": [RULE, "poll#3: reset"]})
    fake.data("POST", "/next", {"id": "t-1"})
    fake.submit(prompt=f"é {KEY}", api_key=KEY)
    fake.poll("t-1")
    fake.data("POST", "/clock", {"advance": 10})
    fake.poll("t-1")
    fake.send("POST", f"/v1/index.php?endpoint=image_generation&api_key={KEY}", {})
    return fake


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 4),
        ("?operation=task_status", 2),
        ("?task_id=t-1", 3),
        ("?outcome=ok", 3),
        ("?outcome=image_generation.prompt.required", 1),
        ("?since=10", 2),
        ("?since=10.5", 0),
        ("?operation=task_status&since=1&format=json", 1),
        (f"?task_id=t-1&api_key={KEY}", 3),
    ],
)
def test_the_journal_is_asked_for_exchanges(asked: Steered, query: str, number: int) -> None:
    assert len(asked.data("GET", f"/journal{query}")["exchanges"]) == number


def test_an_exchange_says_all_that_the_journal_keeps(asked: Steered) -> None:
    exchanges = asked.data("GET", "/journal?task_id=t-1")["exchanges"]
    assert [(one["at"], one["status"], one["fault"], one["gap"]) for one in exchanges] == [
        (0, 200, "", None),
        (0, 200, "", 0),
        (10, 502, RULE, 10),
    ]
    assert exchanges[0]["body"] == '{"prompt": "\\u00e9 sk-...", "api_key": "sk-..."}'
    assert exchanges[1]["answer"]["data"]["status"] == "pending"


def test_the_journal_as_lines(asked: Steered) -> None:
    answered = asked.send("GET", "/_safelight/journal?format=ndjson")
    lines = [json.loads(line) for line in answered.body.decode().splitlines()]
    assert answered.media_type == "application/x-ndjson"
    assert lines == asked.data("GET", "/journal")["exchanges"]


def test_the_journal_as_an_http_archive(asked: Steered) -> None:
    with pytest.raises(Exception, match="reset"):
        asked.poll("t-1")
    answered = asked.send("GET", "/_safelight/journal?format=har")
    assert KEY not in answered.body.decode()
    archive = json.loads(answered.body)
    assert [error.message for error in Draft202012Validator(HAR).iter_errors(archive)] == []
    entries = archive["log"]["entries"]
    assert [one["response"]["status"] for one in entries] == [200, 200, 502, 400, 0]
    assert entries[0]["request"]["url"] == "http://127.0.0.1:8123/v1/index.php?endpoint=image_generation"
    assert entries[0]["request"]["queryString"] == [{"name": "endpoint", "value": "image_generation"}]
    assert entries[2]["startedDateTime"] == "1970-01-01T00:00:10.000+00:00"
    assert entries[4]["response"]["statusText"] == "reset"


def test_what_is_no_archive_does_not_pass_for_one(asked: Steered) -> None:
    archive = json.loads(asked.send("GET", "/_safelight/journal?format=har").body)
    del archive["log"]["entries"][0]["timings"]["wait"]
    archive["log"]["entries"][1]["response"]["content"]["mime"] = "text/plain"
    archive["log"]["entries"][2]["startedDateTime"] = 0
    assert len(list(Draft202012Validator(HAR).iter_errors(archive))) == 3


def test_the_orphans_are_for_those_who_have_the_token() -> None:
    fake = Steered(Control(TOKEN))
    fake.send("GET", "/v1/index.php?endpoint=user_balance", key="a-key-of-nobody")
    given_token = {"x-safelight-token": TOKEN}
    [orphan] = fake.data("GET", "/orphans?operation=user_balance", headers=given_token, key="")["exchanges"]
    assert (orphan["status"], orphan["headers"]["x-api-key"]) == (401, "...")
    assert "a-key-of-nobody" not in fake.text
    assert "token" in Steered().ask("GET", "/orphans")["error"]["message"]


def test_nothing_that_steers_is_in_the_journal(fake: Steered) -> None:
    store = fake.api.sessions.store
    assert isinstance(store, MemoryStore)
    for one in routes():
        if one.handler.__name__ not in ("delete_session", "get_events"):  # a stream goes on until its client leaves
            fake.send(one.method, f"/_safelight{one.path.replace('{task_id}', '1')}", {})
            fake.send(one.method, f"/_safelight{one.path}", b"{", key="")
    assert (len(store.journal(fingerprint(KEY))), len(store.orphans), fake.api.in_flight.open) == (0, 0, 0)


def test_a_token_that_comes_with_a_request_of_the_api_is_not_kept(fake: Steered) -> None:
    store = fake.api.sessions.store
    assert isinstance(store, MemoryStore)
    request = Request("GET", "/", "endpoint=user_balance", {"x-api-key": KEY, "x-safelight-token": "a-secret-token"})
    assert fake.api.handle(request).status == 200
    assert "a-secret-token" not in str(list(store.journal(fingerprint(KEY))))


def test_a_session_is_closed_once_however_many_ask(fake: Steered) -> None:
    fake.api.sessions.close(KEY)
    fake.api.sessions.close(KEY)
    assert fake.api.sessions.look(KEY) is None


def test_what_waited_for_a_session_that_was_begun_anew_is_answered_by_the_new_one(fake: Steered) -> None:
    request = Request("POST", "/", "endpoint=image_generation", {"x-api-key": KEY}, b'{"prompt": "a"}')
    replies: list[int] = []
    with fake.api.sessions.store.transaction(fingerprint(KEY)):
        waiting = Thread(target=lambda: replies.append(fake.api.handle(request).status))
        waiting.start()
        new = fake.api.sessions.open(KEY, Settings(task_profile(), balance=10))
    waiting.join(10)
    assert (replies, new.credits) == ([200], 0)


@pytest.mark.parametrize("path", ["/session", "/next"])
def test_a_life_of_400_digits_is_a_sentence(fake: Steered, path: str) -> None:
    method = "PUT" if path == "/session" else "POST"
    body = json.dumps({"timeline": [["queued", 10**400], "done"]}).encode()
    answered = fake.send(method, f"/_safelight{path}", body)
    assert answered.status == 400
    assert b"a step cannot last that long" in answered.body


@pytest.mark.parametrize("path", ["/session", "/next"])
@pytest.mark.parametrize("body", ['{"timeline": [["running", 1e400]]}', '{"queued": 1e400}', '{"running": -1e400}'])
def test_a_number_beyond_all_is_not_for_ever(fake: Steered, path: str, body: str) -> None:
    answered = fake.send("PUT" if path == "/session" else "POST", f"/_safelight{path}", body.encode())
    assert answered.status == 400
    assert b"inf" in answered.body


#: Method, path and body of a request, and a part of the sentence that it is answered with.
MISTAKES: Final[list[tuple[tuple[str, str, Any], int, str]]] = [
    (("PUT", "/session", {"fauls": []}), 400, "fauls is not known; did you mean faults?"),
    (("PUT", "/session", {"polls": [1, "2"]}), 400, 'polls.1 is "2", a string; it must be an integer'),
    (("PUT", "/session", {"polls": [1]}), 400, "polls has 1 item; the least is 2 items"),
    (("PUT", "/session", {"polls": [1, 2, 3]}), 400, "polls has 3 items; the most is 2"),
    (("PUT", "/session", {"polls": [1, 2], "queued": 3}), 400, "time is in seconds or in polls"),
    (("PUT", "/session", {"queued": "soon"}), 400, "'soon' is no delay"),
    (("PUT", "/session", {"timeline": ["runing"]}), 400, "'runing' is no step of a timeline"),
    (("PUT", "/session", {"timeline": ["done"], "fail": True}), 400, "a timeline says all of a task"),
    (("PUT", "/session", {"fail_rate": 2}), 400, "fail_rate is 2; the most is 1"),
    (("PUT", "/session", {"slots": 2, "polls": [1, 1]}), 400, "engine slots need timelines in seconds"),
    (("PUT", "/session", {"balance": 0.0001}), 400, "write credits"),
    (("PUT", "/session", {"prices": {"video": 1}}), 400, "prices.video is not known; "),
    (("PUT", "/session", {"down": ["rr4"]}), 400, 'down.0 is "rr4"; it must be comfyui, rr3 or grok'),
    (("PUT", "/session", {"vocabulary": "plan"}), 400, "did you mean plain?"),
    (("PUT", "/session", {"faults": ["poll"]}), 400, 'faults.0: column 5 of "poll": a colon is missing'),
    (("PUT", "/session", {"clock": "virtual", "speed": 2}), 400, "leave out speed"),
    (("PUT", "/session", {"speed": 0}), 400, "speed is 0; it must be above 0"),
    (("PUT", "/session", {"clock": "reel"}), 400, "did you mean real?"),
    (("PUT", "/session", []), 400, "the document is [], an array; it must be an object"),
    (("PUT", "/session", b"{"), 400, "Invalid request: "),
    (("POST", "/clock", {}), 400, "the document has 0 members: give advance, scale or freeze"),
    (("POST", "/clock", {"advance": 1, "scale": 2}), 400, "the document has 2 members: give advance, scale or freeze"),
    (("POST", "/clock", {"advance": -1}), 400, "advance is -1; the least is 0"),
    (("POST", "/clock", {"advance": 10**12}), 400, "a clock cannot be advanced by 1000000000000 s"),
    (("POST", "/tasks/7/release", {}), 404, 'No task "7": it was never issued to this key'),
    (("POST", "/tasks/7/fail", {}), 404, 'No task "7"'),
    (("POST", "/tasks/7/fail", {"reason": ""}), 400, "reason is empty"),
    (("POST", "/tasks//fail", {}), 404, "There is nothing at"),
    (("POST", "/next", {}), 400, "give timeline, queued, running, fail, id or axis"),
    (("POST", "/next", {"axis": "tiks"}), 400, "did you mean ticks?"),
    (("POST", "/next", {"timeline": ["done"], "queued": 1}), 400, "a timeline says all of a task"),
    (("POST", "/next", {"id": "x" * 1_001}), 400, "id has 1001 characters; the most is 1000 characters"),
    (("POST", "/next", {"fail": "x" * 10_001}), 400, "fail has 10001 characters; the most is 10000 characters"),
    (("POST", "/next", {"timeline": [["queued", 1]] * 1_001}), 400, "timeline has 1001 items; the most is 1000 items"),
    (("POST", "/next", {"queued": "1" * 101}), 400, "queued has 101 characters; the most is 100 characters"),
    (
        ("POST", "/tasks/7/fail", {"reason": "x" * 10_001}),
        400,
        "reason has 10001 characters; the most is 10000 characters",
    ),
    (("PUT", "/plan", {"rules": [RULE] * 1_001}), 400, "rules has 1001 items; the most is 1000 items"),
    (("PUT", "/plan", {}), 400, "rules is missing"),
    (("PUT", "/plan", {"rules": RULE}), 400, "it must be an array"),
    (("PUT", "/plan", {"rules": [KEY]}), 400, "rules.0, column 1"),
    (("GET", "/journal?sinc=1", None), 400, "sinc is not known; did you mean since?"),
    (("GET", "/journal?since=now", None), 400, 'since is "now"; it must be seconds in digits'),
    (("GET", "/journal?format=xml", None), 400, "it must be json, ndjson or har"),
    (("GET", "/journal?outcome=refusd", None), 400, 'no outcome is called "refusd"; did you mean refused?'),
    (("GET", "/journal?outcome=oops", None), 400, "there are ok, refused, and each rule that `safelight schema rules`"),
    (("GET", "/journal?outcome=", None), 400, 'no outcome is called ""'),
    (
        ("GET", "/journal?operation=poll", None),
        400,
        "there are image_editing, image_generation, video_generation, task",
    ),
    (("GET", "/journal?operation=task-status", None), 400, "did you mean task_status?"),
    (("GET", "/journal?task_id=7", None), 404, 'No task "7": it was never issued to this key, and nothing was asked'),
    (("GET", "/clock?all=1", None), 400, "all is not known; nothing is taken here"),
    (("GET", "/tasks?all=1", None), 400, "all is not known; there are limit and cursor"),
    (("GET", "/tasks?limit=1001", None), 400, 'limit is "1001"; it must be 1 to 1000'),
    (("GET", "/ledger?limit=0", None), 400, 'limit is "0"; it must be 1 to 1000'),
    (("GET", "/journal?cursor=-1", None), 400, 'cursor is "-1"; it must be the cursor of a page'),
    (("POST", "/wait", {}), 400, "task_id is missing"),
    (("POST", "/wait", {"task_id": "7", "within": 61}), 400, "within is 61; the most is 60"),
    (("POST", "/wait", {"task_id": "7"}), 404, 'No task "7"'),
    (("GET", "/clok", None), 404, "did you mean /_safelight/clock?"),
    (("GET", "/", None), 404, "/_safelight/openapi.json says which there are"),
    (("PATCH", "/session", None), 405, "takes DELETE, GET or PUT"),
    (("GET", f"/{KEY}", None), 404, "sk-..."),
]


@pytest.mark.parametrize(("request_", "status", "says"), MISTAKES, ids=lambda value: str(value)[:60])
def test_a_mistake_is_a_sentence(fake: Steered, request_: tuple[str, str, Any], status: int, says: str) -> None:
    method, path, body = request_
    answered = fake.send(method, f"/_safelight{path}", body)
    document = fake.ask(method, path, body)
    assert answered.status == status
    assert says in document["error"]["message"]
    assert document["data"] is None


@pytest.mark.parametrize("body", [{"scale": 2}, {"freeze": True}], ids=str)
def test_a_virtual_clock_cannot_be_scaled_or_frozen(fake: Steered, body: dict[str, Any]) -> None:
    fake.data("PUT", "/session", {"clock": "virtual"})
    assert f"A virtual clock cannot {next(iter(body))}" in fake.ask("POST", "/clock", body)["error"]["message"]


def test_a_task_in_polls_takes_no_ticks(fake: Steered) -> None:
    fake.data("PUT", "/session", {"polls": [1, 1]})
    message = fake.ask("POST", f"/tasks/{fake.submit()}/release")["error"]["message"]
    assert message.endswith("is in polls: ticks move those that were given the axis ticks")


@pytest.mark.parametrize(
    ("key", "status", "says"),
    [("", 401, "No key was sent"), ("two words", 400, "no API key"), ("unknown", 404, "No session")],
)
def test_a_session_needs_a_key(fake: Steered, key: str, status: int, says: str) -> None:
    assert fake.send("GET", "/_safelight/tasks", key=key).status == status
    assert says in fake.ask("GET", "/tasks", key=key)["error"]["message"]


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        ("/session", {"x-api-key": KEY}, {}),
        ("/session", {"authorization": f"Bearer {KEY}"}, {}),
        (f"/session?api_key={KEY}", {}, {}),
        ("/session", {}, {"api_key": KEY}),
    ],
)
def test_the_key_comes_in_the_ways_of_the_api(fake: Steered, target: str, headers: dict[str, str], body: Any) -> None:
    assert (
        fake.data("PUT", target, body, headers=headers, key="")["fingerprint"]
        == fake.data("GET", "/session")["fingerprint"]
    )


def test_where_any_key_is_welcome_each_can_be_steered_at_once() -> None:
    fake = Steered(api=Service(any_key=True))
    assert fake.data("PUT", "/plan", {"rules": [RULE]}, key="another")["rules"][0]["rule"] == RULE


@pytest.mark.parametrize(
    ("control", "headers", "status"),
    [
        (Control(), {}, 200),
        (Control(), {"host": "localhost:80"}, 200),
        (Control(), {"host": "[::1]:80"}, 200),
        (Control(), {"host": "fake.localhost"}, 200),
        (Control(), {"host": "evil.example"}, 403),
        (Control(), {"host": "127.0.0.1.evil.example"}, 403),
        (Control(), {"host": "[::1"}, 403),
        (Control(), {"host": ""}, 403),
        (Control(), {"origin": "http://evil.example"}, 403),
        (Control(), {"origin": "null"}, 403),
        (Control(), {"origin": "http://127.0.0.1:8124"}, 403),
        (Control(), {"origin": "http://127.0.0.1:8123"}, 200),
        (Control(), {"origin": "http://evil.example", "host": "evil.example"}, 403),
        (Control(), {"sec-fetch-site": "cross-site"}, 403),
        (Control(), {"sec-fetch-site": "none"}, 200),
        (Control(TOKEN), {}, 401),
        (Control(TOKEN), {"x-safelight-token": TOKEN[:-1]}, 401),
        (Control(TOKEN), {"x-safelight-token": "é"}, 401),
        (Control(TOKEN), {"x-safelight-token": TOKEN}, 200),
        (Control(TOKEN), {"x-safelight-token": TOKEN, "host": "fake.example"}, 200),
        (Control(TOKEN), {"x-safelight-token": TOKEN, "origin": "http://evil.example"}, 403),
        (Control(hosts={"fake"}), {"host": "Fake.:8123"}, 200),
        (Control(hosts={"fake"}), {"host": "127.0.0.1"}, 200),
        (Control(hosts={"fake"}), {"host": "fake.evil.example"}, 403),
        (Control(hosts={"fake"}), {"host": "fake", "origin": "http://evil.example"}, 403),
        (Control(hosts={"fake"}), {"host": "fake:8123", "origin": "http://fake:8123"}, 200),
        (Control(TOKEN, hosts={"fake"}), {"host": "fake"}, 401),
    ],
)
def test_programs_of_this_machine_may_steer_or_who_has_the_token(
    control: Control, headers: dict[str, str], status: int
) -> None:
    answered = Steered(control).send("GET", "/_safelight/session", headers=headers)
    assert answered.status == status
    assert TOKEN not in answered.body.decode() + repr(control)
    assert "access-control-allow-origin" not in answered.headers


PAGE: Final = "http://localhost:5173"
FROM_THE_PAGE: Final = {"origin": PAGE, "sec-fetch-site": "cross-site"}


@pytest.mark.parametrize(
    ("control", "headers", "status"),
    [
        (Control(), {}, 403),
        (Control(origins={PAGE}), {}, 200),
        (Control(origins={PAGE}), {"host": "evil.example"}, 403),
        (Control(TOKEN, origins={PAGE}), {}, 401),
        (Control(TOKEN, origins={PAGE}), {"x-safelight-token": TOKEN}, 200),
    ],
)
def test_a_page_of_an_allowed_origin_may_steer_as_a_program_may_and_reads_what_is_refused(
    control: Control, headers: dict[str, str], status: int
) -> None:
    answered = Steered(control).send("GET", "/_safelight/session", headers=FROM_THE_PAGE | headers)
    assert answered.status == status
    assert answered.headers.get("access-control-allow-origin") == (PAGE if control.origins else None)


@pytest.mark.parametrize("origin", ["http://localhost:5174", "https://localhost:5173", "http://localhost", "null"])
def test_a_page_of_any_other_origin_may_not(origin: str) -> None:
    answered = Steered(Control(origins={PAGE})).send("GET", "/_safelight/session", headers={"origin": origin})
    assert (answered.status, "access-control-allow-origin" in answered.headers) == (403, False)


@pytest.mark.parametrize(("origin", "status"), [(PAGE, 200), ("http://evil.example", 403)])
def test_a_browser_that_asks_first_hears_what_a_page_may_send(origin: str, status: int) -> None:
    asks = {"origin": origin, "access-control-request-method": "PUT"}
    answered = Steered(Control(TOKEN, origins={PAGE})).send("OPTIONS", "/_safelight/session", headers=asks)
    assert answered.status == status
    assert ("access-control-allow-headers" in answered.headers) is (status == 200)


@pytest.mark.parametrize("token", ["", "two words", "é"])
def test_a_token_is_one_that_a_header_carries(token: str) -> None:
    with pytest.raises(ValueError, match="this is no token"):
        Control(token)


def test_pages_that_may_call_the_api_may_not_steer_it(fake: Steered) -> None:
    app = create_app(fake.api, control=fake.control, cors=True)
    headers = [(b"host", b"localhost"), (b"origin", b"http://page.example"), (b"x-api-key", KEY.encode())]
    assert call(app, scope_of("GET", b"/v1/index.php?endpoint=user_balance", headers)).status == 200
    assert call(app, scope_of("GET", b"/_safelight/session", headers)).status == 403


def test_without_control_its_paths_are_unknown() -> None:
    app = create_app(Service(keys=[KEY]))
    answered = call(app, scope_of("GET", b"/_safelight/session", [(b"host", b"127.0.0.1")]))
    assert (answered.status, b"Unknown path" in answered.body) == (404, True)


def test_at_a_port_of_its_own_it_is_nowhere_else() -> None:
    assert Steered(Control(port=8_000)).send("GET", "/_safelight/session").status == 200
    assert Steered(Control(port=8_001)).send("GET", "/_safelight/session").status == 404


def test_a_body_that_is_too_large_is_not_read(fake: Steered) -> None:
    app = create_app(fake.api, control=fake.control, body_limit=10)
    scope = scope_of("PUT", b"/_safelight/session", [(b"host", b"localhost"), (b"x-api-key", KEY.encode())])
    assert call(app, scope, body_in(b'{"polls": [1, 1]}')).status == 413


def test_what_breaks_is_answered_in_the_envelope(fake: Steered, caplog: pytest.LogCaptureFixture) -> None:
    with fake.api.sessions.enter(KEY) as session:
        session.data.clock = None  # type: ignore[assignment]
    assert fake.ask("GET", "/clock")["error"]["message"] == "Internal error"
    assert KEY not in caplog.text


def test_head_is_get_without_the_body(fake: Steered) -> None:
    answered = fake.send("HEAD", "/_safelight/openapi.json")
    assert (answered.status, answered.body) == (200, b"")


def test_the_routes_describe_themselves(fake: Steered) -> None:
    document = json.loads(fake.send("GET", "/_safelight/openapi.json", key="").body)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(one.method, f"/_safelight{one.path}") for one in routes()}
    assert all(one["summary"].endswith(".") for methods in document["paths"].values() for one in methods.values())


def test_the_schema_of_a_session_has_every_setting() -> None:
    assert schemas()["session"]["properties"].keys() == CONTROL.keys()


def test_a_reason_that_no_task_has_is_told_without_making_one_fail() -> None:
    fake = Steered(api=Service(keys=[KEY], settings=Settings(task_profile(fail_reason="no GPU left"))))
    said = fake.data("GET", "/session")["settings"]
    assert (said["fail_reason"], said.get("fail_rate")) == ("no GPU left", None)
    assert fake.data("PUT", "/session", said)["settings"] == said


@pytest.mark.parametrize("name", schemas())
def test_each_schema_is_one_and_is_used(name: str) -> None:
    Draft202012Validator.check_schema(schemas()[name])
    used = {schema for one in routes() for schema in (one.body, one.query)} | {"nothing"}
    assert name in used or any(f'"{name}.json"' in json.dumps(schemas()[other]) for other in used if other)


@pytest.fixture
def served() -> Iterator[tuple[Client, str]]:
    """A fake on a socket, with a token."""
    with in_thread(create_app(Service(clock=AdjustableClock), control=Control(TOKEN))) as server:
        client = Client(server.url, KEY, TOKEN)
        client.open(polls=[5, 5])
        yield client, server.url


def test_the_client_steers_all_there_is(served: tuple[Client, str]) -> None:
    client, url = served
    client.next(id="t 1/2", axis="ticks", queued=1, running=1)
    assert _submit(url) == "t 1/2"
    assert client.release("t 1/2")["phase"] == "running"
    assert client.fail("t 1/2", "no GPU left")["reason"] == "no GPU left"
    assert [task["id"] for task in client.tasks()] == ["t 1/2"]
    assert client.put_plan(RULE)["rules"] == client.plan()["rules"] == client.add_plan()["rules"]
    assert client.freeze()["frozen"]
    assert client.scale(2)["speed"] == 2
    assert client.advance(5)["now"] == client.clock()["now"]
    assert not client.freeze(frozen=False)["frozen"]
    assert [one["operation"] for one in client.journal(task_id="t 1/2")] == ["image_generation"]
    assert len(client.har()["log"]["entries"]) == client.session()["exchanges"] == 1
    assert client.orphans() == []
    assert [one["tasks"] for one in client.sessions()] == [1]
    assert client.send("user_balance")["answer"]["data"]["balance"] == 1000
    assert "image_generation" in [one["name"] for one in client.operations()]
    assert "poll" in client.faults()["kinds"]
    assert client.ledger()["balance"] == 1000
    assert client.openapi()["openapi"] == "3.1.0"
    client.close()
    with pytest.raises(ControlRefused, match="404: No session has this key"):
        client.tasks()


def test_the_client_says_why(served: tuple[Client, str]) -> None:
    client, url = served
    with pytest.raises(ControlRefused, match=r"400: Invalid request: rules\.0, column 1") as raised:
        client.put_plan("x")
    assert raised.value.status == 400
    with pytest.raises(ControlRefused, match="401: No token was sent"):
        Client(url, KEY).session()


def _submit(url: str) -> str:
    import httpx  # noqa: PLC0415 - for those on a socket alone

    sent = httpx.post(f"{url}?endpoint=image_generation", headers={"x-api-key": KEY}, json={"prompt": "a lamp"})
    return str(sent.json()["data"]["id"])


def _poll(url: str, task_id: str) -> None:
    import httpx  # noqa: PLC0415 - for those on a socket alone

    httpx.get(f"{url}?endpoint=task_status&task_id={task_id}", headers={"x-api-key": KEY}).raise_for_status()


def test_a_barrier_opens_with_the_poll_that_it_waits_for(served: tuple[Client, str]) -> None:
    client, url = served
    task_id = _submit(url)
    passed: list[Any] = []
    waiting = Thread(target=lambda: passed.append(client.wait(task_id, 3, within=60)))
    waiting.start()
    for number in (1, 2):
        _poll(url, task_id)
        assert client.wait(task_id, number)["polls"] == number
    assert (passed, waiting.is_alive()) == ([], True)
    _poll(url, task_id)
    waiting.join(60)
    assert passed == [{"task_id": task_id, "polls": 3}]


def test_many_barriers_keep_nobody_from_being_answered(served: tuple[Client, str]) -> None:
    client, url = served
    client.next(id="t-2")
    waiting = [Thread(target=client.wait, args=("t-2", 1, 60)) for _ in range(12)]
    for thread in waiting:
        thread.start()
    assert _submit(url) == "t-2"
    assert client.session()["tasks"] == 1
    _poll(url, "t-2")
    for thread in waiting:
        thread.join(60)
    assert not any(thread.is_alive() for thread in waiting)


def test_a_barrier_that_does_not_open_says_what_came(fake: Steered) -> None:
    task_id = fake.submit()
    fake.poll(task_id)
    answered = fake.send("POST", "/_safelight/wait", {"task_id": task_id, "polls": 3, "within": 0})
    assert answered.status == 408
    document = fake.ask("POST", "/wait", {"task_id": task_id, "polls": 3, "within": 0.001})
    expected = f'Poll 3 of task "{task_id}" was not answered within 0.001 s: 1 poll came'
    assert document["error"]["message"] == expected


def test_a_barrier_ends_with_its_client() -> None:
    fake = Steered()
    task_id, over = fake.submit(), Event()

    async def answer(self: Control, service: Service, request: Request) -> Reply | Stream:
        try:
            return await answered(self, service, request)
        finally:
            over.set()

    answered = Control.answer
    with pytest.MonkeyPatch.context() as patch, in_thread(create_app(fake.api, control=fake.control)) as server:
        patch.setattr(Control, "answer", answer)
        body = json.dumps({"task_id": task_id, "within": 60}).encode()
        head = f"POST /_safelight/wait HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {KEY}\r\ncontent-length: {len(body)}"
        with create_connection(("127.0.0.1", urlsplit(server.url).port or 0)) as client:
            client.sendall(f"{head}\r\n\r\n".encode() + body)
        assert over.wait(20), "long before the minute is over"
        server.settle()
    assert fake.api._listeners == []  # noqa: SLF001 - as below


def test_a_barrier_is_not_woken_by_polls_of_other_tasks(fake: Steered) -> None:
    looks: list[str] = []
    answered = Session.answered

    def counting(self: Session, task_id: str) -> int:
        looks.append(task_id)
        return answered(self, task_id)

    fake.data("PUT", "/session", {"ids": ["waited-for", "other"]})
    fake.submit(), fake.submit()
    with in_thread(create_app(fake.api, control=fake.control)) as server:
        client = Client(server.url, KEY)
        with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as waiting:
            patch.setattr(Session, "answered", counting)
            passed = waiting.submit(client.wait, "waited-for", 1, 60)
            while not fake.api._listeners:  # noqa: SLF001 - nothing else shows that it waits
                client.clock()
            for _ in range(9):
                _poll(server.url, "other")
            _poll(server.url, "waited-for")
            assert passed.result(60)["polls"] == 1
    assert set(looks) == {"waited-for"}
    assert len(looks) <= 4, "at first, when it was polled, and for the answer"


def test_a_barrier_leaves_no_watcher_behind(fake: Steered) -> None:
    task_id = fake.submit()
    fake.ask("POST", "/wait", {"task_id": task_id, "within": 0.001})
    assert fake.api._listeners == []  # noqa: SLF001 - what is left behind is seen nowhere else


def test_exchanges_about_a_task_to_come_or_never_issued_may_be_asked_for(fake: Steered) -> None:
    fake.data("POST", "/next", {"id": "to-come"})
    assert fake.data("GET", "/journal?task_id=to-come")["exchanges"] == []
    fake.poll("undefined")
    assert len(fake.data("GET", "/journal?task_id=undefined")["exchanges"]) == 1
