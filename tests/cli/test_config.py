"""The config file of `serve` and `exec`: the same names and checks, and each mistake by its file and line."""

import json
from pathlib import Path
from time import process_time
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config_files import fake, refusal, settings
from safelight.cli._toml import line_of
from safelight.contracts import Axis
from safelight.mockserver.model.delays import Fixed, Uniform
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.model.task_profile import TaskProfile
from serving import safelight, serving

MISTAKES: Final = {
    # what is wrong: (the file, the line, what the sentence says)
    "an unknown key": (
        "seed = 1\nfail-rat = 1",
        2,
        "safelight serve has no option 'fail-rat'; did you mean fail-rate?",
    ),
    "a workflow's key at the top": ("queued = 1\nrr3 = 2", 2, "has no option 'rr3'"),
    "the table misspelt": ("[workflow.rr3]\nqueued = 1", 1, "has no option 'workflow'; did you mean workflows?"),
    "config in a config": ("config = 'other.toml'", 1, "has no option 'config'"),
    "help in a config": ("help = true", 1, "has no option 'help'"),
    "a delay that is none": ("seed = 1\n\nqueued = 'soon'", 3, "queued: 'soon' is no delay: write 2, 1..3"),
    "a share over 1": ("# share\nfail_rate = 1.5", 2, "fail-rate: '1.5' is no share"),
    "a text for a number": ("seed = 'x'", 1, "seed: 'x' is not a valid integer"),
    "a fraction for an integer": ("port = 8123.7", 1, "port: '8123.7' is not a valid integer"),
    "a port that is none": ("port = 70_000", 1, "port: 70000 is not in the range"),
    "a word that is none": ("vocabulary = 'klingon'", 1, "vocabulary: 'klingon' is not one of"),
    "true for a number": ("slots = true", 1, "slots takes a number or a text"),
    "a number for a flag": ("any-key = 1", 1, "any-key takes true or false"),
    "a text for a flag": ("cors = 'yes'", 1, "cors takes true or false"),
    "a list for one value": ("queued = [1, 2]", 1, "queued takes a number or a text"),
    "a table for one value": ("[queued]\nfrom = 1", 1, "queued takes a number or a text"),
    "a list of the wrong": ("polls = [\n  true,\n  2,\n]", 1, "polls takes a number or a text"),
    "three polls": ("polls = [1, 2, 3]", 1, "polls: '1,2,3' is no pair of polls"),
    "a zeroth task": ("fail-nth = [1, 0]", 1, "fail-nth: '0' is no count"),
    "a number without end": (f"seed = 0x{'f' * 5_000}", 1, "seed: a number has at most 1,000 digits"),
    "no key": ("= 1", 1, "this is not TOML: Invalid statement"),
    "an open string": ("seed = 1\nqueued = '", 2, "this is not TOML"),
    "an open list": ("seed = 1\npolls = [1,\n2\n\n", 3, "this is not TOML"),
    "a key said twice": ("seed = 1\nseed = 2", 2, "this is not TOML: Cannot overwrite a value"),
    "latin-1": (b"seed = 1\nfail-reason = 'caf\xe9'", 2, "this is not UTF-8"),
    "UTF-16": ("seed = 1".encode("utf-16"), 1, "this is not UTF-8"),
    "workflows no table": ("seed = 1\nworkflows = 3", 2, "write the lives of a workflow as a table: [workflows.rr3]"),
    "a list of workflows": ("[[workflows]]\nqueued = 1", 1, "write the lives of a workflow as a table"),
    "a workflow no table": ("[workflows]\n\nrr3 = 3", 3, "write the lives of a workflow as a table: [workflows.rr3]"),
    "an unknown workflow": ("[workflows.r3]\nqueued = 1", 1, "no workflow is called 'r3'; did you mean rr3?"),
    "an undreamt-of workflow": ("[workflows.x]", 1, "no workflow is called 'x': there are default, anime, z-image"),
    "not a workflow's": ("[workflows.rr3]\n\nslots = 2", 3, "a workflow has no 'slots' of its own"),
    "nearly a workflow's": ("workflows.rr3.quued = 2", 1, "a workflow has no 'quued' of its own; did you mean queued?"),
    "a bad delay of a workflow": ("[workflows.z-image]\nqueued = 'x'", 2, "queued: 'x' is no delay"),
    "true in a workflow": ("[workflows]\nrr3 = { fail-rate = true }", 2, "fail-rate takes a number or a text"),
    "two axes in a workflow": ("[workflows.rr3]\nqueued = 1\npolls = [1, 1]", 3, "lives are in seconds or in polls"),
    "two axes": ("queued = 1\npolls = '1,1'", 2, "lives are in seconds or in polls"),
    "slots and polls": ("slots = 1\n[workflows.rr3]\npolls = '1,1'", 3, "engine slots need lives in seconds"),
    "windows lines": ("seed = 1\r\n\r\nqueued = 'x'\r\n", 3, "queued: 'x' is no delay"),
}


