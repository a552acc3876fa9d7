"""Virtual time in the suites of users: their own sleeps move the clock, and a minute passes in no time."""

from math import inf

import pytest

from safelight.testing.virtual_time import thread_time  # here, as a suite within a test forgets what it imports
from suites import ALONE, WITH_ASYNCIO, errors, run, suite

WAITING = """
import asyncio, time
from time import sleep

def wait(api, nap=None):
    task_id, begun = submit(api), time.monotonic()
    while poll(api, task_id)["status"] not in ("completed", "failed"):
        (nap or sleep)(3)
    return time.monotonic() - begun

async def async_wait(api):
    begun = time.monotonic()
    async with httpx.AsyncClient(headers={"x-api-key": api.api_key}) as http:
        answer = await http.post(api.url, params={"endpoint": "image_generation"}, json={"prompt": "a lamp"})
        query = {"endpoint": "task_status", "task_id": answer.json()["data"]["id"]}
        while (await http.get(api.url, params=query)).json()["data"]["status"] != "completed":
            await asyncio.sleep(3)
    return time.monotonic() - begun
"""

FACTS = {
    "a life in seconds turns virtual time on": """
        @pytest.mark.safelight(queued=10, running=50)
        def test(safelight):
            assert wait(safelight) == safelight.clock.now() == 60

        @pytest.mark.safelight(timeline=[("running", 9), ("queued", 3), "done"])
        def test_timeline(safelight):
            assert wait(safelight) == 12
            assert len(safelight.journal) == 6
    """,
    "a task that is given one turns it on": """
        def test(safelight):
            safelight.next(queued=10, running=50, axis="seconds")
            assert wait(safelight) == 60

        def test_timeline(safelight):
            safelight.timeline(("queued", 30), "done", axis="seconds")
            assert wait(safelight) == 30
    """,
    "it can be on for lives in polls, and off for lives in seconds": """
        @pytest.mark.safelight(polls=(10, 10), virtual_time=True)
        def test_on(safelight):
            assert wait(safelight) == safelight.clock.now() == 60

        @pytest.mark.safelight(queued=600, virtual_time=False)
        def test_off(safelight):
            assert wait(safelight, lambda seconds: safelight.clock.advance(200 * seconds)) < 20
            assert safelight.clock.now() == 600
    """,
    "asynchronous clients too": """
        @pytest.mark.safelight(queued=10, running=50)
        def test(safelight):
            assert asyncio.run(async_wait(safelight)) == 60

        @pytest.mark.safelight(queued=10, running=50)
        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_anyio(safelight, anyio_backend):
            assert await async_wait(safelight) == 60
    """,
    "the factory takes it, also within a loop": """
        def test(safelight_factory):
            for _ in range(3):
                with safelight_factory(queued=10, running=50) as api:
                    assert wait(api) == api.clock.now() == 60

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_within(safelight_factory, anyio_backend):
            with safelight_factory(queued=10, running=50) as api:
                assert await async_wait(api) == 60
    """,
    "two patient sessions live by one clock": """
        @pytest.mark.safelight(queued=6)
        def test(safelight, safelight_factory):
            with safelight_factory(queued=30) as api:
                assert api.clock is safelight.clock
                assert wait(api) == 30
                assert wait(safelight) == 6
    """,
    "a client in another process is given a faster clock": """
        import subprocess, sys

        CODE = "import sys, types, time, test_suite\\nprint(test_suite.wait(types.SimpleNamespace(url=sys.argv[1], " \
            "api_key=sys.argv[2]), lambda seconds: time.sleep(seconds / 60)))"

        @pytest.mark.safelight(queued=10, running=50, speed=60)
        def test(safelight):
            begun = safelight.clock.now()
            subprocess.run([sys.executable, "-c", CODE, safelight.url, safelight.api_key], check=True, timeout=60)
            safelight.assert_polled(at_least=3)
            assert safelight.clock.now() - begun >= 60
    """,
    "nothing is left for the next test": """
        SEEN = []

        @pytest.mark.safelight(queued=10)
        def test_one(safelight):
            SEEN.append(time.sleep)

        def test_two():
            assert time.sleep is not SEEN[0]
            assert sleep is time.sleep
    """,
}


