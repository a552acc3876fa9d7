"""A server against a recording: what is the same is no difference, and what differs is named by its rule."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from histories import LOST, balance, done, error, exchange, failed, poll, running, submit, success, unknown
from parts import Part, check_fresh, table
from raw_server import answer, envelope, raw_server, saying
from run_bad_server import DEFECTS, bad_server
from safelight.conformance.recordings.drift import DIFFERENCES, Comparison
from safelight.conformance.recordings.lives import Lives
from safelight.conformance.recordings.proxy import Proxy
from safelight.conformance.recordings.resending import Resending
from safelight.conformance.recordings.script import Script
from safelight.conformance.results import Result
from safelight.conformance.servers.budget import Budget
from safelight.conformance.servers.entry import entry
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.preflight import NotThisApi
from safelight.conformance.servers.sending import ServerGone
from safelight.conformance.verdicts import Verdict
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread
from safelight.traffic.exchange import Exchange
from safelight.traffic.ndjson import line, read

#: How tasks go, in seconds: several polls see each phase.
QUICK: dict[str, Any] = {"queued": 0.15, "running": 0.3}


def parts() -> list[Part]:
    return [Part("record.md", "differences", _table)]


def _table() -> str:
    return table(("difference", "rule", "what holds"), [(one.id, one.name, one.fact) for one in DIFFERENCES.values()])


def test_the_table_of_the_page_is_that_of_the_differences() -> None:
    check_fresh(parts())


def resending(recording: Iterable[Exchange], url: str, *, max_paid: int = 9, deadline: float = 5) -> Resending:
    """What sends a recording again."""
    script = Script()
    script.all(read(map(line, recording)))
    gate = Gate(entry(url), FAKE_KEY, budget=Budget(max_paid, 0), timeout=5)
    return Resending(gate, script, Options(interval=0.03, deadline=deadline), Comparison(script, url))


def compared(recording: Iterable[Exchange], url: str, **options: Any) -> list[Result]:
    """The results of sending a recording again."""
    run = resending(recording, url, **options)

    async def go() -> None:
        async with run.gate:
            await run.go()

    asyncio.run(go())
    return run.comparison.results("again")


def findings(results: list[Result]) -> dict[str, list[str]]:
    """Id -> the rules of what was found."""
    return {one.id: [finding.rule for finding in one.findings] for one in results if one.findings}


@contextmanager
def fake(**settings: Any) -> Iterator[str]:
    """The fake on a socket."""
    service = Service(keys=[FAKE_KEY], settings=Settings(**settings), seed=1, clock=lambda: AdjustableClock(1))
    with in_thread(create_app(service)) as served:
        yield served.url


def client(url: str) -> None:
    """Ask for all that a client asks for: a task of each engine to its end, and what is wrong."""
    with httpx.Client(trust_env=False, headers={"x-api-key": FAKE_KEY}, timeout=20) as sends:

        def ask(method: str, endpoint: str, **more: Any) -> Any:
            params = {"endpoint": endpoint, **more.pop("params", {})}
            return sends.request(method, url, params=params, **more).json()

        ask("GET", "user_balance")
        ask("GET", "user_balance", headers={"x-api-key": "sk-00000000"})
        ask("POST", "image_generation", json={"prompt": ""})
        ask("GET", "task_status", params={"task_id": "undefined"})
        for body in ({"prompt": "a lamp"}, {"prompt": "b", "workflow": "rr3", "seed": 4}):
            task_id, word = ask("POST", "image_generation", json=body)["data"]["id"], ""
            while word not in ("completed", "failed"):
                word = ask("GET", "task_status", params={"task_id": task_id})["data"]["status"]


def recorded(url: str) -> list[Exchange]:
    """What the proxy records of a client in front of this server."""
    seen: list[Exchange] = []
    proxy = Proxy(entry(url), Budget(9, 0), 10_000, seen.append, lambda _: None)
    with in_thread(proxy) as served:
        client(served.url)
    return list(read(map(line, seen)))


@pytest.mark.parametrize("tasks", [{}, {"fail": "no paper"}], ids=["done", "failed"])
def test_a_life_that_is_recorded_replayed_and_recorded_again_does_not_differ(tasks: dict[str, Any]) -> None:
    with fake(profile=task_profile(**QUICK, **tasks)) as url:
        first = recorded(url)
    lives = Lives()
    lives.all(first)
    assert len(lives.tasks()) == 2
    with fake(recorded=lives.tasks()) as url:
        second = recorded(url)
        assert findings(compared(first, url)) == {}
        assert findings(compared(second, url)) == {}
    with fake(profile=task_profile(**QUICK, **tasks)) as url:
        results = compared(second, url)
    assert findings(results) == {}
    assert {one.verdict for one in results} == {Verdict.PASS}
    assert {one.id for one in results} == set(DIFFERENCES)


@pytest.fixture(scope="module")
def recording() -> list[Exchange]:
    with bad_server("good", tasks=QUICK) as server:
        return recorded(server.url)


#: Defects -> the difference, and the rule, by which each is named.
NAMED = {
    "submits-are-201": ("D10", "status"),
    "errors-are-html": ("D11", "media-type"),
    "no-key-is-403": ("", ""),
    "wrong-key-is-403": ("D10", "status"),
    "errors-are-texts": ("D13", "envelope"),
    "running-has-no-result": ("D20", "missing"),
    "counts-the-reads-of-a-task": ("D21", "further"),
    "the-balance-is-a-text": ("D22", "types"),
    "progress-is-a-text": ("D22", "types"),
    "done-has-no-result": ("D22", "types"),
    "says-the-plain-word-once": ("D30", "words"),
    "never-ends": ("D31", "end"),
    "submits-say-pending": ("D32", "variant"),
    "ids-have-no-form": ("D32", "variant"),
    "says-cooking": ("D40", "S52"),
    "progress-falls": ("D40", "S57"),
    "runs-after-it-is-done": ("", ""),
    "queued-again-after-running": ("D40", "S52"),
    "echoes-the-key-in-a-header": ("D40", "S15"),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_bad_server_is_named_by_its_rule(name: str, recording: list[Exchange]) -> None:
    where, rule = NAMED[name]
    with bad_server(name, tasks=QUICK) as server:
        results = compared(recording, server.url, deadline=1)
    found = findings(results)
    assert rule in found.get(where, [""]), found
    assert bool(found) == bool(where), found
    verdicts = {one.verdict for one in results}
    assert (Verdict.FAIL in verdicts) == bool(where)


def test_the_defects_that_are_named_are_those_of_bad_servers() -> None:
    assert NAMED.keys() <= DEFECTS.keys()


def test_a_finding_says_what_was_expected_what_came_and_how_to_see_it(recording: list[Exchange]) -> None:
    with bad_server("submits-are-201", tasks=QUICK) as server:
        (status, *_) = compared(recording, server.url)
    (finding, _) = status.findings
    assert (finding.expected, finding.got) == ("200", "201")
    assert finding.curl.startswith("curl -i ")
    assert "$SAFELIGHT_API_KEY" in finding.curl


def test_without_a_budget_no_submit_is_sent_and_nothing_is_decided(recording: list[Exchange]) -> None:
    with bad_server("good", tasks=QUICK) as server:
        results = compared(recording, server.url, max_paid=0)
        assert server.tasks == 0
    (undecided,) = [one for one in results if one.verdict is not Verdict.PASS]
    assert (undecided.id, undecided.verdict) == ("D70", Verdict.INCOMPLETE)
    assert undecided.trials[0].remark == "not sent, as nothing is left of --max-paid (3 times)"


def test_no_more_is_paid_for_than_is_allowed(recording: list[Exchange]) -> None:
    with bad_server("good", tasks=QUICK) as server:
        compared(recording, server.url, max_paid=1)
        assert server.tasks == 1


def test_a_run_that_is_interrupted_says_so_and_does_not_judge_what_has_not_ended() -> None:
    with fake(profile=task_profile(queued=0, running=1_000)) as url:
        run = resending([submit(0), done(1)], url)

        async def go() -> None:
            async with run.gate:
                work = asyncio.ensure_future(run.go())
                while not any(harvest.polls for _, harvest in run.tasks):  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0)
                work.cancel()
                await work

        asyncio.run(go())
    results = {one.id: one for one in run.comparison.results("again")}
    assert results["D70"].trials[0].remark == "it was interrupted"
    assert "D31" not in results
    assert len(run.made()) == 1


@pytest.mark.parametrize("name", ["is-down", "redirects-elsewhere", "streams-for-ever"])
def test_what_is_no_server_of_the_api_is_said_to_be_none(name: str, recording: list[Exchange]) -> None:
    with bad_server(name) as server, pytest.raises((ServerGone, NotThisApi)):
        compared(recording, server.url)


# --- what is sent again --------------------------------------------------------------------------------------------


def script(*history: Exchange) -> Script:
    found = Script()
    found.all(history)
    return found


def sent(*history: Exchange) -> list[tuple[str, str]]:
    return [(again.probe.method, again.probe.query) for again in script(*history).requests]


def test_a_question_is_sent_once_and_a_submit_each_time() -> None:
    assert sent(balance(0, 9), balance(1, 8), submit(2), submit(3)) == [
        ("GET", "endpoint=user_balance"),
        *[("POST", "endpoint=image_generation")] * 2,
    ]


def test_polls_belong_to_their_submit_and_those_of_others_are_left_out() -> None:
    found = script(submit(0, "7"), poll(1, task_id="7"), done(2, task_id="7"), done(3, task_id="8"))
    (again,) = found.requests
    assert (again.is_polled, again.end, found.left_out) == (True, "done", 1)


def test_a_poll_of_an_id_that_nobody_issued_is_sent_again() -> None:
    assert sent(unknown(0, "undefined")) == [("GET", "endpoint=task_status&task_id=undefined")]


@pytest.mark.parametrize(
    "left",
    [
        submit(0, **LOST),
        submit(0, fault="submit: http 500"),
        exchange("GET", "", 0, b"")._replace(target="/shop", headers={"host": "shop.example"}),
        submit(0, body=b"", body_bytes=50),
        submit(0, body=b'{"image": "abc... (20,000 characters, SHA-256 aa"}'),
    ],
)
def test_what_was_not_recorded_whole_or_is_of_another_api_is_not_sent(left: Exchange) -> None:
    assert sent(left) == []


def test_the_key_is_that_of_the_run_however_it_was_recorded() -> None:
    told = {"status": 401, "answer": error("Unauthorized")}
    history = [
        balance(0, 1)._replace(target="/?endpoint=user_balance&api_key=sk-..."),
        submit(0, body=b'{"prompt": "a", "api_key": "sk-..."}'),
        balance(0, 1, **told),
        balance(0, 1, **told, headers={"x-api-key": "..."}),
    ]
    probes = [again.probe for again in script(*history).requests]
    assert [probe.query for probe in probes[:2]] == ["endpoint=user_balance", "endpoint=image_generation"]
    assert probes[1].body == b'{"prompt": "a"}'
    assert [probe.headers.get("x-api-key", "none")[:4] for probe in probes] == ["$SAF", "$SAF", "none", "sk-0"]


def test_more_requests_than_are_sent_are_counted() -> None:
    found = script(*(unknown(0, str(number)) for number in range(1_005)))
    assert (len(found.requests), found.left_out) == (1_000, 5)


# --- what is compared ----------------------------------------------------------------------------------------------


def test_what_was_never_recorded_is_not_judged() -> None:
    with bad_server("running-has-no-result", tasks=QUICK) as server:
        results = compared([submit(0, body=b'{"prompt": "a"}'), done(1)], server.url)
    assert findings(results).keys() <= {"D22", "D40", "D21", "D12", "D11"}
    assert "D20" not in findings(results)


def test_an_optional_field_and_each_type_that_was_recorded_are_right() -> None:
    said = success(user_id=1, username="a", balance=None, currency="credits", more=1)
    history = [balance(0, 1), balance(1, 2.5), exchange("GET", "user_balance", 2, said)]
    for answered in ({"balance": 7}, {"balance": None}, {"balance": 7, "more": 2}):
        data = {"user_id": 1, "username": "a", "currency": "credits", **answered}
        with raw_server(saying(answer(envelope(data)))) as server:
            found = findings(compared(history, server.url))
        assert not found.keys() & {"D20", "D21", "D22"}, found


def test_an_answer_that_is_nested_without_end_is_compared() -> None:
    deep = b'{"success": true, "error": null, "data": ' + b'{"a":' * 900 + b"1" + b"}" * 901
    with raw_server(saying(answer(deep))) as server:
        assert "D21" in findings(compared([balance(0, 1)], server.url))


def test_a_task_that_was_left_running_is_polled_once_and_its_end_is_not_judged() -> None:
    with fake(profile=task_profile(queued=0, running=1_000)) as url:
        results = compared([submit(0), running(1, 0), running(2, 0)], url)
    assert "D31" not in [one.id for one in results]


def test_a_task_that_fails_where_it_was_done_is_a_difference() -> None:
    with fake(profile=task_profile(fail="no paper")) as url:
        assert "D31" in findings(compared([submit(0), done(1)], url))
        assert "D31" not in findings(compared([submit(0), failed(1)], url))
