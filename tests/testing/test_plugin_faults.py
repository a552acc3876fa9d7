"""Faults and scenarios in the suites of users: what is planned strikes, and what never struck is told."""

import re
from typing import Final

import pytest

from safelight.mockserver.faults.scenarios import scenarios
from suites import ALONE, run, run_with_workers, section, suite

FACTS: Final = {
    "what is planned strikes": """
        @pytest.mark.safelight_faults("poll#2: http 502", "poll#3: garbled", "poll#4: reset")
        def test(safelight):
            task_id = submit(safelight)
            assert poll(safelight, task_id)["status"] == "pending"
            assert poll(safelight, task_id) is None
            with pytest.raises(ValueError):
                poll(safelight, task_id)
            with pytest.raises(httpx.ReadError):
                poll(safelight, task_id)
            assert poll(safelight, task_id)["status"] == "completed"
            assert [exchange.fault for exchange in safelight.journal][2:5] == list(map(str, safelight.plan))
    """,
    "a lost answer is paid for": """
        @pytest.mark.safelight_faults("submit#1: reset after")
        def test(safelight):
            with pytest.raises(httpx.ReadError):
                submit(safelight)
            assert (safelight.ledger.total, len(safelight.tasks)) == (-10, 1)
            safelight.assert_submitted_once()
            submit(safelight)
            with pytest.raises(AssertionError, match="submitted 2 times"):
                safelight.assert_submitted_once()
    """,
    "a client that leaves a late or slow answer has met the fault": """
        from contextlib import nullcontext

        @pytest.mark.parametrize("fault", ["hang 1", "hang", "stall", "drip 1"])
        @pytest.mark.parametrize("way", ["socket", "respx"])
        def test(safelight, way, fault):
            safelight.plan.add(f"balance#1: {fault}")
            url, headers = f"{safelight.url}?endpoint=user_balance", {"x-api-key": safelight.api_key}
            ask = lambda: httpx.get(url, headers=headers, timeout=0.1)
            with safelight.respx if way == "respx" else nullcontext():
                with pytest.raises(httpx.ReadTimeout):
                    ask()
                assert ask().status_code == 200
    """,
    "who was not told the end may ask again": """
        @pytest.mark.safelight_faults("poll#3: garbled")
        def test(safelight):
            task_id = submit(safelight)
            poll(safelight, task_id), poll(safelight, task_id)
            with pytest.raises(ValueError):
                poll(safelight, task_id)
            assert poll(safelight, task_id)["status"] == "completed"
            safelight.assert_no_poll_after_end()
            poll(safelight, task_id)
            with pytest.raises(AssertionError, match="is done, and polled it 1 time more"):
                safelight.assert_no_poll_after_end()
    """,
    "markers of a module and of a test add up": """
        pytestmark = pytest.mark.safelight_faults("submit#1: http 503")

        @pytest.mark.safelight_faults("submit#2: http 502")
        def test(safelight):
            assert [submit(safelight) for _ in range(2)] == [None, None]
            assert submit(safelight)
    """,
    "a test may plan more, and less": """
        @pytest.mark.safelight_faults("submit#1: http 503")
        def test(safelight):
            safelight.plan.clear()
            assert submit(safelight)
            safelight.plan.add("submit#1: http 503")
            assert submit(safelight) is None
            assert str(safelight.plan) == "submit#1: http 503  (struck 1 time)"
    """,
    "the marker safelight takes rules too": """
        @pytest.mark.safelight(faults=["submit#1: http 503"])
        @pytest.mark.safelight_faults("submit#2: http 502")
        def test(safelight):
            assert [submit(safelight) is None for _ in range(3)] == [True, True, False]
    """,
    "the factory takes rules": """
        def test(safelight_factory):
            with safelight_factory(faults=["submit#1: http 503"], balance=10) as api:
                assert submit(api) is None
                assert submit(api)
                assert submit(api) is None
    """,
    "a balance is spent": """
        @pytest.mark.safelight(balance=25)
        def test(safelight):
            assert [submit(safelight) is None for _ in range(3)] == [False, False, True]
    """,
    "a scenario is a life and a plan, and virtual time is on": """
        import time

        @pytest.mark.safelight_scenarios("three-bad-polls")
        def test(safelight, safelight_scenario):
            assert safelight_scenario.name == "three-bad-polls"
            assert list(map(str, safelight.plan)) == list(safelight_scenario.plan) == ["poll#2-4: http 503"]
            time.sleep(3600)
            assert safelight.clock.now() == 3600
            assert [bool(poll(safelight, task)) for task in [submit(safelight)] * 6] == [True, *[False] * 3, True, True]
    """,
    "a scenario replaces the life of a marker, and leaves the rest": """
        @pytest.mark.safelight(polls=(9, 9), vocabulary="plain")
        @pytest.mark.safelight_faults("submit#1: http 503")
        @pytest.mark.safelight_scenarios("skips-a-phase")
        def test(safelight):
            assert submit(safelight) is None
            task_id = submit(safelight)
            assert poll(safelight, task_id)["status"] == "queued"
            safelight.clock.advance(5)
            assert poll(safelight, task_id)["status"] == "done"
    """,
    "a test without the marker has no scenario": """
        def test(safelight_scenario):
            assert safelight_scenario is None
    """,
    "a class and other parameters may have scenarios too": """
        @pytest.mark.safelight_scenarios("golden", "fails")
        class Test:
            @pytest.mark.parametrize("number", [1, 2])
            def test(self, safelight, safelight_scenario, number):
                safelight.clock.advance(100)
                ends = poll(safelight, submit(safelight))["status"]
                assert ends == "pending"
    """,
}

