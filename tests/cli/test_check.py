"""`safelight check client`, `explain`, `fuzz` and `replay`, as people call them."""

import json
import os
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from safelight.cli.main import main
from safelight.conformance.report.exit_code import UNDECIDED

SAFELIGHT: Final = Path(sys.executable).with_name("safelight")
TESTS: Final = Path(__file__).parents[1]
PYTHON: Final = (sys.executable, "-S", "-E")
GOOD: Final = (*PYTHON, str(TESTS / "good_client.py"))
QUICK: Final = ("--interval", "0.1", "--request-timeout", "0.8", "--deadline", "3")


def liar(name: str) -> tuple[str, ...]:
    return (*PYTHON, str(TESTS / "run_liar.py"), name)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of the test's own, where memories are kept."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def called(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def checked(*arguments: str, cmd: tuple[str, ...] = GOOD) -> Result:
    return called("check", "client", *QUICK, *arguments, "--", *cmd)


def test_a_good_client_passes() -> None:
    result = checked("--only", "1.1")
    assert (result.exit_code, "1 PASS" in result.output) == (0, True)


def test_a_bad_client_fails_and_its_cost_is_said() -> None:
    result = checked("--only", "4.7", cmd=liar("submits-again-after-a-reset"))
    assert result.exit_code == 1
    assert "2 accepted, 1 wanted: 10 credits lost" in result.output
    assert "run it again   safelight check client --only 4.7 -- " in result.output


def test_a_broken_should_lets_a_run_pass() -> None:
    result = checked("--only", "1.5", cmd=liar("pastes-ids"))
    assert (result.exit_code, "NON-STRICT" in result.output) == (1, False)  # it polls an id that was never issued: U6
    result = checked("--only", "2.3", cmd=liar("knows-legal-moves"))
    assert (result.exit_code, "NON-STRICT" in result.output) == (0, True)


def test_a_case_that_the_driver_does_not_implement_leaves_a_must_open() -> None:
    result = checked("--only", "1.1", cmd=("sh", "-c", "exit 89"))
    assert (result.exit_code, "UNIMPLEMENTED" in result.output) == (3, True)
    assert "broke" not in result.output


def test_a_client_that_never_meets_its_fault_passes_nothing() -> None:
    result = checked("--only", "5.1", "--json", "r.json", cmd=liar("submits-and-is-glad"))
    assert result.exit_code == 1
    (case,) = json.loads(Path("r.json").read_text("utf-8"))["cases"]
    assert "poll#2: html 502 (no such request came)" in case["trials"][0]["remark"]


def test_what_did_not_pass_is_run_again() -> None:
    assert called("check", "client", "--last-failed", "--", *GOOD).exit_code == 2
    checked("--only", "1.1", "--only", "4.7", cmd=liar("submits-again-after-a-reset"))
    result = checked("--last-failed", "--json", "r.json")
    assert result.exit_code == 0
    assert [case["id"] for case in json.loads(Path("r.json").read_text("utf-8"))["cases"]] == ["4.7"]
    assert called("check", "client", "--last-failed", "--", *GOOD).exit_code == 2