@pytest.mark.parametrize(("text", "line", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_file_and_line(tmp_path: Path, text: str | bytes, line: int, sentence: str) -> None:
    said = refusal(tmp_path, text)
    assert said.startswith(f"safelight.toml, line {line}: ")
    assert sentence in said
    assert "\n" not in said


def test_what_tomllib_cannot_place_is_a_sentence_too(tmp_path: Path) -> None:
    unreadable = "safelight.toml: this is not TOML that can be read: it is nested too deep"
    assert refusal(tmp_path, "polls = " + "[" * 90_000) == unreadable
    assert refusal(tmp_path, ".".join("a" * 20_000) + " = 1") == unreadable


def test_a_file_too_large_for_a_config_is_not_read_to_its_end(tmp_path: Path) -> None:
    sentence = "this is larger than 100 kB, too large for a config file"
    assert refusal(tmp_path, "#" * 100_001) == f"safelight.toml: {sentence}"
    assert fake(tmp_path, "seed = 7\n" + "#" * 99_991).seed == 7
    assert safelight(["serve", "--config", "/dev/zero"]).stderr == f"Error: /dev/zero: {sentence}\n"


@pytest.mark.parametrize("digits", [24, 25, 999, 1_000])
def test_a_seed_may_be_as_large_in_a_file_as_on_the_command_line(tmp_path: Path, digits: int) -> None:
    seed = "9" * digits
    assert fake(tmp_path, f"seed = {seed}").seed == fake(tmp_path, "", "--seed", seed).seed == int(seed)


@pytest.mark.parametrize("digits", [1_001, 4_000, 5_000])
def test_a_seed_too_large_is_refused_alike_wherever_it_stands(tmp_path: Path, digits: int) -> None:
    seed = "9" * digits
    for said in (refusal(tmp_path, f"seed = {seed}"), refusal(tmp_path, "", "--seed", seed)):
        assert said.endswith(": a number has at most 1,000 digits")


@pytest.mark.parametrize("command", ["serve", "exec"])
def test_a_table_for_the_command_is_told_where_options_stand(tmp_path: Path, command: str) -> None:
    said = refusal(tmp_path, f"seed = 1\n[{command}]\nqueued = 1", command=command)
    assert said == (
        f"safelight.toml, line 2: safelight {command} has no option {command!r}; "
        "options stand at the top level, not in a table"
    )


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
    assert "safelight exec has no option 'port'" in refusal(tmp_path, "port = 1", command="exec")


def test_a_mistake_ends_the_command_with_one_line_and_2(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("\nport = 'x'")
    for name, sentence in {
        "bad.toml": "bad.toml, line 2: port: 'x' is not a valid integer range.\n",
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
        assert made.api.open("k").settings == Settings(expected, slots=3, vocabulary="plain")


def test_a_file_with_a_mark_of_its_byte_order_is_read(tmp_path: Path) -> None:
    assert fake(tmp_path, b"\xef\xbb\xbfseed = 7").seed == 7


def test_one_value_stands_for_a_list_of_one(tmp_path: Path) -> None:
    assert settings(tmp_path, "fail-nth = 3").profile.fail_nth == {3}


def test_a_workflow_lives_as_all_do_but_for_what_its_table_says(tmp_path: Path) -> None:
    text = "queued = 1\nrunning = 2\nfail-rate = 0.5\n[workflows.rr3]\nrunning = 9\n[workflows.anime]\npolls = '1,2'"
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
    assert made.api.open("k").settings.profile.queued == Fixed(7)


def test_the_command_line_wins_on_another_axis(tmp_path: Path) -> None:
    assert settings(tmp_path, "queued = 5\nrunning = 5", "--polls", "1,2").profile == TaskProfile(
        Fixed(1), Fixed(2), Axis.POLLS
    )
    assert settings(tmp_path, "polls = [1, 2]", "--queued", "5", "--running", "6").profile == TaskProfile(
        Fixed(5), Fixed(6)
    )


def test_a_file_does_not_excuse_a_contradiction_on_the_command_line(tmp_path: Path) -> None:
    assert "lives are in seconds or in polls" in refusal(tmp_path, "seed = 1", "--polls", "1,2", "--queued", "1")


def test_a_server_and_a_command_read_it(tmp_path: Path) -> None:
    file = tmp_path / "safelight.toml"
    file.write_text("polls = '0,0'\napi-key = 'from-a-file'\n[workflows.rr3]\nfail-rate = 1\n")
    with serving("--config", str(file)) as server:
        assert server.key == "from-a-file"
        assert (server.words(1), server.words(1, workflow="rr3")) == (["completed"], ["failed"])
    assert safelight(["exec", "--config", str(file), "printenv", "SAFELIGHT_API_KEY"]).stdout == "from-a-file\n"


#: What looks like other statements, inside of a text.
DECOYS: Final = ["queued = 1", "[workflows.rr3]", "# seed = 1", "", "\u2028", '"', "]", "fail-rate = {"]


@st.composite
def statements(draw: st.DrawFn, name: str) -> str:
    """A statement about this name, on one or several lines."""
    lines = draw(st.lists(st.sampled_from(DECOYS), max_size=4))
    comment = draw(st.sampled_from(["", "  # queued = 1"]))
    spelled = draw(st.sampled_from([name, name.replace("_", "-"), f'"{name}"', f"  {name}"]))
    text, items = "\n".join(lines), ",\n".join(map(json.dumps, lines))
    value = draw(st.sampled_from(["1", json.dumps(text), f"'''{text}'''", f"[\n{items}\n]"]))
    return f"{spelled} = {value}{comment}"


@st.composite
def files(draw: st.DrawFn) -> tuple[str, dict[tuple[str, ...], int]]:
    """A config file, and on which line each of its names stands."""
    lines: list[str] = []
    places: dict[tuple[str, ...], int] = {}
    for table in [(), *draw(st.permutations([("workflows", "rr3"), ("workflows", "z-image")]))]:
        if table:
            header = draw(st.sampled_from(["[{}]", "[ {} ]", "  [{}]  # seed = 1"]))
            places[table] = len(lines) + 1
            lines.append(header.format(".".join(table)))
        for name in draw(st.lists(st.sampled_from(["queued", "fail_rate", "seed"]), unique=True)):
            lines += draw(st.lists(st.sampled_from(["", "# queued = 1", "\t"]), max_size=2))
            places[*table, name] = len(lines) + 1
            lines += draw(statements(name)).split("\n")
    return "\n".join(lines), places


@given(files())
@example(("seed = '''\nqueued = 1\n'''\nqueued = 2", {("seed",): 1, ("queued",): 4}))
@example(("workflows.rr3.fail-rate = 1\nworkflows = { }", {}))
def test_a_name_is_found_on_its_line(file: tuple[str, dict[tuple[str, ...], int]]) -> None:
    text, places = file
    for names, line in places.items():
        assert line_of(text, names) == line
    assert line_of(text, ("nowhere",)) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("workflows.rr3.fail-rate = 1", 1),
        ("workflows = { rr3 = { fail-rate = 1 } }", 1),
        ('\n["workflows"."rr3"]\n"fail-rate" = 1', 3),
        ("[workflows]\nrr3.queued = 1\nrr3.fail_rate = 1", 3),
        ("[workflows.rr3]\nqueued = '''\n[x]\nfail-rate = 0'''\nfail-rate = 1", 5),
    ],
)
def test_a_name_of_a_workflow_is_found_however_it_is_written(text: str, line: int) -> None:
    assert line_of(text, ("workflows", "rr3", "fail_rate")) == line


@pytest.mark.parametrize("filling", ["# a comment\n" * 8_000, "[a]\nb = [\n" + "1,\n" * 30_000 + "]\n"])
def test_a_line_far_down_is_found_at_once(filling: str) -> None:
    began = process_time()
    assert line_of(f"{filling}[workflows.rr3]", ("workflows", "rr3")) == filling.count("\n") + 1
    assert process_time() - began < 5, "as the square of the lines, it takes minutes"