CAREFUL: Final = """
import time

def careful(api):
    '''Ends with a word, whatever becomes of the task, and pays once.'''
    try:
        task_id = submit(api)
    except (ValueError, httpx.HTTPError):
        return "unknown"
    if not isinstance(task_id, str):
        return "refused"
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        time.sleep(10)
        query, headers = {"endpoint": "task_status", "task_id": task_id}, {"x-api-key": api.api_key}
        try:
            answer = httpx.get(api.url, params=query, headers=headers, verify=False, timeout=2)
            data = answer.json()["data"]
        except (ValueError, httpx.HTTPError):
            continue
        if answer.status_code == 401:
            return "revoked"
        if data and data["status"] == "completed":
            return "picture" if fetched((data["result"] or {}).get("image_url")) else "no picture"
        if data and data["status"] == "failed":
            return data["error"]
    return "late"

def fetched(url):
    for _ in range(3 if url else 0):
        try:
            answer = httpx.get(url, verify=False)
        except httpx.HTTPError:
            continue
        if answer.status_code == 200 and answer.headers["content-type"].startswith("image/"):
            return True
        time.sleep(1)
    return False
"""


@pytest.mark.parametrize("fact", FACTS)
def test_in_a_suite(pytester: pytest.Pytester, fact: str) -> None:
    suite(pytester, FACTS[fact])
    result = pytester.runpytest_inprocess(*ALONE, "--strict-markers", "-W", "error")
    assert result.ret == 0
    assert set(result.parseoutcomes()) <= {"passed"}


def test_all_scenarios_are_run_and_a_careful_client_ends_in_each(pytester: pytest.Pytester) -> None:
    tests = f"""{CAREFUL}
ENDS = {{
    "empty-account": "refused", "fails": "out of memory", "garbled-answer": "unknown", "gateway-answer": "refused",
    "fails-without-a-reason": "Task processing failed or timed out", "gone-image": "no picture",
    "key-revoked": "revoked", "lost-answer": "unknown", "lost-submit": "unknown", "never-ends": "late",
    "never-starts": "late", "polls-fail-for-good": "late", "refused-once": "refused", "second-key": "refused",
    "redirected-submit": "unknown", "unsuccessful-submit": "refused", "throttled-submit": "refused",
    "page-answer": "unknown", "null-id": "refused", "missing-id": "refused", "number-id": "refused",
    "null-result": "no picture", "empty-result": "no picture", "unknown-last-word": "late",
    "cut-image": "no picture", "page-image": "no picture",
}}

@pytest.mark.safelight_scenarios
def test(safelight, safelight_scenario):
    assert careful(safelight) == ENDS.get(safelight_scenario.name, "picture")
    assert len(safelight.tasks) <= 1
"""
    suite(pytester, tests)
    result = pytester.runpytest_inprocess(*ALONE, "-v")
    result.assert_outcomes(passed=len(scenarios()))
    assert re.findall(r"test_suite.py::test\[(.*?)\] PASSED", result.stdout.str()) == list(scenarios())


