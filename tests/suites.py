"""Suites of users, run by pytester: a client, and tests of it that have nothing but what a user has."""

from itertools import takewhile
from textwrap import dedent
from typing import Final

import httpcore2  # noqa: F401 - what is first imported within a run is forgotten after it: the guard would miss it
import pytest

#: Certificates are not loaded: that takes 30 ms a request, and there are none here.
CLIENT: Final = """
import httpx

def submit(api, **request):
    query = {"endpoint": "image_generation"}
    headers, document = {"x-api-key": api.api_key}, {"prompt": "a lamp", **request}
    answer = httpx.post(api.url, params=query, headers=headers, json=document, verify=False)
    return (answer.json()["data"] or {}).get("id")

def poll(api, task_id):
    query = {"endpoint": "task_status", "task_id": task_id}
    return httpx.get(api.url, params=query, headers={"x-api-key": api.api_key}, verify=False).json()["data"]

def words(api, times=3):
    task_id = submit(api)
    return [poll(api, task_id)["status"] for _ in range(times)]
"""

#: Other plug-ins that are installed here stay out, unless a test is about them.
ALONE: Final = tuple(
    f"-pno:{plugin}" for plugin in ("asyncio", "randomly", "xdist", "schemathesis", "hypothesispytest")
)

#: With pytest-asyncio, which `ALONE` leaves out.
WITH_ASYNCIO: Final = (*ALONE[1:], "-oasyncio_default_fixture_loop_scope=function")

#: As `ALONE`, with two workers.
TWO_WORKERS: Final = (*(option for option in ALONE if "xdist" not in option), "-n2")


def suite(pytester: pytest.Pytester, tests: str) -> None:
    """Write a suite with the client above."""
    pytester.makepyfile(client=CLIENT)
    pytester.path.joinpath("test_suite.py").write_text(f"import pytest\nfrom client import *\n{dedent(tests)}")


def run(pytester: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    """Run a suite in this process, with no other plug-ins."""
    suite(pytester, tests)
    return pytester.runpytest_inprocess(*ALONE, *options)


def run_with_workers(pytester: pytest.Pytester, tests: str, *options: str) -> pytest.RunResult:
    """Run a suite with two workers, which this process controls."""
    suite(pytester, tests)
    return pytester.runpytest_inprocess(*TWO_WORKERS, *options)


def section(result: pytest.RunResult, name: str = "safelight, contract 1.0.0") -> list[str]:
    """The lines of the first section of this name in a report."""
    lines = iter(result.outlines)
    for line in lines:
        if line.startswith("---") and line.strip("- ") == name:
            break
    return list(takewhile(lambda line: not line.startswith(("---", "===", "___")), lines))


def errors(result: pytest.RunResult) -> list[str]:
    """The lines that pytest marks as the error."""
    return [line.removeprefix("E").strip() for line in result.outlines if line.startswith("E  ")]
