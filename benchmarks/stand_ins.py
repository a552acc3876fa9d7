"""Milliseconds of one test, by ways to stand in for the API: each a suite of its own, run by pytest in a process.

Every test does the same: a submit and three polls with the module's one client, and the statuses are asserted. What is
counted is all that pytest does for a test, from the end of the first to the end of the last but one: the first and the
last pay for what is paid once, such as imports, a server's start and its end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import timeit
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import httpx
from orders import BODY
from start_up import imported

from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.testing.safelight import Safelight

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Tests of one suite, and rounds in which each suite is run once: a slow moment of the machine hits all alike.
_TESTS, _ROUNDS = 500, 7

_PLUGIN: Final = "safelight.testing.plugin"

#: Where the fakes written by hand answer; nothing listens there.
_URL: Final = "http://127.0.0.1:8000/v1/index.php"


@dataclass(frozen=True, slots=True)
class Suite:
    """One way to stand in for the API."""

    name: str
    #: The package that it needs, as it is installed and as it is imported.
    package: str
    module: str
    #: The body of its test, and the fixture that it uses.
    test: str
    fixture: str = ""
    #: The one plugin that pytest loads.
    plugin: str = ""
    #: What the client is made of.
    client: str = "httpx.Client"
    #: The suite it is compared with, and the most it may take, in times of that.
    beside: str = ""
    most: float = 1.0


_RESPX, _HTTPSERVER = "respx, routes by hand", "pytest-httpserver"

#: Those that are compared stand side by side, and so are run one after the other.
SUITES: Final = (
    Suite(
        _RESPX,
        package="respx",
        module="respx",
        plugin="respx.plugin",
        fixture="respx_mock",
        test="""
    respx_mock.post(URL, params=SUBMIT).respond(json=SUBMITTED)
    respx_mock.get(URL, params=POLL).mock(side_effect=[httpx.Response(200, json=answer) for answer in POLLED])
    job(client, URL, KEY)
""",
    ),
    Suite(
        "safelight.respx",
        package="safelight",
        module="safelight",
        plugin=_PLUGIN,
        fixture="safelight",
        test="""
    with safelight.respx:
        job(client, safelight.url, safelight.api_key)
""",
        beside=_RESPX,
        most=1.3,
    ),
    Suite(
        "pytest-httpx",
        package="pytest-httpx",
        module="pytest_httpx",
        plugin="pytest_httpx",
        fixture="httpx_mock",
        test="""
    httpx_mock.add_response(method="POST", url=URL, match_params=SUBMIT, json=SUBMITTED)
    for answer in POLLED:
        httpx_mock.add_response(method="GET", url=URL, match_params=POLL, json=answer)
    job(client, URL, KEY)
""",
    ),
    Suite(
        "responses, with requests",
        package="responses",
        module="responses",
        client="requests.Session",
        test="""
    with responses.RequestsMock() as mock:
        mock.post(URL, match=[query_param_matcher(SUBMIT)], json=SUBMITTED)
        for answer in POLLED:
            mock.get(URL, match=[query_param_matcher(POLL)], json=answer)
        job(client, URL, KEY)
""",
    ),
    Suite(
        _HTTPSERVER,
        package="pytest-httpserver",
        module="pytest_httpserver",
        plugin="pytest_httpserver.pytest_plugin",
        fixture="httpserver",
        test="""
    httpserver.expect_oneshot_request(PATH, method="POST", query_string=SUBMIT).respond_with_json(SUBMITTED)
    for answer in POLLED:
        httpserver.expect_oneshot_request(PATH, method="GET", query_string=POLL).respond_with_json(answer)
    job(client, httpserver.url_for(PATH), KEY)
""",
    ),
    Suite(
        "safelight, over a socket",
        package="safelight",
        module="safelight",
        plugin=_PLUGIN,
        fixture="safelight",
        test="""
    job(client, safelight.url, safelight.api_key)
""",
        beside=_HTTPSERVER,
        most=0.8,
    ),
)

#: What precedes the test of each suite. The client is made once: 30 ms a test would hide everything.
_HEAD: Final = """
import pytest
{imports}

URL, PATH, KEY = {url!r}, {path!r}, {key!r}
BODY = {body!r}
SUBMITTED, *POLLED = {answers!r}
SUBMIT = {{"endpoint": "image_generation"}}
POLL = {{"endpoint": "task_status", "task_id": SUBMITTED["data"]["id"]}}

@pytest.fixture(scope="module")
def client():
    with {client}() as client:
        yield client

def job(client, url, key):
    headers = {{"x-api-key": key}}
    answer = client.post(url, params=SUBMIT, headers=headers, json=BODY)
    assert answer.status_code == 200
    query = {{"endpoint": "task_status", "task_id": answer.json()["data"]["id"]}}
    for status in ("pending", "processing", "completed"):
        answer = client.get(url, params=query, headers=headers)
        assert answer.status_code == 200
        assert answer.json()["data"]["status"] == status

