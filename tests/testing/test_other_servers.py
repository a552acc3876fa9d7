"""Other machines in the suites of users: refused by the guard, allowed by an option, or meant by `--safelight-url`."""

from collections.abc import Iterator
from typing import Final

import pytest

from safelight.mockserver.model.keys import FAKE_KEY
from safelight.testing.safelight import Safelight
from serving import serving
from suites import ALONE, errors, run, run_with_workers, suite

ELSEWHERE: Final = "http://elsewhere.invalid/v1/index.php"

STRAY: Final = f"""
import types

def test(safelight):
    submit(types.SimpleNamespace(url={ELSEWHERE!r}, api_key=safelight.api_key))
"""

REFUSED: Final = "the client wants to connect to elsewhere.invalid, which is not this machine"


@pytest.fixture
def server() -> Iterator[Safelight]:
    """A server of the user's own, which gives its tasks the usual life."""
    with Safelight() as api:
        yield api


def test_a_client_that_strays_is_refused(pytester: pytest.Pytester) -> None:
    result = run(pytester, STRAY)
    result.assert_outcomes(failed=1)
    assert REFUSED in errors(result)[-1]
    assert "guard.py" not in result.stdout.str()


@pytest.mark.parametrize("way", ["fixture", "factory"])
def test_it_is_refused_only_while_the_fixture_is_in_use(pytester: pytest.Pytester, way: str) -> None:
    used = "def test_one(safelight): pass" if way == "fixture" else "def test_one(safelight_factory): pass"
    stray = f"""
def test_two():
    with pytest.raises(httpx.ConnectError):
        httpx.get({ELSEWHERE!r}, verify=False)
"""
    run(pytester, f"{used}\n{stray}").assert_outcomes(passed=2)


def test_a_block_of_the_factory_is_guarded(pytester: pytest.Pytester) -> None:
    tests = f"""
        def test(safelight_factory):
            with safelight_factory(), pytest.raises(AssertionError, match="which is not this machine"):
                httpx.get({ELSEWHERE!r}, verify=False)
    """
    run(pytester, tests).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("option", "ini"), [(["--safelight-allow=elsewhere.invalid"], ""), ([], "safelight_allow = elsewhere.invalid")]
)
def test_a_host_is_allowed_by_option_or_in_the_config_file(
    pytester: pytest.Pytester, option: list[str], ini: str
) -> None:
    pytester.makeini(f"[pytest]\n{ini}\n")
    result = run(pytester, STRAY, *option)
    assert errors(result)[-1].startswith("httpx.ConnectError")


POWERS: Final = """
def test_plain(safelight):
    task_id = submit(safelight)
    assert [poll(safelight, task_id)["status"] for _ in range(3)] == ["pending", "processing", "completed"]

def test_factory(safelight_factory):
    with safelight_factory() as api:
        assert submit(api)

@pytest.mark.safelight(contract=False, virtual_time=True)
def test_harmless(safelight):
    assert submit(safelight, width=2049) is None

def test_factory_judges_nothing(safelight_factory):
    with safelight_factory(contract=True) as api:
        assert submit(api)

@pytest.mark.safelight(queued=10)
def test_life(safelight):
    assert False

@pytest.mark.safelight_faults("poll#1: http 502")
def test_fault(safelight):
    assert False

@pytest.mark.safelight_scenarios("slow")
def test_scenario(safelight):
    assert False

def test_factory_life(safelight_factory):
    with safelight_factory(queued=3):
        assert False

def test_claim(safelight):
    submit(safelight)
    safelight.assert_submitted_once()
    assert False

def test_next(safelight):
    safelight.next(queued=3)
    assert False
"""

SKIPPED: Final = [
    "queued",
    "faults",
    "queued and running",
    "queued",
    "safelight.assert_submitted_once",
    "safelight.next",
]


def test_a_server_of_ones_own_takes_the_place_of_the_fake(pytester: pytest.Pytester, server: Safelight) -> None:
    result = run(pytester, POWERS, f"--safelight-url={server.url}", "-rs")
    result.assert_outcomes(passed=4, skipped=6)
    sentences = [line.partition(": ")[2] for line in result.outlines if line.startswith("SKIPPED")]
    assert [sentence.partition(": ")[0] for sentence in sentences] == SKIPPED
    assert sentences[0] == f"queued: only the fake can do that, and this run is against {server.url}"
    assert [exchange.operation for exchange in server.journal].count("image_generation") == 5


STEERED: Final = """
import time

@pytest.mark.safelight(fail="out of memory", polls=(1, 1))
def test_life(safelight):
    task_id = submit(safelight)
    assert [poll(safelight, task_id)["status"] for _ in range(3)] == ["pending", "processing", "failed"]

@pytest.mark.safelight_faults("poll#1: http 502")
def test_fault(safelight):
    assert poll(safelight, submit(safelight)) is None
    safelight.assert_submitted_once()

@pytest.mark.safelight_faults("poll#9: http 502")
def test_undelivered(safelight):
    poll(safelight, submit(safelight))

def test_next(safelight):
    safelight.next(id="own")
    assert submit(safelight) == "own"
    assert [task.id for task in safelight.tasks] == ["own"]

def test_contract(safelight):
    submit(safelight, width=2049)

def test_clock(safelight):
    safelight.clock

def test_nothing_is_left_of_the_others(safelight):
    assert len(safelight.journal) == 0
"""


