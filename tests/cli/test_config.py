"""The config file of `serve` and `exec`: the same names and checks, and each mistake by its file and name."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from config_files import fake, refusal, settings
from safelight.contracts import Axis
from safelight.mockserver.model.delays import Fixed, Uniform
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_profile import TaskProfile
from serving import safelight, serving

MISTAKES: Final = {
    # what is wrong: (the file, what the sentence begins with)
    "an unknown name": ("seed = 1\nfail-rat = 1", "fail-rat is no setting of safelight serve; did you mean fail-rate?"),
    "a workflow's name at the top": ("queued = 1\nrr3 = 2", "rr3 is no setting of safelight serve: there are queued, "),
    "a table misspelt": (
        "[workflow.rr3]\nqueued = 1",
        "workflow is no setting of safelight serve; did you mean workflows?",
    ),
    "config in a config": ("config = 'other.toml'", "config is no setting"),
    "a table for the command": ("[serve]\nqueued = 1", "serve is no setting of safelight serve: there are queued, "),
    "an escape for a name": ('"\\u001b[31m" = 1', '"\\u001b[31m" is no setting of safelight serve: '),
    "a name said twice": (
        "fail-rate = 1\nfail_rate = 1",
        "this is not TOML: fail_rate is said twice, with a dash and with",
    ),
    "a text for a number": ('port = "8123"', 'port: "8123" is no port: write 0 to 65535'),
    "a text for a list": (
        'faults = "poll#2: http 502"',
        'faults: "poll#2: http 502" is no list: write one in brackets',
    ),
    "a number for a list": ("fail-nth = 3", "fail-nth: 3 is no list: write one in brackets: [3]"),
    "a text for a pair": ("polls = '1,2'", 'polls: "1,2" is no pair'),
    "a text for a price": ('[prices]\nimage_generation = "2"', "prices.image_generation: '\"2\"' is no price"),
    "a text for a switch": ("cors = 'yes'", 'cors: "yes" is no switch: write true or false'),
    "a delay that is none": ("seed = 1\n\nqueued = 'soon'", "queued: 'soon' is no delay: write 2, 1..3"),
    "a share over 1": ("fail_rate = 1.5", "fail-rate: 1.5 is no share"),
    "a fraction for a port": ("port = 8123.7", "port: 8123.7 is no port"),
    "no number at all": ("fail-rate = nan", "fail-rate: nan is no share"),
    "a number without end": (f"seed = 0x{'f' * 5_000}", "seed: an integer of at least 1,000 digits is no seed"),
    "a wrong fault": (
        "faults = ['poll#2: htp 502']",
        'faults.0: column 9 of "poll#2: htp 502": htp is no fault; did you',
    ),
    "an unknown workflow": ("[workflows.r3]\nqueued = 1", "workflows: no workflow is called 'r3'; did you mean rr3?"),
    "a workflow no table": (
        "[workflows]\nrr3 = 3",
        "workflows.rr3: 3 is no table: write its settings: [workflows.rr3]",
    ),
    "a list of workflows": ("[[workflows]]\nqueued = 1", "workflows: an array of 1 item is no table"),
    "not a workflow's": (
        "[workflows.rr3]\nslots = 2",
        "workflows.rr3: slots is no setting of a workflow: there are queued",
    ),
    "a workflow's share": ("workflows.rr3.fail-rate = true", "workflows.rr3.fail-rate: true is no share"),
    "two axes in a workflow": (
        "[workflows.rr3]\nqueued = 1\npolls = [1, 1]",
        "workflows.rr3: time is in seconds or in po",
    ),
    "a step beyond all": ("timeline = [['running', 1e400]]", "timeline: a step cannot last inf: write how long it la"),
    "a delay beyond all": ("queued = 1e400", "queued: inf is no delay: write 2, 1..3, ~5, ~5/0.8 or never"),
    "what is never reached": (
        "timeline = [['running', 'never'], 'done']",
        "timeline: done comes after running, which never ends: leave it out, or say how long",
    ),
    "the same id twice": ("ids = ['1', '2', '1']", "the id '1' is given twice: each task has its own"),
    "a port of what is off": ("control = false\ncontrol-port = 0", "with control off there is no control-port: leave"),
    "two axes": ("queued = 1\npolls = [1, 1]", "time is in seconds or in polls"),
    "slots and polls": ("slots = 1\n[workflows.rr3]\npolls = [1, 1]", "engine slots need timelines in seconds"),
    "any key and users": (
        "any-key = true\n[users.alice]\nkey = 'k'",
        "with any-key every key is accepted, and with users",
    ),
    "no name": ("= 1", "this is not TOML: Invalid statement (at line 1, column 1)"),
    "an open text": ("seed = 1\nqueued = '", "this is not TOML: "),
    "the same name twice": ("seed = 1\nseed = 2", "this is not TOML: Cannot overwrite a value (at "),
    "latin-1": (b"seed = 1\nfail-reason = 'caf\xe9'", "this is not UTF-8, as TOML has to be"),
    "UTF-16": ("seed = 1".encode("utf-16"), "this is not UTF-8, as TOML has to be"),
    "too deep": ("polls = " + "[" * 90_000, "this is not TOML that can be read: it is nested too deep"),
}


@pytest.mark.parametrize(("text", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_file_and_name(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    said = refusal(tmp_path, text)
    assert said.startswith(f"safelight.toml: {sentence}")
    assert "\n" not in said


def test_a_file_too_large_for_a_config_is_not_read_to_its_end(tmp_path: Path) -> None:
    sentence = "this is larger than 100 kB, too large for a config file"
    assert refusal(tmp_path, "#" * 100_001) == f"safelight.toml: {sentence}"
    assert fake(tmp_path, "seed = 7\n" + "#" * 99_991).seed == 7
    assert safelight(["serve", "--config", "/dev/zero"]).stderr == f"Error: /dev/zero: {sentence}\n"


@pytest.mark.parametrize("seed", [2**63 - 1, -(2**63)])
def test_a_seed_may_be_as_large_in_a_file_as_on_the_command_line(tmp_path: Path, seed: int) -> None:
    assert fake(tmp_path, f"seed = {seed}").seed == fake(tmp_path, "", f"--seed={seed}").seed == seed
    beyond = seed + (1 if seed > 0 else -1)
    for said in (refusal(tmp_path, f"seed = {beyond}"), refusal(tmp_path, "", f"--seed={beyond}")):
        assert said.endswith(f"{beyond} is no seed: write a whole number of 64 bits")


def test_a_path_does_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    file = tmp_path / "\x1b[2J.toml"
    for text in (None, "seed = 'x'", "seed", "a" * 100_001):
        if text:
            file.write_text(text)
        complained = safelight(["serve", "--config", str(file)]).stderr
        assert r"\u001b[2J.toml" in complained
        assert complained.removesuffix("\n").isprintable()


def test_exec_knows_the_options_of_a_fake_and_not_those_of_a_server(tmp_path: Path) -> None:
    assert fake(tmp_path, "seed = 5", command="exec").seed == 5
    assert "port is no setting of safelight exec: " in refusal(tmp_path, "port = 1", command="exec")


def test_a_mistake_ends_the_command_with_one_line_and_2(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("\nport = 'x'")
    for name, sentence in {
        "bad.toml": 'bad.toml: port: "x" is no port: write 0 to 65535\n',
        "none.toml": "none.toml: No such file or directory: give the path of a TOML file\n",
    }.items():
        done = safelight(["serve", "--config", str(tmp_path / name)])
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"Error: {tmp_path}/{sentence}"


def test_every_option_can_stand_in_the_file_with_dashes_or_underscores(tmp_path: Path) -> None:
    general = (
        "seed = 7\nvocabulary = 'plain'\nslots = 3\nany{}key = true\nbody{}limit = 99\ncors = true\napi{}key = 'k'\n"
    )
    lives = "queued = 1\nrunning = '2..3'\nfail{}rate = 0.5\nfail{}reason = 'r'\nfail{}nth = [2, 3]\n"
    expected = TaskProfile(Fixed(1), Uniform(2, 3), Axis.SECONDS, 0.5, "r", frozenset({2, 3}))
    for mark in "-_":
        made = fake(tmp_path, (general + lives).replace("{}", mark))
        assert (made.seed, made.key, made.cors, made.body_limit) == (7, "k", True, 99)
        assert made.api.sessions.open("k").settings == Settings(expected, slots=3, vocabulary="plain")


def test_a_file_with_a_mark_of_its_byte_order_is_read(tmp_path: Path) -> None:
    assert fake(tmp_path, b"\xef\xbb\xbfseed = 7").seed == 7


def test_a_workflow_lives_as_all_do_but_for_what_its_table_says(tmp_path: Path) -> None:
    text = "queued = 1\nrunning = 2\nfail-rate = 0.5\n[workflows.rr3]\nrunning = 9\n[workflows.anime]\npolls = [1, 2]"
    lives = settings(tmp_path, text).profile_of
    assert lives("rr3") == TaskProfile(Fixed(1), Fixed(9), fail_rate=0.5)
    assert lives("anime") == TaskProfile(Fixed(1), Fixed(2), Axis.POLLS, fail_rate=0.5)
    assert lives("default") == TaskProfile(Fixed(1), Fixed(2), fail_rate=0.5)


def test_an_instant_workflow_stays_so_until_its_table_says_a_time(tmp_path: Path) -> None:
    text = "queued = 1\nrunning = 1\n[workflows.grok]\n{}"
    assert settings(tmp_path, text.format("fail-rate = 1")).profile_of("grok") == TaskProfile(
        Fixed(0), Fixed(0), fail_rate=1
    )
    assert settings(tmp_path, text.format("running = 3")).profile_of("grok") == TaskProfile(Fixed(0), Fixed(3))


def test_the_command_line_wins(tmp_path: Path) -> None:
    made = fake(tmp_path, "seed = 1\ncors = true\nqueued = 5", "--seed", "2", "--queued", "7")
    assert (made.seed, made.cors) == (2, True)
    assert made.api.sessions.open("k").settings.profile.queued == Fixed(7)


def test_the_command_line_wins_on_another_axis(tmp_path: Path) -> None:
    assert settings(tmp_path, "queued = 5\nrunning = 5", "--polls", "1,2").profile == TaskProfile(
        Fixed(1), Fixed(2), Axis.POLLS
    )
    assert settings(tmp_path, "polls = [1, 2]", "--queued", "5", "--running", "6").profile == TaskProfile(
        Fixed(5), Fixed(6)
    )


def test_the_command_line_switches_off_what_the_file_switches_on(tmp_path: Path) -> None:
    made = fake(tmp_path, "cors = true\ndirectives = false", "--no-cors", "--directives")
    assert (made.cors, made.api.sessions.open("k").settings.directives) == (False, True)


def test_a_file_does_not_excuse_a_contradiction_on_the_command_line(tmp_path: Path) -> None:
    assert "time is in seconds or in polls" in refusal(tmp_path, "seed = 1", "--polls", "1,2", "--queued", "1")


def test_a_server_and_a_command_read_it(tmp_path: Path) -> None:
    file = tmp_path / "safelight.toml"
    file.write_text("polls = [0, 0]\napi-key = 'from-a-file'\n[workflows.rr3]\nfail-rate = 1\n")
    with serving("--config", str(file)) as told:
        server = replace(told, key="from-a-file")
        assert (server.words(1), server.words(1, workflow="rr3")) == (["completed"], ["failed"])
    assert safelight(["exec", "--config", str(file), "printenv", "SAFELIGHT_API_KEY"]).stdout == "from-a-file\n"