@pytest.mark.parametrize("fact", FACTS)
def test_in_a_suite(pytester: pytest.Pytester, fact: str) -> None:
    suite(pytester, WAITING + pytester_text(FACTS[fact]))
    result = pytester.runpytest_inprocess(*ALONE, "--strict-markers", "-W", "error", "-p", "no:cacheprovider")
    assert result.ret == 0
    assert set(result.parseoutcomes()) <= {"passed"}


def pytester_text(tests: str) -> str:
    """A fact without the indentation it has here."""
    lines = tests.splitlines()
    return "\n".join(line[8:] if line.startswith(" " * 8) else line for line in lines)


def test_with_pytest_asyncio(pytester: pytest.Pytester) -> None:
    tests = """
        @pytest.mark.asyncio
        @pytest.mark.safelight(queued=10, running=50)
        async def test(safelight):
            assert await async_wait(safelight) == 60

        @pytest.mark.asyncio(loop_scope="module")
        @pytest.mark.safelight(queued=10, running=50)
        async def test_module(safelight):
            assert await async_wait(safelight) == 60

        @pytest.mark.asyncio(loop_scope="module")
        @pytest.mark.safelight(virtual_time=False)
        async def test_after(safelight):
            begun = time.monotonic()
            await asyncio.sleep(0.01)
            assert 0.01 <= time.monotonic() - begun < 20
    """
    suite(pytester, WAITING + pytester_text(tests))
    pytester.runpytest_inprocess(*WITH_ASYNCIO, "-W", "error").assert_outcomes(passed=3)


