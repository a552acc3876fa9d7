"""The report of a run as JSON."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from jsonschema import Draft202012Validator

from reports import HOSTILE, KEY, each_verdict, reports, result, run
from safelight.cli.main import main
from safelight.conformance.report.document import (
    MAX_OUTPUT_CHARACTERS,
    Document,
    NoReport,
    document,
    read,
    schema_text,
    written,
)
from safelight.conformance.results import Tried
from safelight.conformance.verdicts import Severity, Verdict
from sentences import CheckSentence

SCHEMA = json.loads(schema_text())


def texts_of(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for name, part in value.items() for text in [name, *texts_of(part)]]
        case list():
            return [text for part in value for text in texts_of(part)]
    return []


@given(reports)
def test_each_report_fits_its_schema(made: Document) -> None:
    Draft202012Validator(SCHEMA).validate(made)


@given(reports)
def test_no_text_of_a_report_has_a_key_or_what_a_terminal_or_a_browser_would_obey(made: Document) -> None:
    for text in texts_of(made):
        assert KEY not in text
        assert all(letter.isprintable() or letter in "\n\t" for letter in text)


@given(reports)
def test_a_file_is_ascii_and_reads_back_as_it_was(made: Document) -> None:
    text = written([made])
    assert text.isascii()
    assert json.loads(text) == made


def test_a_file_of_one_run_is_an_object_and_of_several_an_array(tmp_path: Path) -> None:
    one, file = each_verdict(), tmp_path / "report.json"
    for documents, kind in (([one], dict), ([one, one], list)):
        file.write_text(written(documents), "utf-8")
        assert isinstance(json.loads(file.read_text("utf-8")), kind)
        assert read(file) == documents


def test_the_texts_of_a_report_that_is_read_are_made_plain_again(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps({**each_verdict(), "name": "".join(HOSTILE[4:7]) + KEY}), "utf-8")
    (found,) = read(file)
    assert "\\u001b[2J" in found["name"]
    assert "\\u202e" in found["name"]
    assert "sk-..." in found["name"]


def test_the_schema_is_one_of_2020_12_and_strict() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for node in [SCHEMA, *SCHEMA["$defs"].values()]:
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
    assert SCHEMA["$defs"]["verdict"]["enum"] == list(each_verdict()["counts"])
    assert set(SCHEMA["$defs"]["verdict"]["enum"]) == set(Verdict)
    assert SCHEMA["$defs"]["severity"]["enum"] == list(Severity)


def test_the_command_schema_prints_it() -> None:
    assert CliRunner().invoke(main, ["schema", "report"]).output == schema_text()


def test_a_run_has_its_counts_its_loss_and_the_time_it_began_in_utc() -> None:
    began = datetime(2026, 11, 26, 20, 0, tzinfo=timezone(timedelta(hours=2)))
    made = document(run([result(Verdict.FAIL), result(Verdict.PASS)], began=began))
    assert (made["counts"]["FAIL"], made["counts"]["PASS"], made["lost"], made["exit_code"]) == (1, 1, 30, 1)
    assert made["started"] == "2026-11-26T18:00:00Z"


def test_the_worst_finding_of_a_case_comes_first() -> None:
    tried = result(Verdict.FAIL).trials[0]
    turned = Tried("", Verdict.FAIL, list(reversed(tried.findings)))
    (case,) = document(run([result(Verdict.FAIL, trials=[turned])]))["cases"]
    assert [one["severity"] for one in case["findings"]] == ["MUST-$", "SHOULD"]


def test_of_a_long_output_the_beginning_and_the_end_are_kept() -> None:
    tried = Tried("", Verdict.PASS, [], output="first" + "x" * 100_000 + "last")
    output = document(run([result(trials=[tried])]))["cases"][0]["trials"][0]["output"]
    assert (output[:5], output[-4:]) == ("first", "last")
    assert len(output) < MAX_OUTPUT_CHARACTERS + 100
    assert "... 92,009 characters ..." in output


def changed(**more: Any) -> str:
    return json.dumps({**each_verdict(), **more})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "3",
        "{}",
        '{"kind": "client", "kind": "client"}',
        "[" * 100_000,
        changed(verdict="PASS"),
        changed(case=[]),
        changed(exit_code=4),
        changed(kind=3),
        changed(started="yesterday"),
        changed(cases=[{**each_verdict()["cases"][0], "verdict": "GOOD"}]),
    ],
)
def test_a_file_that_is_no_report_is_refused_in_a_sentence(
    text: str, tmp_path: Path, check_sentence: CheckSentence
) -> None:
    file = tmp_path / "report.json"
    file.write_text(text, "utf-8")
    with pytest.raises(NoReport) as caught:
        read(file)
    check_sentence(str(caught.value))


def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, check_sentence: CheckSentence) -> None:
    with pytest.raises(NoReport) as caught:
        read(tmp_path)
    check_sentence(str(caught.value))
