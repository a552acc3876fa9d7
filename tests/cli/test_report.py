"""`safelight report`: reports again, in other forms, side by side."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reports import each_verdict
from safelight.cli.main import main
from safelight.conformance.report.document import read, written
from sentences import CheckSentence, refusal


def report(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["report", *map(str, arguments)], prog_name="safelight")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "report.json"
    file.write_text(written([each_verdict()]), "utf-8")
    return file


def test_a_report_is_shown_again(file: Path) -> None:
    done = report(file)
    assert done.exit_code == 0
    assert done.output.endswith("failed: 1 case with a MUST that is broken\n")


def test_several_runs_stand_side_by_side_in_each_form(file: Path) -> None:
    files = [file.with_name(name) for name in ("both.html", "both.json", "both.xml")]
    done = report(file, file, "--html", files[0], "--json", files[1], "--junit", files[2], "--github")
    assert done.exit_code == 0
    assert "::error title=client.py%3A 1.3 FAIL (MUST)::" in done.output
    assert '"name":"client.py"' in files[0].read_text("utf-8")
    assert read(files[1]) == 2 * [each_verdict()]
    assert files[2].read_text("utf-8").count("<testsuite ") == 2


def test_what_is_no_report_is_refused_in_a_sentence(tmp_path: Path, check_sentence: CheckSentence) -> None:
    check_sentence(refusal(report(tmp_path / "none.json")))


def test_only_reports_of_a_kind_stand_side_by_side(file: Path, check_sentence: CheckSentence) -> None:
    other = file.with_name("server.json")
    other.write_text(json.dumps({**each_verdict(), "kind": "server"}), "utf-8")
    check_sentence(refusal(report(file, other)))


@pytest.mark.parametrize("path", ["none/report.html", "."])
def test_a_place_that_is_no_file_is_refused_before_anything_is_done(
    file: Path, path: str, check_sentence: CheckSentence
) -> None:
    check_sentence(refusal(report(file, "--html", file.parent / path)))


def test_a_file_whose_name_is_too_long_is_refused_before_the_run() -> None:
    result = CliRunner().invoke(main, ["check", "client", "--json", "x" * 300, "--only", "1.1", "--", "true"])
    assert (result.exit_code, "File name too long" in result.output) == (2, True)
