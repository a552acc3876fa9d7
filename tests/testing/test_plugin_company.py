"""The plug-in costs nothing until it is used, gets on with other plug-ins, and refuses what cannot be in a sentence."""

import sys
from collections.abc import Mapping
from typing import Final

import pytest

from safelight.mockserver.model.settings import SLOTS_NEED_SECONDS
from suites import ALONE, TWO_WORKERS, WITH_ASYNCIO, run, run_with_workers, suite

#: What stands in the marker, and the sentence.
MISTAKES: Final = {
    "qeued=2": "qeued is no setting; did you mean queued?",
    "polls=3": "polls: 3 is no pair: write two whole numbers, queued and running, such as 1,2 or [1, 2]",
    "queued=1, polls=(1, 1)": "time is in seconds or in polls: give queued and running, or polls",
    "speed=60, virtual_time=True": "virtual time skips time, and speed lets it pass: give one of them",
    "slots=1": SLOTS_NEED_SECONDS,
    "faults='poll#2: http 502'": 'faults: "poll#2: http 502" is no list: write one in brackets: ["poll#2: http 502"]',
}

#: What other plug-ins are given, a test, and how it ends.
COMPANY: Final[Mapping[str, tuple[list[str], str]]] = {
    "pytest-asyncio": (
        [*WITH_ASYNCIO],
        """
        @pytest.mark.asyncio
        async def test(safelight):
            await async_words(safelight)
        """,
    ),
    "anyio": (
        [*ALONE],
        """
        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test(safelight, anyio_backend):
            await async_words(safelight)
        """,
    ),
    "pytest-randomly": (
        ["-p", "no:asyncio", "-p", "no:xdist", "-p", "no:schemathesis", "-p", "randomly", "-p", "no:cacheprovider"],
        """
        @pytest.mark.parametrize("n", range(5))
        def test(safelight, n):
            assert words(safelight)[-1] == "completed"
        """,
    ),
    "pytest-xdist": (
        [*TWO_WORKERS],
        """
        @pytest.mark.parametrize("n", range(6))
        def test(safelight, safelight_factory, n):
            assert words(safelight)[-1] == "completed"
            assert len(safelight.tasks) == 1
            with safelight_factory() as api:
                assert words(api)[-1] == "completed"
        """,
    ),
}

ASYNC: Final = """
async def async_words(api):
    async with httpx.AsyncClient(headers={"x-api-key": api.api_key}) as http:
        answer = await http.post(api.url, params={"endpoint": "image_generation"}, json={"prompt": "a lamp"})
        query = {"endpoint": "task_status", "task_id": answer.json()["data"]["id"]}
        words = [(await http.get(api.url, params=query)).json()["data"]["status"] for _ in range(3)]
        assert words == ["pending", "processing", "completed"]
"""

PRINT_MODULES: Final = """
import sys, pytest
code = pytest.main(["-q", "-p", "no:cacheprovider", "test_empty.py", *sys.argv[1:]])
print("MODULES", *sorted(sys.modules))
sys.exit(code)
"""


@pytest.mark.parametrize("written", MISTAKES)
def test_a_mistake_in_the_marker_is_a_usage_error(pytester: pytest.Pytester, written: str) -> None:
    tests = f"@pytest.mark.safelight({written})\ndef test(safelight): pass\n"
    result = run(pytester, tests)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in (*result.errlines, *result.outlines) if line.startswith("ERROR")]
    assert line == f"ERROR: test_suite.py::test: @pytest.mark.safelight: {MISTAKES[written]}"
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_the_marker_takes_names_alone(pytester: pytest.Pytester) -> None:
    result = run(pytester, "@pytest.mark.safelight(2)\ndef test(safelight): pass\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: test_suite.py::test: @pytest.mark.safelight takes names, such as queued=2, not 2" in result.errlines


def test_a_mistake_is_a_sentence_with_several_workers_too(pytester: pytest.Pytester) -> None:
    result = run_with_workers(pytester, "@pytest.mark.safelight(qeued=2)\ndef test(safelight): pass\n")
    result.assert_outcomes(errors=1)
    sentence = "test_suite.py::test: @pytest.mark.safelight: qeued is no setting; did you mean queued?"
    assert sentence in result.outlines
    assert "During handling" not in result.stdout.str(), "nor a traceback"


def test_a_mistake_in_a_call_of_the_factory_is_a_sentence(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test(safelight_factory):\n    with safelight_factory(polls=3): pass\n")
    result.stdout.fnmatch_lines(["E * *WrongSetting: polls: 3 is no pair: *"])


@pytest.mark.parametrize("name", COMPANY)
def test_it_gets_on_with(pytester: pytest.Pytester, name: str) -> None:
    options, tests = COMPANY[name]
    suite(pytester, tests)
    with pytester.path.joinpath("client.py").open("a") as client:
        client.write(ASYNC)
    start = pytester.runpytest_inprocess if "xdist" in name else pytester.runpytest_subprocess
    result = start("--strict-markers", *options)
    assert set(result.parseoutcomes()) == {"passed"}, result.stdout.str()


def test_the_story_of_a_worker_is_told(pytester: pytest.Pytester) -> None:
    tests = "def test(safelight):\n    words(safelight)\n    assert False\n"
    result = run_with_workers(pytester, tests, "--color=yes")
    result.stdout.fnmatch_lines(
        ["*- safelight, contract 1.* -*", "*seconds * outcome*", "\x1b[[]32m0.0 * completed * done * ok*"]
    )


@pytest.mark.parametrize("options", [ALONE, TWO_WORKERS, ("-p", "no:asyncio", "-p", "no:schemathesis")])
def test_a_test_sees_the_same_ids_in_each_run(pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    tests = """
        @pytest.mark.parametrize("n", range(3))
        def test(safelight, safelight_factory, n, request):
            with safelight_factory() as api:
                ids = [submit(api), submit(safelight), submit(safelight)]
            expected = request.config.rootpath / f"{n}.txt"
            assert not expected.exists() or expected.read_text() == repr(ids)
            expected.write_text(repr(ids))
    """
    run(pytester, tests).assert_outcomes(passed=3)
    again = pytester.runpytest_inprocess if options == TWO_WORKERS else pytester.runpytest_subprocess
    again(*options).assert_outcomes(passed=3)


def test_it_can_be_switched_off(pytester: pytest.Pytester) -> None:
    suite(pytester, "def test_one(): pass\ndef test_two(safelight): pass\n")
    result = pytester.runpytest_inprocess(*ALONE, "-p", "no:safelight")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E * fixture 'safelight' not found"])


def test_the_marker_is_documented(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(*ALONE, "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.safelight(*settings): *queued=2, polls=(1, 2)*"])


def modules(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, *options: str) -> set[str]:
    """What is imported by a run in which one test does nothing."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_empty="def test(): pass")
    result = pytester.run(sys.executable, "-c", PRINT_MODULES, *options)
    assert result.ret == 0, result.stdout.str()
    (line,) = [line for line in result.outlines if line.startswith("MODULES")]
    return set(line.split()[1:])


def test_an_unused_plugin_imports_itself_and_nothing_else(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = modules(pytester, monkeypatch)
    having = modules(pytester, monkeypatch, "-p", "safelight")
    assert having - without == {
        "safelight",
        "safelight.testing",
        "safelight.testing.plugin",
        "safelight.mockserver",
        "safelight.mockserver.model",
        "safelight.mockserver.model.real_time",
    }
    heavy = {"starlette", "hypothesis", "uvicorn", "jsonschema", "PIL", "httpx", "anyio", "safelight.contracts"}
    assert not heavy & having
