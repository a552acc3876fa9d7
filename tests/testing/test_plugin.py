"""The fixtures `safelight` and `safelight_factory` in the suites of users."""

import threading

import pytest

from suites import ALONE, suite

FACTS = {
    "a task is pending, then processing, then completed": """
        def test(safelight):
            assert words(safelight) == ["pending", "processing", "completed"]
            assert safelight.url.endswith("/v1/index.php")
            assert [exchange.outcome for exchange in safelight.journal] == ["ok"] * 4
            assert (safelight.ledger.total, len(safelight.tasks)) == (-10, 1)
    """,
    "each test has a session of its own on one server": """
        seen = []

        @pytest.mark.parametrize("number", [1, 2])
        def test(safelight, number):
            submit(safelight)
            assert len(safelight.tasks) == len(safelight.journal) == 1
            seen.append((safelight.url, safelight.api_key, safelight.tasks[0].id))

        def test_together():
            urls, keys, ids = map(set, zip(*seen))
            assert (len(urls), len(keys), len(ids)) == (1, 2, 2)
    """,
    "a key has the published form": """
        import re

        def test(safelight):
            assert re.fullmatch("sk-[0-9a-f]{48}", safelight.api_key)
    """,
    "the clock stands still until it is advanced": """
        @pytest.mark.safelight(queued=600, running=3000)
        def test(safelight):
            task_id = submit(safelight)
            assert poll(safelight, task_id)["status"] == "pending"
            safelight.clock.advance(600 + 1500)
            assert poll(safelight, task_id)["progress"] == 50
            safelight.clock.advance(1500)
            assert poll(safelight, task_id)["status"] == "completed"
    """,
    "the next task can be settled and released": """
        from safelight.contracts import Axis

        def test(safelight):
            safelight.next(running=1, queued=0, fail="no paper", axis=Axis.TICKS)
            task_id = submit(safelight)
            assert poll(safelight, task_id)["status"] == poll(safelight, task_id)["status"] == "processing"
            safelight.release(task_id)
            assert poll(safelight, task_id)["error"] == "no paper"
    """,
    "the application needs no socket": """
        import asyncio, httpx

        async def ask(api):
            headers = {"x-api-key": api.api_key}
            async with httpx.AsyncClient(transport=httpx.ASGITransport(api.asgi), headers=headers) as http:
                await http.post("http://fake/?endpoint=image_generation", json={"prompt": "a lamp"})

        def test(safelight):
            asyncio.run(ask(safelight))
            safelight.assert_submitted_once()
    """,
    "a test that is over leaves a key that is unknown": """
        import types
        before = []

        def test_one(safelight):
            before.append(types.SimpleNamespace(url=safelight.url, api_key=safelight.api_key))

        @pytest.mark.safelight(key_known=False)
        def test_two(safelight):
            assert submit(before[0]) is None
            assert len(safelight.journal) == 0
    """,
    "a test case of unittest may use it": """
        import unittest

        class Test(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def take(self, safelight):
                self.api = safelight

            def test(self):
                assert words(self.api)[-1] == "completed"
    """,
    "the server's thread ends with the run": """
        import threading

        def test(safelight):
            assert safelight.url, "from then on it is listened at"
            assert [thread.name for thread in threading.enumerate()].count("safelight") == 1
    """,
    "polls count": """
        @pytest.mark.safelight(polls=(2, 0))
        def test(safelight):
            assert words(safelight) == ["pending", "pending", "completed"]
    """,
    "tasks fail for a reason": """
        @pytest.mark.safelight(fail="out of memory")
        def test(safelight):
            task_id = submit(safelight)
            assert [poll(safelight, task_id).get("error") for _ in range(3)] == [None, None, "out of memory"]
    """,
    "tasks fail for the service's reason": """
        @pytest.mark.safelight(fail=True)
        def test(safelight):
            assert words(safelight) == ["pending", "processing", "failed"]
    """,
    "a share of the tasks fails": """
        @pytest.mark.safelight(polls=(0, 0), fail_rate=0.5, fail="now and then")
        def test(safelight):
            ends = [words(safelight, 1)[0] for _ in range(40)]
            assert 5 < ends.count("failed") < 35
    """,
    "the nearest marker decides, and what it leaves out the others say": """
        pytestmark = pytest.mark.safelight(polls=(0, 0), vocabulary="plain")

        @pytest.mark.safelight(fail=True)
        class TestAll:
            def test_one(self, safelight):
                assert words(safelight, 1) == ["failed"]

            @pytest.mark.safelight(fail=False)
            def test_two(self, safelight):
                assert words(safelight, 1) == ["done"]
    """,
    "engine slots are few": """
        @pytest.mark.safelight(running=10, slots=1)
        def test(safelight):
            ids = [submit(safelight) for _ in range(2)]
            assert [poll(safelight, task_id)["status"] for task_id in ids] == ["processing", "pending"]
    """,
    "None is as good as left out": """
        @pytest.mark.safelight(queued=None, fail=None, vocabulary=None)
        def test(safelight):
            assert words(safelight) == ["pending", "processing", "completed"]
    """,
    "the factory gives a session for each example": """
        from hypothesis import given, strategies as st

        urls = set()

        @given(st.integers(1, 50), st.sampled_from(["queued", "fail"]))
        def test(safelight_factory, steps, what):
            with safelight_factory(polls=(0, 0), fail=what == "fail") as api:
                urls.add((api.url, api.api_key, submit(api, steps=steps)))
                assert len(api.journal) == 1
            assert len(urls) == 1  # the same ids too: an example can be run again

    """,
    "two sessions of a factory may be open at a time": """
        def test(safelight_factory, safelight):
            with safelight_factory() as one, safelight_factory(queued=1) as other:
                assert len({submit(one), submit(other), submit(safelight)}) == 3
                assert len({one.api_key, other.api_key, safelight.api_key}) == 3
    """,
    "a block of a factory is entered once": """
        def test(safelight_factory):
            block = safelight_factory()
            with block, pytest.raises(RuntimeError, match="call safelight_factory"):
                block.__enter__()
            with pytest.raises(RuntimeError, match="call safelight_factory"):
                block.__enter__()
    """,
    "a broken contract can be what a test is about": """
        @pytest.mark.safelight(contract=False)
        def test(safelight):
            assert submit(safelight, width=2049) is None

        def test_factory(safelight_factory):
            with safelight_factory(contract=False) as api:
                assert submit(api, width=2049) is None
    """,
    "a wrong key and an unknown task break no contract": """
        import types

        @pytest.mark.safelight(key_known=False, only_issued_ids=False)
        def test(safelight):
            assert poll(safelight, "0") is None
            assert submit(types.SimpleNamespace(url=safelight.url, api_key="sk-other")) is None
    """,
    "a broken contract may be expected": """
        @pytest.mark.xfail(raises=AssertionError, strict=True)
        def test(safelight):
            submit(safelight, width=2049)
    """,
}


@pytest.mark.parametrize("fact", FACTS)
def test_in_a_suite(pytester: pytest.Pytester, fact: str) -> None:
    suite(pytester, FACTS[fact])
    result = pytester.runpytest_inprocess(*ALONE, "--strict-markers", "-W", "error")
    assert result.ret == 0
    assert set(result.parseoutcomes()) <= {"passed", "xfailed"}
    assert "safelight" not in [thread.name for thread in threading.enumerate()]
