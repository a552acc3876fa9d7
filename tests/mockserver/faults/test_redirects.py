"""A redirect is followed by the request itself, which is carried out once: to plan, task and ledger both are one."""

from collections.abc import Mapping
from itertools import product
from typing import Any, Final

import httpx
import pytest

from safelight.mockserver.model.clock import VirtualClock
from safelight.testing.safelight import Safelight

STATUSES: Final = (301, 302, 303, 307, 308)
PLACES: Final = ("elsewhere", "here")
REDIRECTS: Final = list(product(STATUSES, PLACES))

#: Statuses with which a POST is sent again as it was.
KEEPING: Final = (307, 308)


def client(api: Safelight) -> httpx.Client:
    headers = {"x-api-key": api.api_key}
    return httpx.Client(transport=api.transport(httpx), headers=headers, follow_redirects=True)


def submitted(http: httpx.Client, api: Safelight, prompt: str = "a lamp") -> httpx.Response:
    body = {"prompt": prompt, "width": 8, "height": 8}
    return http.post(f"{api.url}?endpoint=image_generation", json=body)


def polled(http: httpx.Client, api: Safelight, task_id: str) -> Mapping[str, Any]:
    answer = http.get(api.url, params={"endpoint": "task_status", "task_id": task_id}).json()
    return dict(answer["data"] or answer["error"])


@pytest.mark.parametrize(("status", "place"), REDIRECTS)
def test_a_poll_that_is_redirected_counts_once_in_the_life_of_its_task(status: int, place: str) -> None:
    with Safelight(polls=(1, 1), faults=[f"poll: redirect {status} {place}"]) as api, client(api) as http:
        task_id = submitted(http, api).json()["data"]["id"]
        words = [polled(http, api, task_id)["status"] for _ in range(3)]
        assert words == ["pending", "processing", "completed"]
        assert [exchange.status for exchange in api.journal][1:] == [status, 200] * 3
        assert [counts[1:] for counts in api.plan.counts()] == [(3, 3)]
        api.assert_polled(at_least=3)
        with pytest.raises(AssertionError):
            api.assert_polled(at_least=4)


@pytest.mark.parametrize("place", PLACES)
def test_the_counters_of_other_rules_count_it_once(place: str) -> None:
    rules = [f"poll#1: redirect 302 {place}", "poll#2: http 502", "poll#3: word odd"]
    with Safelight(polls=(9, 9), faults=rules) as api, client(api) as http:
        task_id = submitted(http, api).json()["data"]["id"]
        answers = [polled(http, api, task_id) for _ in range(4)]
        assert [answer.get("status", "error") for answer in answers] == ["pending", "error", "odd", "pending"]
        assert api.plan.undelivered() == []


@pytest.mark.parametrize(("status", "place"), REDIRECTS)
def test_a_submit_is_paid_for_where_it_is_sent_again_and_once(status: int, place: str) -> None:
    with Safelight(faults=[f"submit: redirect {status} {place}"]) as api, client(api) as http:
        assert submitted(http, api).status_code == (200 if status in KEEPING else 405)
        assert api.ledger.total == (-10 if status in KEEPING else 0)
        if status in KEEPING:
            api.assert_submitted_once()


@pytest.mark.parametrize(("status", "place"), REDIRECTS)
def test_a_picture_is_fetched_behind_a_redirect(status: int, place: str) -> None:
    with Safelight(polls=(0, 0), faults=[f"image: redirect {status} {place}"]) as api, client(api) as http:
        result = polled(http, api, submitted(http, api).json()["data"]["id"])["result"]
        assert http.get(result["image_url"]).headers["content-type"] == "image/png"
        assert [exchange.status for exchange in api.journal][2:] == [status, 200]


@pytest.mark.parametrize("place", PLACES)
def test_a_directive_redirects_its_submit_once(place: str) -> None:
    with Safelight() as api, client(api) as http:
        answer = submitted(http, api, f"a lamp [[safelight submit: redirect 307 {place}]][[safelight fail=true]]")
        assert answer.status_code == 200
        assert len(api.tasks) == 1


def test_a_redirect_of_a_submit_that_was_carried_out_is_said() -> None:
    with Safelight(faults=["submit: redirect 307 here after"]) as api, client(api) as http:
        submitted(http, api)
        assert len(api.tasks) == 2


def test_what_lies_behind_a_redirect_needs_no_advice() -> None:
    with Safelight(polls=(0, 0), faults=["poll: redirect 302 here"]) as api, client(api) as http:
        polled(http, api, submitted(http, api).json()["data"]["id"])
        assert [list(exchange.advice) for exchange in api.journal] == [[], [], []]


def test_a_picture_at_the_second_origin_is_struck_as_any_other() -> None:
    with Safelight(polls=(0, 0), faults=["poll: result elsewhere", "image: redirect 302"]) as api, client(api) as http:
        result = polled(http, api, submitted(http, api).json()["data"]["id"])["result"]
        assert http.get(result["image_url"]).history[0].status_code == 302


def test_the_time_between_polls_is_that_between_their_answers() -> None:
    clock = VirtualClock()
    with Safelight(polls=(9, 9), clock=clock, faults=["poll: redirect 302"]) as api, client(api) as http:
        task_id = submitted(http, api).json()["data"]["id"]
        polled(http, api, task_id)
        clock.advance(5)
        polled(http, api, task_id)
        assert [exchange.gap for exchange in api.journal][-2:] == [None, 5]