def test_a_fault_that_struck_stands_in_the_story(pytester: pytest.Pytester) -> None:
    tests = """
        @pytest.mark.safelight_faults("submit#1: reset after", "poll#2: http 502", "poll#3: garbled")
        def test(safelight):
            with pytest.raises(httpx.ReadError):
                submit(safelight)
            task_id = safelight.tasks[0].id
            for _ in range(2):
                poll(safelight, task_id)
            with pytest.raises(ValueError):
                poll(safelight, task_id)
            assert False
    """
    assert [re.split("  +", line) for line in section(run(pytester, tests))] == [
        ["seconds", "request", "task", "answer", "phase", "fault", "outcome"],
        ["0.0", "submit", "1", "reset", "queued", "submit#1: reset after", "ok"],
        ["0.0", "poll", "1", "200 pending", "queued", "ok"],
        ["0.0", "poll", "1", "502", "running", "poll#2: http 502", "ok"],
        ["0.0", "poll", "1", "200", "done", "poll#3: garbled", "ok"],
    ]


def test_a_line_with_a_fault_has_a_colour_of_its_own(pytester: pytest.Pytester) -> None:
    tests = """
        @pytest.mark.safelight_faults("submit#1: http 503")
        def test(safelight):
            submit(safelight)
            assert False
    """
    lines = run(pytester, tests, "--color=yes").outlines
    assert [line.partition("0.0")[0] for line in lines if "submit#1: http 503  ok" in line] == ["\x1b[35m"]


def test_a_fault_that_never_struck_fails_a_test_that_passed(pytester: pytest.Pytester) -> None:
    tests = """
        @pytest.mark.safelight_faults("poll#2: http 502", "image: garbled")
        def test(safelight):
            words(safelight, 1)
    """
    result = run(pytester, tests)
    result.assert_outcomes(failed=1)
    sentence = (
        "the test passed, but planned was poll#2: http 502, and it never struck: the client sent 1 poll; nor did "
        "image: garbled strike"
    )
    assert sentence in result.outlines
    assert section(result)[-1].startswith("0.0      poll")


def test_a_test_that_uses_the_factory_too_is_judged_all_the_same(pytester: pytest.Pytester) -> None:
    tests = """
        @pytest.mark.safelight_faults("poll#2: http 502")
        def test_plan(safelight, safelight_factory):
            with safelight_factory() as api:
                submit(api)

        def test_contract(safelight, safelight_factory):
            submit(safelight, width=0)
            with safelight_factory() as api:
                submit(api)
    """
    result = run(pytester, tests)
    result.assert_outcomes(failed=2)
    assert sum(line.startswith("the test passed, but ") for line in result.outlines) == 2


def test_a_test_whose_scenario_never_came_about_has_tested_nothing(pytester: pytest.Pytester) -> None:
    tests = """
        @pytest.mark.safelight_scenarios("late-image", "fails")
        def test(safelight):
            words(safelight)
    """
    result = run(pytester, tests, "-rs")
    result.assert_outcomes(passed=1, skipped=1)
    assert any(
        "the scenario late-image never came about: planned was image#1-2: http 404, and it never struck" in line
        for line in result.outlines
    )


MISTAKES: Final = {
    "@pytest.mark.safelight_faults('poll#2: htp 502')": "@pytest.mark.safelight_faults: htp is no fault; did you mean "
    "http?\n  poll#2: htp 502\n          ^ column 9",
    "@pytest.mark.safelight_faults('poll#2')": "@pytest.mark.safelight_faults: a colon is missing: write poll#2: "
    "http 502\n  poll#2\n        ^ column 7",
    "@pytest.mark.safelight_faults(2)": "@pytest.mark.safelight_faults: a rule is a text\n  2\n  ^ column 1",
    "@pytest.mark.safelight_faults()": "@pytest.mark.safelight_faults takes rules, such as 'poll#2: http 502'",
    "@pytest.mark.safelight_faults(poll=2)": "@pytest.mark.safelight_faults takes rules, such as 'poll#2: http 502'",
    "@pytest.mark.safelight_scenarios('one_bad_pol')": "@pytest.mark.safelight_scenarios: 'one_bad_pol' is no "
    "scenario; did you mean one-bad-poll?",
    "@pytest.mark.safelight_scenarios(only='slow')": "@pytest.mark.safelight_scenarios takes names of scenarios, not "
    "only=",
}