def test_a_running_fake_is_steered_for_each_test(pytester: pytest.Pytester) -> None:
    with serving() as served:
        result = run(pytester, STEERED, f"--safelight-url={served.url}", "-rs")
    result.assert_outcomes(passed=4, failed=2, skipped=1)
    told = "\n".join(result.outlines)
    assert "planned was poll#9: http 502, and it never struck: the client sent 1 poll" in told
    assert "the client broke the contract: POST image_generation breaks image_generation.width.maximum" in told
    assert "safelight.clock: only the fake can do that" in told
    assert "0.0      submit   1     200 queued" in told


ALIKE: Final = """
from decimal import Decimal

@pytest.mark.safelight(fail="no paper", polls=(0, 1), prices={"image_generation": 2.5})
def test_session(safelight):
    safelight.plan.add("poll#9: http 502")
    safelight.next(id="own", queued=0, running=1, fail=False, axis="ticks")
    assert [submit(safelight, width=24), len(safelight.tasks)] == ["own", 1]
    [task] = safelight.tasks
    assert (task.number, task.operation, task.axis, task.price) == (1, "image_generation", "ticks", Decimal("2.5"))
    assert (task.request["width"], task.timeline.length) == (24, 1)
    assert poll(safelight, "own")["status"] == "processing"
    safelight.release("own")
    assert poll(safelight, "own")["status"] == "completed"
    assert [poll(safelight, submit(safelight))["status"] for _ in range(1)] == ["processing"]
    poll(safelight, safelight.tasks[-1].id)
    assert [entry.credits for entry in safelight.ledger] == [Decimal("-2.5"), Decimal("-2.5"), Decimal("2.5")]
    assert (safelight.ledger.total, len(str(safelight.ledger).splitlines())) == (Decimal("-2.5"), 4)
    assert [(str(rule), struck) for rule, struck, _ in safelight.plan.counts()] == [("poll#9: http 502", 0)]
    with pytest.raises(AssertionError, match="it never struck: the client sent 4 polls"):
        safelight.assert_plan_delivered()
    safelight.plan.clear()
    assert len(safelight.plan) == 0
    with pytest.raises(AssertionError, match="the client submitted 2 times"):
        safelight.assert_submitted_once()
    safelight.assert_submitted(width=24)
    safelight.assert_polled(at_least=4)
    safelight.assert_key_only_in_headers()
    safelight.timeline("done")
    assert poll(safelight, submit(safelight))["status"] == "completed"
    assert [one.outcome for one in safelight.journal] == 8 * ["ok"]
    assert safelight.transcript.count("submit") == 3

def test_factory(safelight_factory):
    for _ in range(2):
        with safelight_factory(fail=True, polls=(0, 0)) as api:
            assert poll(api, submit(api))["status"] == "failed"
            api.assert_submitted_once()
    with pytest.raises(AssertionError, match="the client broke the contract"), safelight_factory() as api:
        submit(api, width=2049)
"""


@pytest.mark.parametrize("options", [[], ["--safelight-url={url}"]])
def test_a_running_fake_and_one_in_this_process_are_asked_and_told_alike(
    pytester: pytest.Pytester, options: list[str]
) -> None:
    with serving() as served:
        result = run(pytester, ALIKE, *(option.format(url=served.url) for option in options))
    result.assert_outcomes(passed=2)


def test_nothing_is_expected_of_a_running_fake_that_kept_too_little(pytester: pytest.Pytester) -> None:
    tests = """
        def test(safelight):
            for _ in range(1_001):
                poll(safelight, "1")
            safelight.assert_polled()
    """
    with serving() as served:
        result = run(pytester, tests, f"--safelight-url={served.url}")
    result.assert_outcomes(failed=1)
    assert "nothing can be expected: 1 exchanges of this session are no longer kept" in errors(result)[0]


def test_with_several_workers_too(pytester: pytest.Pytester, server: Safelight) -> None:
    result = run_with_workers(pytester, POWERS, f"--safelight-url={server.url}")
    result.assert_outcomes(passed=4, skipped=6)


