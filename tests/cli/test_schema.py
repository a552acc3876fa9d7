"""`safelight schema`: what it prints and how it ends."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result

from safelight.cli.main import main
from safelight.contracts import examples, names, rules
from safelight.contracts.schemas import texts
from sentences import CheckSentence, refusal

REQUEST: Final = "image_generation.request"
[SEED] = [one.text for one in examples(REQUEST) if one.name == "seed"]


def run(*arguments: str | Path, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["schema", *map(str, arguments)], input=stdin)


def columns(result: Result) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell] for line in result.stdout.splitlines()]


def test_the_list_names_every_schema_its_title_and_its_rules() -> None:
    rows = columns(run("list"))
    assert [row[0] for row in rows] == list(names())
    assert ["task_status.request", "Task status: the query", "4 rules"] in rows


@pytest.mark.parametrize("name", names())
def test_show_prints_the_file_as_it_is(name: str) -> None:
    assert run("show", name).stdout == texts()[name]


def test_rules_are_listed_with_provenance_and_limit() -> None:
    rows = columns(run("rules"))
    assert [row[0] for row in rows] == [rule.id for rule in rules()]
    assert ["image_generation.width.maximum", "seed", "2048"] in rows
    assert ["image_generation.prompt.type", "seed", "string, object"] in rows
    assert ["image_generation.prompt.required", "seed", "required"] in rows
    assert ["error.success.const", "published", "false"] in rows


def test_rules_of_a_schema_are_those_that_its_documents_can_break() -> None:
    assert [row[0] for row in columns(run("rules", REQUEST))] == [rule.id for rule in rules(REQUEST)]


def test_a_document_that_keeps_the_contract_is_ok() -> None:
    result = run("check", REQUEST, "-", stdin=SEED)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"ok: the document keeps {REQUEST}\n", "")


def test_a_width_of_2049_is_one_line_and_exit_1(check_sentence: CheckSentence) -> None:
    result = run("check", REQUEST, "-", stdin=SEED.replace(b"768", b"2049"))
    assert (result.exit_code, result.stdout.count("\n"), result.stderr) == (1, 1, "")
    assert result.stdout.endswith(" [image_generation.width.maximum, seed]\n")
    check_sentence(result.stdout)


def test_of_several_files_each_line_names_its_own(tmp_path: Path) -> None:
    right, wrong, worse = (tmp_path / f"{name}.json" for name in ("right", "wrong", "worse"))
    right.write_bytes(SEED)
    wrong.write_bytes(SEED.replace(b"768", b"2049"))
    worse.write_bytes(b"{")
    result = run("check", REQUEST, right, wrong, worse)
    assert result.exit_code == 1
    assert [line.partition(": ")[0] for line in result.stdout.splitlines()] == [str(wrong), str(worse)]
    assert run("check", REQUEST, right, right).stdout == f"ok: 2 documents keep {REQUEST}\n"


def test_each_violation_is_a_line() -> None:
    result = run("check", REQUEST, "-", stdin=b'{"width": 0, "width": 0, "steps": 51}')
    assert result.exit_code == 1
    assert [line.rpartition("[")[2] for line in result.stdout.splitlines()] == [
        "json.duplicate-key, assumed]",
        "image_generation.prompt.required, seed]",
        "image_generation.width.minimum, assumed]",
        "image_generation.steps.maximum, seed]",
    ]


@pytest.mark.parametrize("body", [SEED, SEED.replace(b"768", b"2049")], ids=["right", "wrong"])
def test_what_has_no_effect_is_a_note_beside_the_verdict(body: bytes, check_sentence: CheckSentence) -> None:
    plain, noted = (run("check", REQUEST, "-", stdin=text) for text in (body, body.replace(b"rr3", b"grok")))
    assert (noted.exit_code, noted.stdout) == (plain.exit_code, plain.stdout)
    assert noted.stderr.startswith("note: cfg ")
    check_sentence(noted.stderr)


def test_what_is_recognised_is_said_once_as_a_violation_or_as_a_note() -> None:
    for body, exit_code in (
        (b'{"prompt": "a", "image": "lamp.png"}', 1),
        (b'{"prompt": "a", "image": "%s"}' % (b"A" * 40), 0),
    ):
        result = run("check", "image_editing.request", "-", stdin=body)
        assert result.exit_code == exit_code
        assert f"{result.stdout}{result.stderr}".count("image is ") == 1
    body = b'{"prompt": {"nodes": []}}'
    assert run("check", REQUEST, "-", stdin=body).output.count("prompt is ") == 1


def test_an_answer_has_no_notes() -> None:
    body = b'{"success": true, "data": {"x": 1}, "error": null, "y": 2}'
    assert run("check", "envelope", "-", stdin=body).stderr == ""


@pytest.mark.parametrize("example", examples(), ids=lambda one: f"{one.schema}/{one.name}")
def test_check_agrees_with_the_golden_examples(example: object, tmp_path: Path) -> None:
    schema, rule, text = (getattr(example, name) for name in ("schema", "rule", "text"))
    file = tmp_path / "document.json"
    file.write_bytes(text)
    result = run("check", REQUEST if schema == "json" else schema, file)
    if schema != "json" or rule:
        assert result.exit_code == (1 if rule else 0)
    assert rule is None or f"[{rule}, " in result.stdout
    assert all(line.isprintable() for line in result.output.splitlines())


def test_hostile_text_does_not_reach_the_terminal() -> None:
    hostile = {"promp\x1b[2J": "\x1b", "workflow": "\x1b[31m\u202e", "\x07": 1, "width": "\x9b\u2028"}
    result = run("check", REQUEST, "-", stdin=json.dumps(hostile).encode())
    assert result.exit_code == 1
    assert all(line.isprintable() for line in result.output.split("\n"))


@pytest.mark.parametrize("arguments", ["show", "rules", "check -"])
def test_an_unknown_schema_is_one_sentence_with_the_nearest(arguments: str, check_sentence: CheckSentence) -> None:
    command, *file = arguments.split()
    sentence = refusal(run(command, "image_generation.reqest", *file, stdin=SEED))
    assert sentence.endswith("image_generation.request?")
    check_sentence(sentence)


def test_a_file_that_is_not_there_is_one_sentence_with_the_nearest(
    tmp_path: Path, check_sentence: CheckSentence
) -> None:
    (tmp_path / "request.json").write_bytes(SEED)
    sentence = refusal(run("check", REQUEST, tmp_path / "requests.json"))
    assert sentence.endswith(f"{tmp_path / 'request.json'}?")
    check_sentence(sentence)


@pytest.mark.parametrize("file", [".", "no/such/folder/request.json", "request.json/", "\x1b[2J"])
def test_what_cannot_be_read_is_one_sentence(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check_sentence: CheckSentence
) -> None:
    monkeypatch.chdir(tmp_path)
    sentence = refusal(run("check", REQUEST, file))
    assert sentence.isprintable()
    check_sentence(sentence)


@pytest.mark.parametrize("file", ["-", "/dev/zero"])
def test_what_has_no_end_is_not_read_to_its_end(file: str, check_sentence: CheckSentence) -> None:
    with Path("/dev/zero").open("rb") as zeros:
        command = [str(Path(sys.executable).with_name("safelight")), "schema", "check", REQUEST, file]
        done = subprocess.run(command, stdin=zeros, capture_output=True, check=False, timeout=60, text=True)
    check_sentence(refusal(done))


@pytest.mark.parametrize(("number", "notes"), [(1_000, 0), (1_001, 1)])
def test_of_many_violations_the_first_thousand_are_reported(
    number: int, notes: int, check_sentence: CheckSentence
) -> None:
    nodes = {str(node): {"class_type": "A", "inputs": {"a": [f"x{node}", 0]}} for node in range(number)}
    result = run("check", "comfyui_workflow", "-", stdin=json.dumps(nodes).encode())
    assert (result.exit_code, result.stdout.count("\n"), result.stderr.count("\n")) == (1, 1_000, notes)
    if notes:
        check_sentence(result.stderr)


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize("there", ["", "{}"])
def test_export_does_not_write_through_a_link(
    tmp_path: Path, force: list[str], there: str, check_sentence: CheckSentence
) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    folder.mkdir()
    (folder / "error.json").symlink_to(outside)
    if there:
        outside.write_text(there)
    sentence = refusal(run("export", *force, folder))
    assert "error.json" in sentence
    check_sentence(sentence)
    assert (outside.read_text() if outside.exists() else "") == there
    assert len(list(folder.iterdir())) == 1


def test_export_writes_every_file_and_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "schemas"
    result = run("export", folder)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [f"wrote {folder / name}.json" for name in names()]
    assert {file.name: file.read_text("utf-8") for file in folder.iterdir()} == {
        f"{name}.json": text for name, text in texts().items()
    }


def test_exporting_again_changes_nothing(tmp_path: Path) -> None:
    run("export", tmp_path)
    result = run("export", tmp_path)
    assert (result.exit_code, result.stdout) == (0, f"unchanged: {len(names())}\n")


def test_export_leaves_other_files_alone_unless_forced(tmp_path: Path, check_sentence: CheckSentence) -> None:
    mine = tmp_path / "error.json"
    mine.write_text("{}")
    sentence = refusal(run("export", tmp_path))
    assert "error.json" in sentence
    assert "--force" in sentence
    check_sentence(sentence)
    assert list(tmp_path.iterdir()) == [mine], "nothing was written, not even what was free"
    assert run("export", "--force", tmp_path).exit_code == 0
    assert mine.read_text("utf-8") == texts()["error"]


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path: Path, check_sentence: CheckSentence) -> None:
    (tmp_path / "file").touch()
    check_sentence(refusal(run("export", tmp_path / "file" / "folder")))


def safelight(*arguments: str, stdin: bytes = b"", encoding: str = "utf-8") -> subprocess.CompletedProcess[bytes]:
    command = [str(Path(sys.executable).with_name("safelight")), "schema", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, env={"PYTHONIOENCODING": encoding}, check=False)


def test_the_installed_command_checks_standard_input() -> None:
    result = safelight("check", REQUEST, "-", stdin=SEED.replace(b"768", b"2049"))
    assert (result.returncode, result.stderr) == (1, b"")
    assert result.stdout.endswith(b" [image_generation.width.maximum, seed]\n")


def test_a_terminal_that_knows_ascii_alone_gets_ascii() -> None:
    result = safelight("check", REQUEST, "-", stdin='{"prompt": "a", "workflow": "灯"}'.encode(), encoding="ascii")
    assert (result.returncode, result.stderr) == (1, b"")
    assert rb'"\u706f"' in result.stdout