@pytest.mark.parametrize("number", range({tests}))
def test_job({fixtures}):{test}
"""

#: Writes down when each test ended.
_CONFTEST: Final = """
import json
import time
from pathlib import Path

ENDS = []

def pytest_runtest_logfinish():
    ENDS.append(time.perf_counter())

def pytest_unconfigure():
    Path(__file__).with_name("ends.json").write_text(json.dumps(ENDS))
"""


def rows() -> list[tuple[str, float, str]]:
    """(what, milliseconds, goal). Says which suites are left out, as their packages are missing."""
    for suite in SUITES:
        if not find_spec(suite.module):
            print(f"  left out: {suite.name}; the package {suite.package} is missing: pip install {suite.package}")
    suites = [suite for suite in SUITES if find_spec(suite.module)]
    with TemporaryDirectory() as folder:
        places = {suite: _written(suite, Path(folder) / str(number)) for number, suite in enumerate(suites)}
        rounds = [{suite.name: _milliseconds(suite, place) for suite, place in places.items()} for _ in range(_ROUNDS)]
    added = median(imported(f"pytest, {_PLUGIN}") for _ in range(_ROUNDS))
    return [
        *((suite.name, median(times[suite.name] for times in rounds), _compared(suite, rounds)) for suite in suites),
        ("the plugin, unused, once a run", added, "under 10 ms"),
        ("a minute of virtual time, 20 polls", 1000 * median(_patient_minute() for _ in range(_ROUNDS)), ""),
    ]


def _patient_minute() -> float:
    """Seconds of the wall in which a client polls every three seconds through a task of a minute, over a socket."""
    with (
        Safelight(queued=10, running=50, virtual_time=True) as api,
        httpx.Client(headers={"x-api-key": api.api_key}) as http,
    ):
        begun = timeit.default_timer()
        task = http.post(f"{api.url}?endpoint=image_generation", json=BODY).json()["data"]
        query = {"endpoint": "task_status", "task_id": task["id"]}
        while http.get(api.url, params=query).json()["data"]["status"] != "completed":
            time.sleep(3)
        return timeit.default_timer() - begun  # the standard library's name for it stays the wall's


def _compared(suite: Suite, rounds: list[dict[str, float]]) -> str:
    if suite.beside not in rounds[0]:
        return ""
    times = median(of[suite.name] / of[suite.beside] for of in rounds)
    return f"{times:.2f} times {suite.beside}; goal: at most {suite.most}"


def _written(suite: Suite, folder: Path) -> Path:
    """The suite as files in this folder."""
    library = suite.client.partition(".")[0]
    imports = [f"import {library}"]
    if suite.module == "responses":
        imports += ["import responses", "from responses.matchers import query_param_matcher"]
    text = _HEAD.format(
        imports="\n".join(imports),
        url=_URL,
        path="/v1/index.php",
        key=FAKE_KEY,
        body=BODY,
        answers=list(_answers()),
        client=suite.client,
        tests=_TESTS,
        fixtures=", ".join(filter(None, (suite.fixture, "client", "number"))),
        test=suite.test,
    )
    folder.mkdir()
    (folder / "test_job.py").write_text(text)
    (folder / "conftest.py").write_text(_CONFTEST)
    (folder / "pytest.ini").write_text("[pytest]\n")  # no settings of whoever runs this
    return folder


def _answers() -> Iterator[Any]:
    """What the fake answers to a submit and three polls: the fakes written by hand answer the same."""
    api = Service(keys=[FAKE_KEY], settings=Settings(task_profile(polls=(1, 1))))
    headers = {"x-api-key": FAKE_KEY, "content-type": "application/json"}
    body = json.dumps(BODY).encode()
    submitted = json.loads(api.handle(Request("POST", "/", "endpoint=image_generation", headers, body)).body)
    yield submitted
    for _ in range(3):
        query = f"endpoint=task_status&task_id={submitted['data']['id']}"
        yield json.loads(api.handle(Request("GET", "/", query, headers)).body)


def _milliseconds(suite: Suite, folder: Path) -> float:
    """The mean of all tests but the first and the last."""
    plugin = ["-p", suite.plugin] if suite.plugin else []
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *plugin, "test_job.py"]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the suite {suite.name} failed:\n{done.stdout}{done.stderr}")
    ends = json.loads((folder / "ends.json").read_text())
    assert len(ends) == _TESTS
    return 1000 * float(ends[-2] - ends[0]) / (_TESTS - 2)


if __name__ == "__main__":
    for what, milliseconds, goal in rows():
        print(f"{what:<36}{milliseconds:>8.2f} ms  {goal}")
