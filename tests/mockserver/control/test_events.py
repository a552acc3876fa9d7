"""Server-sent events over the journal: each exchange once, from where a listener stopped, until somebody leaves."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from json_store import STORE_NAMES, STORES, counted
from safelight.mockserver.control.client import ControlClient
from safelight.mockserver.control.control import Control
from safelight.mockserver.control.routes import events
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.service.service import Service
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread
from serving import serving

KEY: Final = "key-of-a-listener"

Event = dict[str, str]


def served(service: Service | None = None) -> Any:
    """A fake on a socket that is controlled."""
    return in_thread(create_app(service or Service(keys=[KEY], clock=AdjustableClock), control=Control()))


@contextmanager
def heard(url: str, last: str = "", **headers: str) -> Iterator[Iterator[Event]]:
    """The events of a session, as they come."""
    sent = {"x-api-key": KEY, **({"last-event-id": last} if last else {}), **headers}
    where = httpx.URL(url).join("/_safelight/events")
    with httpx.Client(trust_env=False, timeout=20) as client, client.stream("GET", where, headers=sent) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream"
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[Event]:
    event: Event = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            event |= {name: value.removeprefix(" ")}
        elif event:
            yield event
            event = {}


def submit(url: str, **parameters: Any) -> str:
    """The id of a new task."""
    sent = httpx.post(
        f"{url}?endpoint=image_generation", headers={"x-api-key": KEY}, json={"prompt": "a lamp", **parameters}
    )
    return str(sent.json()["data"]["id"])


@pytest.mark.parametrize("name", STORE_NAMES)
def test_each_exchange_is_told_once_with_its_number_whatever_keeps_it(name: str, tmp_path: Path) -> None:
    store = STORES[name](tmp_path)
    with served(Service(keys=[KEY], clock=AdjustableClock, store=store)) as server:
        first = submit(server.url)
        with heard(server.url) as told:
            began, one = islice(told, 2)
            second = submit(server.url)
            other = next(told)
    assert [began["event"], one["event"], other["event"]] == ["began", "exchange", "exchange"]
    session = json.loads(began["data"])["session"]
    assert [one["id"], other["id"]] == [f"{session}:1", f"{session}:2"]
    assert [json.loads(event["data"])["task_id"] for event in (one, other)] == [first, second]
    assert KEY not in str([began, one, other])


@pytest.mark.parametrize("name", ["sqlite", "redis"])
def test_each_exchange_is_read_once_however_often_a_listener_looks(name: str, tmp_path: Path) -> None:
    store, database = counted(name, tmp_path)
    with served(Service(keys=[KEY], clock=AdjustableClock, store=store)) as server:
        ids = [submit(server.url) for _ in range(5)]
        with heard(server.url) as told:
            _, *events = islice(told, 6)
            for _ in range(2):
                ids.append(submit(server.url))
                events.append(next(told))
    assert [json.loads(event["data"])["task_id"] for event in events] == ids
    assert database.records_given == len(ids)


def test_a_listener_that_comes_again_goes_on_where_it_was() -> None:
    with served() as server:
        ids = [submit(server.url) for _ in range(3)]
        with heard(server.url) as told:
            _, _, second, _ = islice(told, 4)
        with heard(server.url, second["id"]) as told:
            third = next(told)
    assert json.loads(third["data"])["task_id"] == ids[2]


@pytest.mark.parametrize("last", ["nothing", "0123456789abcdef:1", "0123456789abcdef:" + "9" * 5000, ":-1"], ids=len)
def test_a_listener_that_comes_with_what_was_never_told_hears_all(last: str) -> None:
    with served() as server:
        submit(server.url)
        with heard(server.url, last) as told:
            began, one = islice(told, 2)
    assert (began["event"], json.loads(one["data"])["number"]) == ("began", 1)


def test_a_listener_with_a_number_that_is_still_to_come_hears_all() -> None:
    with served() as server:
        submit(server.url)
        with heard(server.url) as told:
            session = json.loads(next(told)["data"])["session"]
        with heard(server.url, f"{session}:99999") as told:
            assert json.loads(next(told)["data"])["number"] == 1


def test_a_page_of_an_allowed_origin_may_read_what_is_told() -> None:
    control = Control(origins=frozenset({"http://localhost:5173"}))
    with in_thread(create_app(Service(keys=[KEY], clock=AdjustableClock), control=control)) as server:
        sent = {"x-api-key": KEY, "origin": "http://localhost:5173"}
        url = httpx.URL(server.url).join("/_safelight/events")
        with httpx.Client(trust_env=False, timeout=20) as client, client.stream("GET", url, headers=sent) as answer:
            assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"


def test_a_session_that_begins_anew_or_is_closed_is_told() -> None:
    with served() as server:
        client = ControlClient(server.url, KEY)
        with heard(server.url) as told:
            kinds = [next(told)["event"]]
            client.open()
            kinds.append(next(told)["event"])
            submit(server.url)
            assert json.loads(next(told)["data"])["number"] == 1
            client.close()
            kinds.append(next(told)["event"])
    assert kinds == ["began", "began", "closed"]


@pytest.mark.parametrize("name", STORE_NAMES)
def test_an_exchange_that_ends_later_is_told_again_under_its_number(name: str, tmp_path: Path) -> None:
    with served(Service(keys=[KEY], clock=AdjustableClock, store=STORES[name](tmp_path))) as server:
        ControlClient(server.url, KEY).open(faults=["submit#1: drip 200"])
        with heard(server.url) as told:
            next(told)
            submit(server.url)
            first, again = (json.loads(event["data"]) for event in islice(told, 2))
    assert [(one["number"], one["took"] is None) for one in (first, again)] == [(1, True), (1, False)]


def test_hostile_text_is_no_line_of_its_own_and_a_large_body_is_not_told() -> None:
    with served() as server:
        submit(server.url, prompt="\n\nevent: began\ndata: {}\r\u2028", negative_prompt="x" * 1_000_000)
        with heard(server.url) as told:
            _, one = islice(told, 2)
    body = json.loads(json.loads(one["data"])["body"])
    assert body["prompt"] == "\n\nevent: began\ndata: {}\r\u2028"
    assert len(body["negative_prompt"]) < 1_000


def test_so_many_listen_at_most_and_who_leaves_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_LISTENERS", 2)
    monkeypatch.setattr(events, "_LOOK_AGAIN_SECONDS", {False: 0.01})
    with served() as server:
        with heard(server.url) as one, heard(server.url) as other:
            next(one), next(other)
            where = httpx.URL(server.url).join("/_safelight/events")
            refused = httpx.get(where, headers={"x-api-key": KEY})
            assert refused.status_code == 503
            assert "2 listeners are connected" in refused.json()["error"]["message"]
        while events._LISTENING:  # noqa: SLF001 - until the server has seen that they left
            submit(server.url)
        with heard(server.url) as third:
            assert next(third)["event"] == "began"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_promptly_and_without_a_trace_while_somebody_listens(number: signal.Signals) -> None:
    with serving() as server:
        name = httpx.get(httpx.URL(server.url).join("/_safelight/sessions")).json()["data"]["sessions"][0][
            "fingerprint"
        ]
        with heard(server.url, **{"x-safelight-session": name, "x-api-key": ""}) as told:
            assert next(told)["event"] == "began"
            assert server.end(number) == 0
        assert server.complained == ""
