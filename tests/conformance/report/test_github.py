"""A run in GitHub Actions: annotations, and the summary of a job."""

import html
import re
from pathlib import Path

import pytest
from hypothesis import given

from reports import KEY, each_verdict, reports, result, run
from safelight.conformance.report.document import Document, document
from safelight.conformance.report.github import MAX_SUMMARY_BYTES, annotated, summary, write
from safelight.conformance.verdicts import Severity, Verdict


@given(reports)
def test_each_annotation_is_one_command_on_one_line(made: Document) -> None:
    for line in annotated([made]):
        assert re.fullmatch(r"::(error|warning) title=[^:,\r\n]*::[^\r\n]*", line)
        assert not re.search(r"%(?!25|0A|0D|3A|2C)", line)
        assert KEY not in line


def test_what_fails_the_run_is_an_error_and_what_costs_money_comes_first() -> None:
    cases = [
        result(Verdict.NON_STRICT, "1.1"),
        result(Verdict.INCOMPLETE, "1.2"),
        result(Verdict.FAIL, "1.3"),
        result(Verdict.FAIL, "1.4", Severity.MUST_MONEY),
        result(Verdict.PASS, "1.5"),
    ]
    lines = list(annotated([document(run(cases))]))
    found = [re.findall(r"::(error|warning) title=client.py%3A (\S+)", line)[0] for line in lines]
    assert found == [("error", "1.4"), ("error", "1.3"), ("error", "1.2"), ("warning", "1.1")]


def test_an_annotation_says_the_fact_what_was_seen_and_how_to_run_it_again() -> None:
    (line,) = annotated([document(run([result(Verdict.FAIL)]))])
    assert line == (
        "::error title=client.py%3A 4.7 FAIL (MUST)::fact 4.7%0AU1: 4 accepted, 1 wanted: 30 credits lost"
        "%0AU8: 1 gap between polls under 0.1 s: 0.058 s%0Asafelight check client --only 4.7 -- python client.py"
    )


@given(reports)
def test_the_summary_is_a_table_in_which_what_was_written_is_text(made: Document) -> None:
    text = summary([made])
    wrong = [case for case in made["cases"] if case["verdict"] not in (Verdict.PASS, Verdict.NOT_ASKED)]
    rows = [line for line in text.split("\n") if line.startswith("| ")][1:]
    assert len(rows) == len(wrong)
    for row, case in zip(rows, wrong, strict=True):
        assert row.count("|") == 6
        assert not re.search(r"[<>`\[\]*@]", row.replace("<br>", ""))
        assert html.unescape(row.split(" | ")[0].removeprefix("| ")) == case["id"].replace("\n", " ")
    assert KEY not in text


def test_a_summary_that_github_would_not_show_is_cut_at_the_end_of_a_line() -> None:
    text = summary([document(run([result(Verdict.FAIL, fact="x" * 1_000)] * 1_200))])
    assert len(text) <= MAX_SUMMARY_BYTES + 100
    assert text.endswith(" |\n\nThere is more: this is as much as GitHub shows.\n")


def test_annotations_are_printed_and_the_summary_is_added_where_github_wants_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "summary"
    file.write_text("before\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    write([each_verdict()])
    assert capsys.readouterr().out.splitlines() == list(annotated([each_verdict()]))
    assert file.read_text("utf-8") == f"before\n{summary([each_verdict()])}"
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    write([each_verdict()])
    assert file.read_text("utf-8").count("## ") == 1