def test_what_differs_from_time_to_time_is_flaky() -> None:
    script = f"test -e ran && exit 1; touch ran; exec {' '.join(GOOD)}"
    result = checked("--only", "1.1", "--repeat", "2", cmd=("sh", "-c", script))
    assert (result.exit_code, "FLAKY" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--", "no-such-thing"], "'no-such-thing' cannot be run: there is no such command"),
        ([], "there is no CMD to judge"),
        (["--only", "9.*", "--", "true"], "'9.*' is no case"),
        (["--only", "1.1", "--skip", "1.*", "--", "true"], "no case is left"),
        (["--deadline", "1", "--", "true"], "the deadline has to be three times the time for one request"),
        (["--faults", "poll: reset", "--", "true"], "--faults needs --watch"),
        (["--watch", "--only", "1.1", "--", "true"], "--only does not go with --watch"),
        (["--waivers", "none.json", "--", "true"], "none.json"),
        (["--watch", "--server-only", "--", "true"], "--server-only does not go with --watch"),
        (["--server-only", "--", "true"], "--server-only starts no CMD"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence(arguments: list[str], sentence: str) -> None:
    result = called("check", "client", *arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_cases_are_listed_and_explained() -> None:
    listed = called("check", "client", "--list", "--only", "4.7").output
    assert listed == "4.7    MUST-$   a submit can be accepted, and its answer lost to a reset\n"
    explained = called("explain", "4.7").output
    assert "the plan: submit#1: reset after" in explained
    assert "At most 1 submits are sent" in explained
    assert called("explain", "47").exit_code == 2


BAD = """
import json, os, urllib.request
url = os.environ["SAFELIGHT_BASE_URL"] + "?endpoint=image_generation&api_key=" + os.environ["SAFELIGHT_API_KEY"]
body = json.dumps({"prompt": "a lamp", "width": 9999}).encode()
try:
    urllib.request.urlopen(urllib.request.Request(url, body, {"content-type": "application/json"}))
except OSError:
    pass
"""


def test_a_program_is_watched_and_judged() -> None:
    result = called("check", "client", "--watch", "--", sys.executable, "-c", BAD)
    assert result.exit_code == 1
    assert "width is 9999; the most is 2048" in result.output
    assert "has the key in it" in result.output


def test_a_program_that_asks_for_nothing_has_kept_no_rule() -> None:
    result = called("check", "client", "--watch", "--", "true")
    assert result.exit_code == 3
    assert "nothing was sent to the fake" in result.output


def test_a_fault_that_a_watched_program_never_met_leaves_it_open() -> None:
    answers = [called("check", "client", "--watch", *fault, "--", sys.executable, "-c", BALANCE) for fault in FAULTS]
    assert [answer.exit_code for answer in answers] == [0, 3]
    assert "planned and never delivered: poll#2: http 502" in answers[1].output
    assert "safelight check client --watch -- " in answers[1].output


FAULTS: Final = ((), ("--faults", "poll#2: http 502"))

BALANCE = """
import os, urllib.request
url = os.environ["SAFELIGHT_BASE_URL"] + "?endpoint=user_balance"
urllib.request.urlopen(urllib.request.Request(url, headers={"x-api-key": os.environ["SAFELIGHT_API_KEY"]}))
"""


def test_the_exit_code_of_a_watched_program_is_kept() -> None:
    script = f"{' '.join(GOOD)}; exit 7"
    told = ['SAFELIGHT_PARAMETERS=\'{"prompt": "a lamp"}\'', "SAFELIGHT_OUT_DIR=.", "SAFELIGHT_DEADLINE_SECONDS=5"]
    result = called("check", "client", "--watch", "--polls", "0,0", "--", "sh", "-c", " ".join([*told, script]))
    assert (result.exit_code, "9 PASS" in result.output) == (7, True)


def test_a_search_finds_a_small_story_and_keeps_it() -> None:
    cmd = liar("takes-the-first-bad-poll-for-the-end")
    result = called("fuzz", "--seed", "3", "--for", "40s", "--", *cmd)
    assert result.exit_code == 1
    (file,) = Path(".safelight/stories").glob("*.json")
    story = json.loads(file.read_text("utf-8"))["story"]
    assert (len(story["faults"]), story["id"], story["fail"]) == (1, None, None)
    assert called("replay", str(file), "--", *cmd).exit_code == 1
    assert called("replay", str(file), "--", *GOOD).exit_code == 0
    assert "story 1 broke it" in called("fuzz", "--seed", "4", "--for", "40s", "--", *cmd).output


def test_a_search_that_finds_nothing_says_how_much_it_tried() -> None:
    result = called("fuzz", "--seed", "3", "--examples", "4", "--", *GOOD)
    assert (result.exit_code, result.output) == (0, "no story broke it: 4 tried, with the seed 3\n")


def test_what_is_no_story_is_said_in_a_sentence() -> None:
    Path("none.json").write_text('{"story": 1}', "utf-8")
    result = called("replay", "none.json", "--", "true")
    assert (result.exit_code, "this is no story" in result.output) == (2, True)


def test_a_file_at_the_absolute_path_that_was_answered_is_noticed() -> None:
    script = (
        "import os, json, urllib.request as u; "
        "k = {'x-api-key': os.environ['SAFELIGHT_API_KEY'], 'content-type': 'application/json'}; "
        "b = os.environ['SAFELIGHT_BASE_URL']; "
        "j = lambda q, **m: json.load(u.urlopen(u.Request(b + q, headers=k, **m))); "
        "i = j('?endpoint=image_generation', data=os.environ['SAFELIGHT_PARAMETERS'].encode())['data']['id']; "
        "p = [j('?endpoint=task_status&task_id=' + i) for _ in range(3)][-1]['data']['result']['image_url']; "
        "n = u.urlopen(p).headers.get_filename(); "
        "n.startswith('/') and open(n, 'w').write('x')"
    )
    found = checked("--only", "7.2", cmd=("python3", "-c", script))
    assert "escaped.png" in found.output
    assert "was written outside of the folder" in found.output


@pytest.mark.parametrize(("member", "value"), [("id", 5), ("fail", {}), ("faults", "poll"), ("polls", ["a", 1])])
def test_a_story_of_wrong_types_is_refused(here: Path, member: str, value: object) -> None:
    story = {"request": {"prompt": "x"}, "polls": [0, 1], "faults": [], member: value}
    (here / "story.json").write_text(json.dumps(story), "utf-8")
    found = called("replay", "story.json", "--", "true")
    assert found.exit_code == 2
    assert f"this is no story: its {member}" in found.output


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
@pytest.mark.parametrize("judge", [("check", "client", "--only", "1.1"), ("check", "client", "--watch"), ("fuzz",)])
def test_whatever_ends_a_judge_leaves_nothing_running(here: Path, judge: tuple[str, ...], name: str) -> None:
    os.mkfifo(here / "pid")
    driver = ("sh", "-c", "echo $$ > pid; exec sleep 300")
    judging = subprocess.Popen([SAFELIGHT, *judge, "--", *driver], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pid = (here / "pid").read_text("utf-8").strip()  # it waits until the driver is there
    judging.send_signal(signal.Signals[name])
    assert judging.wait(20) == UNDECIDED
    assert not Path("/proc", pid).exists()


def test_a_client_that_sends_nothing_is_told_where_to_send_it() -> None:
    result = checked("--only", "1.1", cmd=("true",))
    assert (result.exit_code, "which is at SAFELIGHT_BASE_URL" in result.output) == (1, True)


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_the_parts_of_a_run_are_all_cases_each_once(parts: int) -> None:
    listed = ("check", "client", "--list")
    found = [called(*listed, "--part", f"{number}/{parts}").output.splitlines() for number in range(1, parts + 1)]
    assert sorted(chain.from_iterable(found)) == sorted(called(*listed).output.splitlines())
    assert max(map(len, found)) - min(map(len, found)) <= 1


@pytest.mark.parametrize("part", ["3/2", "0/2", "1", "1/0", "a/b"])
def test_what_is_no_part_is_refused(part: str) -> None:
    result = called("check", "client", "--part", part, "--list")
    assert (result.exit_code, "is no part: write 1/2 and 2/2" in result.output) == (2, True)


def test_a_pattern_that_fits_no_case_is_told_of_the_list() -> None:
    result = called("check", "client", "--only", "zzz", "--list")
    assert (result.exit_code, "--list lists them" in result.output) == (2, True)


def test_a_story_that_cannot_be_kept_is_shown_all_the_same(here: Path) -> None:
    (here / "file").write_text("", "utf-8")
    options = ("--for", "30s", "--seed", "1", "--corpus", "file/corpus")
    result = called("fuzz", *options, "--", "false")
    assert (result.exit_code, "it is not kept: file/corpus cannot be written" in result.output) == (1, True)