@pytest.mark.parametrize("marker", MISTAKES)
def test_a_mistake_in_a_marker_is_a_usage_error(pytester: pytest.Pytester, marker: str) -> None:
    result = run(pytester, f"{marker}\ndef test(safelight): pass\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = result.stderr.str() + result.stdout.str()
    assert MISTAKES[marker] in said
    assert "Traceback" not in said
    assert ".py:" not in said.replace("test_suite.py::test: ", "")


@pytest.mark.parametrize("marker", ["safelight(queued=2)", "safelight_faults('poll#1: reset')"])
def test_a_marker_of_a_test_that_does_not_use_the_fixture_is_refused(pytester: pytest.Pytester, marker: str) -> None:
    result = run(pytester, f"@pytest.mark.{marker}\ndef test(safelight_factory): pass\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    name = marker.partition("(")[0]
    sentence = f"ERROR: test_suite.py::test: @pytest.mark.{name}: the test does not use the fixture safelight"
    assert sentence in (*result.errlines, *result.outlines)
    run(pytester, f"pytestmark = pytest.mark.{marker}\ndef test(): pass\n").assert_outcomes(passed=1)


def test_what_a_scenario_is_not_for_is_refused(pytester: pytest.Pytester) -> None:
    case = """
import unittest

@pytest.mark.safelight_scenarios("slow")
class Test(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def take(self, safelight):
        self.api = safelight

    def test(self):
        pass
"""
    by_hand = (
        "@pytest.mark.parametrize('safelight_scenario', ['slow'])\ndef test(safelight, safelight_scenario): pass\n"
    )
    sentences = {
        case: "@pytest.mark.safelight_scenarios is for test functions, not for a unittest.TestCase",
        by_hand: "the fixture safelight_scenario is given by its marker: @pytest.mark.safelight_scenarios('slow')",
        "@pytest.mark.safelight_scenarios(['slow'])\ndef test(safelight): pass\n": "['slow'] is no scenario: there are",
    }
    for tests, sentence in sentences.items():
        result = run(pytester, tests)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert sentence in result.stderr.str() + result.stdout.str()


def test_a_nearer_life_replaces_the_farther_one(pytester: pytest.Pytester) -> None:
    tests = """
        pytestmark = pytest.mark.safelight(queued=600, vocabulary="plain")

        @pytest.mark.safelight(polls=(0, 1))
        def test(safelight):
            assert words(safelight, 2) == ["running", "done"]
    """
    run(pytester, tests).assert_outcomes(passed=1)


def test_nothing_is_claimed_of_what_is_no_longer_kept(pytester: pytest.Pytester) -> None:
    tests = """
        def test(safelight):
            safelight._backend.seen._max_entries = 3
            words(safelight)
            safelight.assert_submitted_once()
    """
    result = run(pytester, tests)
    result.assert_outcomes(failed=1)
    assert any(
        "nothing can be expected: 1 exchanges of this session are no longer kept" in line for line in result.outlines
    )


def test_a_misspelled_marker_is_refused(pytester: pytest.Pytester) -> None:
    tests = "@pytest.mark.safelight_fault('poll#1: reset')\ndef test(safelight): pass\n"
    result = run(pytester, tests, "-W", "ignore::pytest.PytestUnknownMarkWarning")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    sentence = "ERROR: test_suite.py::test: there is no marker safelight_fault; did you mean safelight_faults?"
    assert sentence in (*result.errlines, *result.outlines)


def test_scenarios_are_of_the_fixture(pytester: pytest.Pytester) -> None:
    result = run(pytester, "@pytest.mark.safelight_scenarios\ndef test(): pass\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "test_suite.py::test: @pytest.mark.safelight_scenarios: the test does not use the fixture safelight" in (
        result.stderr.str() + result.stdout.str()
    )


@pytest.mark.parametrize("marker", [name for name in MISTAKES if "column" in MISTAKES[name] or "scenario" in name])
def test_with_several_workers_too(pytester: pytest.Pytester, marker: str) -> None:
    result = run_with_workers(pytester, f"{marker}\ndef test(safelight): pass\n")
    assert result.ret != 0
    assert MISTAKES[marker].split("\n")[0] in result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    assert "plugin.py" not in result.stdout.str()
