"""The stories of a search are made of the cases, and a client that is called in haste is judged as any other."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
import requests

import run_liar  # noqa: F401 - registers them
from liars.clients.calling import called
from liars.clients.liar import LIARS
from safelight.conformance.clients.calling import ClientCallable, Job, call, in_haste
from safelight.conformance.clients.case import cases
from safelight.conformance.clients.evidence import Evidence, Limits
from safelight.conformance.clients.runner import of_story
from safelight.conformance.clients.stories import MAX_FAULTS, openings
from safelight.conformance.clients.story import PLAIN, Story, story_of, trials
from safelight.mockserver.faults.rules import read_rules
from safelight.mockserver.pictures import Picture, draw_plain
from safelight.testing.backends.shared_server import SharedServer
from safelight.testing.factory import open_server

LIMITS = Limits(poll=2.0, request=10.0, deadline=60.0)


@pytest.fixture(scope="module")
def server() -> Iterator[SharedServer]:
    """One for all of them, which has drawn a picture: to load what draws takes long."""
    draw_plain(Picture(1, 1, 0, "", {}))
    with open_server(plain_pictures=True) as server:
        yield server


def both_ways(server: SharedServer, client: ClientCallable, story: Story) -> list[Evidence]:
    """What is seen of a client on sockets, and in haste."""
    on_sockets = call(server, client, story.trial(), LIMITS)
    with in_haste(server) as place:
        return [on_sockets, call(server, client, story.trial(), LIMITS, place)]


@pytest.mark.parametrize("seed", range(3))
def test_all_that_goes_wrong_in_the_cases_is_in_the_openings(seed: int) -> None:
    rules = {str(rule.fault) for story in openings(seed) for rule in read_rules(story.faults)}
    planned = [story_of(trial).faults for _, trial in trials()]
    missing = {str(rule.fault) for faults in planned for rule in read_rules(faults)} - rules
    assert {name.partition("(")[0] for name in missing} <= {"Huge", "Bomb"}
    assert {story.fail for story in openings(seed)} >= {story_of(trial).fail for _, trial in trials()}


@pytest.mark.parametrize("most", [0, 1, 2, MAX_FAULTS])
def test_an_opening_has_no_more_faults_than_are_allowed(most: int) -> None:
    assert openings(1, most)
    assert max(len(story.faults) for story in openings(1, most)) <= most


def test_a_rule_about_all_polls_stands_after_the_others() -> None:
    for story in openings(2):
        lasts = [rule.last for rule in read_rules(story.faults) if rule.kind == "poll"]
        assert lasts == sorted(lasts)


def test_a_story_that_is_a_case_expects_what_the_case_does() -> None:
    (trial,) = cases()["5.6"].trials
    names = {one.name for one in story_of(trial).trial().expect}
    assert names >= {one.name for one in trial.expect}
    assert "is_bounded" not in {one.name for one in Story(PLAIN).trial().expect}


def test_a_story_with_other_settings_is_read_back() -> None:
    story = Story(PLAIN, fake={"balance": 0})
    assert Story.of(json.loads(json.dumps(story.form()))) == story


def asked_by_http_client(method: str, url: str, job: Job, body: bytes = b"") -> bytes:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=job.request_timeout_seconds)
    headers = {"x-api-key": job.api_key, "content-type": "application/json"}
    with closing(connection):
        connection.request(method, f"{parts.path}?{parts.query}", body, headers)
        return connection.getresponse().read()


def asked_by_requests(method: str, url: str, job: Job, body: bytes = b"") -> bytes:
    headers = {"x-api-key": job.api_key, "content-type": "application/json"}
    with requests.Session() as session:
        session.trust_env = False
        found = session.request(method, url, data=body, headers=headers, timeout=job.request_timeout_seconds)
        return bytes(found.content)


def asked_by_httpx(method: str, url: str, job: Job, body: bytes = b"") -> bytes:
    headers = {"x-api-key": job.api_key, "content-type": "application/json"}
    with httpx.Client(trust_env=False, timeout=job.request_timeout_seconds) as client:
        return client.request(method, url, content=body, headers=headers).content


def client_of(ask: Any) -> ClientCallable:
    """A client that takes each of its library's exceptions for a bad poll."""

    def client(job: Job) -> bytes:
        submit = f"{job.url}?{urlencode({'endpoint': 'image_generation'})}"
        task_id = json.loads(ask("POST", submit, job, json.dumps(job.parameters).encode()))["data"]["id"]
        poll = f"{job.url}?{urlencode({'endpoint': 'task_status', 'task_id': task_id})}"
        for _ in range(20):
            with suppress(OSError, ValueError, http.client.HTTPException, httpx.HTTPError):
                data = json.loads(ask("GET", poll, job))["data"]
                if data["status"] == "completed":
                    return bytes(ask("GET", data["result"]["image_url"], job))
            time.sleep(job.poll_seconds)
        raise TimeoutError("no end")

    return client