def test_the_key_comes_from_the_environment_and_is_never_shown(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-" + 16 * "0af"
    monkeypatch.setenv("SAFELIGHT_API_KEY", key)
    with Safelight(api_key=key) as server:
        tests = "def test(safelight):\n    assert submit(safelight)\n    assert poll(safelight, '1')\n"
        result = run(pytester, tests, f"--safelight-url={server.url}", "-vv")
        assert len(server.tasks) == 1
    result.assert_outcomes(failed=1)
    assert key not in result.stdout.str() + result.stderr.str()


def test_without_a_key_this_machine_is_given_the_fakes(pytester: pytest.Pytester, server: Safelight) -> None:
    tests = f"def test(safelight):\n    assert safelight.api_key == {FAKE_KEY!r}\n"
    run(pytester, tests, f"--safelight-url={server.url}").assert_outcomes(passed=1)


@pytest.mark.parametrize("key", ["sk-secret\n and more", "sk-sécret"])
def test_a_key_that_is_none_is_refused_and_not_shown(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("SAFELIGHT_API_KEY", key)
    result = run(pytester, "def test(safelight): pass\n", "--safelight-url=http://127.0.0.1:1/")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "SAFELIGHT_API_KEY holds no key: a header carries 1 to 200 visible ASCII characters" in result.stderr.str()
    assert "cret" not in result.stderr.str() + result.stdout.str()


def test_what_a_url_holds_beside_the_place_is_not_shown(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFELIGHT_API_KEY", "sk-other\n")
    tests = "def test(safelight):\n    assert safelight.api_key == 'sk-other'\n    safelight.next(queued=2)\n"
    result = run(pytester, tests, "-rs", "--safelight-url=http://user:pw-secret@127.0.0.1:1/v1?api_key=sk-secret")
    result.assert_outcomes(skipped=1)
    assert "this run is against http://127.0.0.1:1/v1" in result.stdout.str()
    assert "secret" not in result.stdout.str().partition("test session starts")[2].partition("test_suite.py")[2]


NO_URL: Final = "is no URL of a server: give http://127.0.0.1:8123/v1/index.php"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("api.example/v1", f'"api.example/v1" {NO_URL}'),
        ("ftp://api.example/", f'"ftp://api.example/" {NO_URL}'),
        ("http://api.example:x/", f'"http://api.example:x/" {NO_URL}'),
        ("http://[::1/", f'"http://[::1/" {NO_URL}'),
        ("https://api.example/v1", "api.example wants a key: set SAFELIGHT_API_KEY"),
    ],
)
def test_a_server_that_cannot_be_is_a_usage_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, url: str, sentence: str
) -> None:
    monkeypatch.delenv("SAFELIGHT_API_KEY", raising=False)
    result = run(pytester, "def test(safelight): pass\n", f"--safelight-url={url}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: --safelight-url: {sentence}" in result.errlines
    assert "Traceback" not in result.stderr.str()


def test_a_second_plugin_with_our_fixture_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(other_plugin="import pytest\n\n@pytest.fixture\ndef safelight():\n    return None\n")
    pytester.syspathinsert()
    result = run(pytester, "def test(safelight): pass\n", "-p", "other_plugin")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    sentence = (
        "ERROR: two plugins have a fixture called safelight, this one and other_plugin: leave one out, with "
        "-p no:safelight or -p no:other_plugin"
    )
    assert sentence in (*result.errlines, *result.outlines)
    assert run(pytester, "def test(safelight): pass\n", "-p", "other_plugin", "-p", "no:safelight").ret == 0


@pytest.mark.parametrize("place", ["conftest", "plugin", "test_suite"])
def test_a_suite_may_build_a_fixture_of_that_name_on_ours(pytester: pytest.Pytester, place: str) -> None:
    own = (
        "import pytest\n\n@pytest.fixture\ndef safelight(safelight):\n    safelight.mine = True\n    return safelight\n"
    )
    test = "def test(safelight):\n    assert safelight.mine\n"
    if place == "conftest":
        pytester.makeconftest(own)
    if place == "plugin":
        pytester.makepyfile(suite_fixtures=own)
        pytester.makeconftest("pytest_plugins = ['suite_fixtures']")
        pytester.syspathinsert()
    run(pytester, own + test if place == "test_suite" else test).assert_outcomes(passed=1)


def test_a_port_that_cannot_be_bound_fails_the_test_that_asks_for_it_with_a_sentence(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
        import socket

        def refuse(self, address):
            raise PermissionError(13, "Permission denied")

        socket.socket.bind = refuse
    """)
    suite(
        pytester,
        """
        def test_url(safelight):
            httpx.get(safelight.url)

        def test_transport(safelight):
            with httpx.Client(transport=safelight.transport(httpx), headers={"x-api-key": safelight.api_key}) as http:
                assert http.get("http://fake/v1/index.php?endpoint=user_balance").status_code == 200
        """,
    )
    result = pytester.runpytest_subprocess(*ALONE)
    result.assert_outcomes(failed=1, passed=1)
    sentence = "CannotListen: cannot listen on '127.0.0.1', port 0: Permission denied"
    assert any(line.startswith("E ") and line.endswith(sentence) for line in result.outlines)
    assert any(line.startswith(">") and "httpx.get(safelight.url)" in line for line in result.outlines)
    assert "safelight/mockserver" not in result.stdout.str()
