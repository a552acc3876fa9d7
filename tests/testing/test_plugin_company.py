"""The plug-in costs nothing until it is used, gets on with other plug-ins, and refuses what cannot be in a sentence."""

import sys
from collections.abc import Mapping
from typing import Final

import pytest

from safelight.mockserver.model.settings import SLOTS_NEED_SECONDS
from suites import ALONE, TWO_WORKERS, run, run_with_workers, suite

#: What stands in the marker, and the sentence.
MISTAKES: Final = {
    "qeued=2": "qeued is no option; did you mean queued?",
    "colour='red'": "colour is no option: there are queued, running, polls, timeline, fail, fail_rate, slots, balance, "
    "prices, down, vocabulary, errors, limits, virtual_time, speed, contract and faults",
    "timeline=[('asleep', 3), 'done']": "('asleep', 3) is no step of a life: write ('running', 5), or a phase alone: "
    "queued, running, done, failed, unseen",
    "timeline=[('running', -3), 'done']": "a step cannot last -3: a dwell is 0 or more",
    "timeline=[]": "a timeline needs at least one step",
    "timeline='done'": "timeline='done' cannot be: give steps, such as [('queued', 2), ('running', 5), 'done']",
    "timeline=['done'], queued=2": "lives are in seconds or in a timeline: give queued and running, or timeline",
    "timeline=['done'], fail=True": "a timeline is a whole life: leave out fail and fail_rate",
    "speed=10**400": "speed=100000000000000000...0000000000000000000 cannot be: give how many times faster than the "
    "wall, above 0",
    "balance=-1": "balance=-1 cannot be: give credits, 0 or more",
    "virtual_time='yes'": "virtual_time='yes' cannot be: give True or False",
    "speed=0": "speed=0 cannot be: give how many times faster than the wall, above 0",
    "speed=60, virtual_time=True": "virtual time skips time, and speed lets it pass: give one of them",
    "queued='soon'": "'soon' is no delay: write 2, 1..3, ~5, ~5/0.8 or never",
    "queued=-1": "-1 is no delay: write 2, 1..3, ~5, ~5/0.8 or never",
    "queued=[1]": "queued=[1] cannot be: give 2, '1..3', '~5', '~5/0.8' or 'never'",
    "running=True": "running=True cannot be: give 2, '1..3', '~5', '~5/0.8' or 'never'",
    "polls=3": "polls=3 cannot be: give two counts, such as (1, 2): queued for one poll, running for two",
    "polls=(1, 2, 3)": "polls=(1, 2, 3) cannot be: give two counts, such as (1, 2): queued for one poll, running for "
    "two",
    "polls=(1, -2)": "polls=(1, -2) cannot be: give two counts, such as (1, 2): queued for one poll, running for two",
    "queued=1, polls=(1, 1)": "lives are in seconds or in polls: give queued and running, or polls",
    "fail=3": "fail=3 cannot be: give a reason, or True for the service's own",
    "fail=''": "fail='' cannot be: give a reason, or True for the service's own",
    "fail_rate='all'": "fail_rate='all' cannot be: give a share, 0 to 1",
    "fail_rate=2": "a fail rate of 2 is no share: give 0 to 1",
    "slots='2'": "slots='2' cannot be: give how many tasks run at once, 1 or more",
    "slots=0, queued=1": "0 engine slots would run nothing: give a whole number, 1 or more",
    "slots=1": SLOTS_NEED_SECONDS,
    "vocabulary='french'": "vocabulary cannot be 'french': there are published and plain",
    "vocabulary=['plain']": "vocabulary=['plain'] cannot be: give 'published' or 'plain'",
    "contract=0": "contract=0 cannot be: give True or False",
}

#: What other plug-ins are given, a test, and how it ends.
COMPANY: Final[Mapping[str, tuple[list[str], str]]] = {
    "pytest-asyncio": (
        [
            "-p",
            "no:randomly",
            "-p",
            "no:xdist",
            "-p",
            "no:schemathesis",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
        ],
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
    sentence = "test_suite.py::test: @pytest.mark.safelight: qeued is no option; did you mean queued?"
    assert sentence in result.outlines
    assert "During handling" not in result.stdout.str(), "nor a traceback"


def test_a_mistake_in_a_call_of_the_factory_is_a_sentence(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test(safelight_factory):\n    with safelight_factory(polls=3): pass\n")
    result.stdout.fnmatch_lines(["E * ValueError: polls=3 cannot be: give two counts*"])


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
    result.stdout.fnmatch_lines(["@pytest.mark.safelight(queued, running, polls, *"])


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
        "safelight.testing.real_time",
    }
    heavy = {"starlette", "hypothesis", "uvicorn", "jsonschema", "PIL", "httpx", "anyio", "safelight.contracts"}
    assert not heavy & having