@pytest.mark.parametrize("fault", ["reset", "cut 50", "drip 2000", "idle", "garbled"])
@pytest.mark.parametrize("ask", [asked_by_http_client, asked_by_requests, asked_by_httpx])
def test_a_client_in_haste_sees_what_it_sees_on_a_socket(server: SharedServer, ask: Any, fault: str) -> None:
    one, other = both_ways(server, client_of(ask), Story(PLAIN, (0, 3), faults=(f"poll#2: {fault}",)))
    assert _exchanges(other) == _exchanges(one)
    assert other.ended[0].code == one.ended[0].code == 0
    assert list(other.files[0]) == list(one.files[0])


@pytest.mark.parametrize("ask", [asked_by_http_client, asked_by_requests, asked_by_httpx])
def test_a_time_out_in_haste_is_the_clients_own(server: SharedServer, ask: Any) -> None:
    with in_haste(server) as place:
        story = Story(PLAIN, (0, 3), faults=("poll#2: hang",))
        evidence = call(server, client_of(ask), story.trial(), LIMITS, place)
    times = [one.at for one in evidence.exchanges if one.operation == "task_status"]
    assert times == [0, LIMITS.poll, 2 * LIMITS.poll + LIMITS.request, 3 * LIMITS.poll + LIMITS.request]
    assert evidence.ended[0].code == 0


def _exchanges(evidence: Evidence) -> list[Any]:
    return [(one.method, one.operation, one.status, one.phase, one.wire, one.fault) for one in evidence.exchanges]


@pytest.mark.parametrize(
    "name", ["takes-the-first-bad-poll-for-the-end", "reads-ids-as-floats", "takes-half-a-picture"]
)
def test_a_bad_client_in_haste_breaks_the_same_rules(server: SharedServer, name: str) -> None:
    story = Story(PLAIN, (0, 3), id="9007199254740993", faults=("poll#2: reset", "image#1: truncate 9"))
    one, other = (
        {it.rule for it in of_story(story, way).findings} for way in both_ways(server, called(LIARS[name]), story)
    )
    assert one == other
    assert one


def test_a_client_without_a_time_out_is_stopped_in_no_time(server: SharedServer) -> None:
    client, story = called(LIARS["waits-without-a-time-out"]), Story(PLAIN, (0, 3), faults=("poll#2: hang",))
    with in_haste(server) as place:
        evidence = call(server, client, story.trial(), LIMITS, place)
    assert "U5" in {one.rule for one in of_story(story, evidence).findings}


def test_what_a_client_in_haste_leaves_behind_is_gone_before_the_next_call(server: SharedServer) -> None:
    story = Story(PLAIN, faults=("image: filename ../../escaped.png",))
    with in_haste(server) as place:
        first = call(server, called(LIARS["takes-the-servers-name"]), story.trial(), LIMITS, place)
        after = call(server, called(LIARS["does-nothing"]), story.trial(), LIMITS, place)
    assert first.stray
    assert not after.stray
    assert not after.files[0]
