"""Runs as files."""

from pathlib import Path

import pytest

from reports import each_verdict
from safelight.conformance.report.document import read
from safelight.conformance.report.html import html
from safelight.conformance.report.junit import junit
from safelight.conformance.report.writing import FORMS, CannotWrite, write
from sentences import CheckSentence


def test_each_form_that_is_wanted_is_written_and_no_other(tmp_path: Path) -> None:
    documents = [each_verdict()]
    files = {form: tmp_path / form for form in FORMS}
    write(documents, html=files["html"], json=files["json"], junit=files["junit"])
    assert files["html"].read_text("utf-8") == html(documents)
    assert files["junit"].read_text("utf-8") == junit(documents)
    assert read(files["json"]) == documents
    assert set(tmp_path.iterdir()) == set(files.values())


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path, check_sentence: CheckSentence) -> None:
    with pytest.raises(CannotWrite) as caught:
        write([each_verdict()], html=tmp_path / "none" / "report.html")
    check_sentence(str(caught.value))


def test_a_summary_of_github_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check_sentence: CheckSentence
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(CannotWrite) as caught:
        write([each_verdict()], github=True)
    check_sentence(str(caught.value))
