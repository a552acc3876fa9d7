"""A client that cannot be started walks through the cases by itself, and is judged by what it sends."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from safelight.conformance.clients.case import selected
from safelight.conformance.clients.evidence import Limits
from safelight.conformance.clients.walking import PREFIX, Walk, table, walk

GOOD: Final = [sys.executable, "-S", "-E", str(Path(__file__).parents[2] / "good_client.py")]
LIMITS: Final = Limits(poll=0.1, request=0.8, deadline=4.0)


@pytest.fixture
def walking() -> Iterator[Walk]:
    with walk(selected(["1.1", "4.11", "4.7"]), LIMITS, 0) as made:
        yield made


def ask(walking: Walk, method: str, path: str, **more: Any) -> httpx.Response:
    return httpx.request(method, walking.url.replace("/v1/index.php", PREFIX + path), **more)


def go(case: dict[str, str], folder: Path) -> dict[str, Any]:
    """Run the good client in a case, and give what it says at its end."""
    told = {f"SAFELIGHT_{name.upper()}": value for name, value in case.items()}
    ended = subprocess.run(
        GOOD, env={**os.environ, **told, "SAFELIGHT_OUT_DIR": str(folder)}, capture_output=True, text=True, check=False
    )
    return {"exit_code": ended.returncode, "output": ended.stdout + ended.stderr}


def test_a_client_asks_for_one_case_after_the_other(walking: Walk, tmp_path: Path) -> None:
    verdicts = {}
    while (answer := ask(walking, "POST", "/next")).status_code == 200:
        case = answer.json()
        said = ask(walking, "POST", f"/{case['case']}/end", json=go(case, tmp_path)).json()
        verdicts[case["case"]] = said["verdict"]
    assert answer.status_code == 204
    assert verdicts == dict.fromkeys(["1.1", "4.7", "4.11/null", "4.11/missing", "4.11/number", "4.11/object"], "PASS")
    assert walking.is_over.is_set()
    assert [result.verdict for result in walking.results()] == ["PASS"] * 3


def test_a_client_that_pays_twice_is_found_by_its_requests_alone(walking: Walk) -> None:
    case = next(one for one in ask(walking, "GET", "/").json()["cases"] if one["case"] == "4.7")
    headers = {"x-api-key": case["api_key"]}
    for _ in range(2):
        try:
            httpx.post(
                case["base_url"], params={"endpoint": "image_generation"}, json={"prompt": "a lamp"}, headers=headers
            )
        except httpx.ReadError:
            continue
    said = ask(walking, "POST", "/4.7/end").json()
    assert said["verdict"] == "FAIL"
    assert "2 accepted, 1 wanted: 10 credits lost" in said["findings"]


def test_what_nobody_has_come_by_is_incomplete(walking: Walk) -> None:
    assert [result.verdict for result in walking.results()] == ["INCOMPLETE"] * 3


def test_each_case_has_a_key_of_its_own(walking: Walk) -> None:
    keys = [case["api_key"] for case in ask(walking, "GET", "/").json()["cases"]]
    assert len(set(keys)) == len(keys) == 6
    assert all(key in table(walking) for key in keys)


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("POST", "/9.9/end", {}, 404),
        ("GET", "/next", {}, 404),
        ("POST", "/4.7/end", {"json": {"exit_code": "0"}}, 400),
        ("POST", "/4.7/end", {"json": {"exit_code": 0, "output": 1}}, 400),
        ("GET", "/", {"headers": {"host": "example.com"}}, 403),
        ("POST", "/next", {"headers": {"origin": "https://example.com"}}, 403),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(
    walking: Walk, method: str, path: str, more: dict[str, Any], status: int
) -> None:
    answer = ask(walking, method, path, **more)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