def test_a_suite_may_have_virtual_time_throughout(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nsafelight_virtual_time = true\n")
    tests = """
        def test(safelight):
            assert wait(safelight) == safelight.clock.now() == 6

        def test_factory(safelight_factory):
            with safelight_factory() as api:
                assert wait(api) == api.clock.now() == 6

        @pytest.mark.safelight(virtual_time=False)
        def test_not(safelight):
            assert wait(safelight, lambda _: None) < 20
            assert safelight.clock.now() == 0

        @pytest.mark.safelight(speed=60)
        def test_speed(safelight):
            assert safelight.clock.now() > 60
    """
    run(pytester, WAITING + pytester_text(tests)).assert_outcomes(passed=4)


def test_scenarios_may_have_a_clock_of_the_walls(pytester: pytest.Pytester) -> None:
    tests = """
        @pytest.mark.safelight(speed=600)
        @pytest.mark.safelight_scenarios("golden", "one-bad-poll")
        def test(safelight):
            safelight.plan.clear()
            assert wait(safelight, lambda seconds: sleep(seconds / 600)) < 20
    """
    run(pytester, WAITING + pytester_text(tests)).assert_outcomes(passed=2)


#: Clients that end though they were not to, and what is said of the tests, which pass.
FALSE_GREENS = {
    "it does not wait between its polls": (
        """
        @pytest.mark.safelight(running=60)
        def test(safelight):
            task_id = submit(safelight)
            while poll(safelight, task_id)["status"] == "processing":
                pass
        """,
        "the test passed, but the client has sent 51 requests, and the clock stood still: ",
    ),
    "it swallows all that stops it": (
        """
        from contextlib import suppress

        @pytest.mark.safelight(running="never")
        def test(safelight):
            submit(safelight)
            for _ in range(11_000):
                with suppress(BaseException):
                    sleep(3)
        """,
        "the test passed, but the client has slept 10,001 times, ",
    ),
    "so does one of the factory": (
        """
        def test(safelight_factory):
            with safelight_factory(running=60) as api:
                task_id = submit(api)
                while poll(api, task_id)["status"] == "processing":
                    pass
        """,
        "the client has sent 51 requests, and the clock stood still: ",
    ),
}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty polls are too many, however long they take."""
    monkeypatch.setattr(thread_time, "MAX_UNMOVED_POLLS", 50)
    monkeypatch.setattr(thread_time, "MAX_UNMOVED_SECONDS", inf)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("name", FALSE_GREENS)
def test_a_client_that_would_have_gone_on_fails_its_test_at_the_end(pytester: pytest.Pytester, name: str) -> None:
    tests, sentence = FALSE_GREENS[name]
    result = run(pytester, WAITING + pytester_text(tests))
    result.assert_outcomes(failed=1)
    assert any(sentence in line for line in result.outlines)


@pytest.mark.usefixtures("few")
def test_why_it_would_have_gone_on_is_said_where_the_test_fails_otherwise(pytester: pytest.Pytester) -> None:
    tests = WAITING + pytester_text("""
        @pytest.mark.safelight(running=60)
        def test(safelight):
            task_id = submit(safelight)
            while (data := poll(safelight, task_id))["status"] == "processing":
                pass
            assert data["status"] == "completed"
    """)
    result = run(pytester, tests)
    result.assert_outcomes(failed=1)
    assert any(line.startswith("the client has sent 51 requests, and the clock") for line in result.outlines)


def test_a_client_that_never_ends_fails_with_a_sentence_and_its_transcript(pytester: pytest.Pytester) -> None:
    tests = WAITING + pytester_text("""
        @pytest.mark.safelight(running="never")
        def test(safelight):
            task_id = submit(safelight)
            for n in range(10**6):
                if n % 1000 == 0:
                    poll(safelight, task_id)
                sleep(3)
    """)
    result = run(pytester, tests)
    result.assert_outcomes(failed=1)
    assert result.outlines.count(
        "the client has slept 10,001 times, 30,003 s of the clock, and goes on: give it a deadline by time.monotonic, "
        "or the task a timeline that ends"
    )
    assert any(line.startswith("0.0 .. 30000.0  11 polls") for line in result.outlines)
    assert "mockserver/virtual time" not in result.stdout.str()
    assert errors(result) == []


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("timeline('asleep')", "'asleep' is no step of a timeline: write ('running', 5), or a phase alone: "),
        ("timeline()", "a timeline needs at least one step"),
        ("next(queued=-1)", "-1 is no delay: write 2, 1..3, ~5, ~5/0.8 or never"),
        ("plan.add('poll#2: htp 502')", "htp is no fault; did you mean http?"),
    ],
)
def test_a_mistake_within_a_test_is_shown_at_its_line(pytester: pytest.Pytester, call: str, sentence: str) -> None:
    result = run(pytester, f"def test(safelight):\n    safelight.{call}\n")
    result.assert_outcomes(failed=1)
    assert sentence in errors(result)[0]
    assert any(line.startswith(">") and call in line for line in result.outlines)


#: A client that waits in a thread of its own, which virtual time does not move.
IN_A_THREAD = """
    import threading, time

    def wait_in_a_thread(seconds):
        thread = threading.Thread(target=lambda: time.sleep(seconds))
        thread.start()
        thread.join()

    def test(safelight):
        task_id = submit(safelight)
        while poll(safelight, task_id)["status"] != "completed":
            wait_in_a_thread({seconds})
"""


@pytest.mark.parametrize(
    ("option", "outcomes"), [("-Wdefault", {"passed": 1, "warnings": 1}), ("-Werror", {"failed": 1})]
)
def test_a_client_that_waits_in_real_time_is_told_so(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, option: str, outcomes: dict[str, int]
) -> None:
    monkeypatch.setattr(thread_time, "LONG_SECONDS", 0.01)
    result = run(pytester, IN_A_THREAD.format(seconds=0.02), option)
    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines(["*the client waited 0 s of real time between its polls: in another thread or proc*"])
    assert "INTERNALERROR" not in result.stdout.str()
    assert "plugin.py" not in result.stdout.str()


def test_a_client_that_waits_in_no_time_is_told_nothing(pytester: pytest.Pytester) -> None:
    result = run(pytester, IN_A_THREAD.format(seconds=0), "-Werror")
    result.assert_outcomes(passed=1)
