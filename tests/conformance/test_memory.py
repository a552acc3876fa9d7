"""What is remembered from run to run: of each who was judged apart from the others."""

from pathlib import Path

import pytest

from reports import result
from safelight.conformance.memory import FILE, last_failed, remember
from safelight.conformance.verdicts import Verdict


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_servers_and_clients_are_kept_apart() -> None:
    remember([result(Verdict.FAIL)], "server http://one/")
    remember([result(Verdict.PASS)], "server http://two/")
    assert last_failed("server http://one/") == [result().id]
    assert (last_failed("server http://two/"), last_failed()) == ([], [])


def test_what_passes_is_forgotten_and_what_is_not_asked_stays() -> None:
    remember([result(Verdict.INCOMPLETE)])
    remember([result(Verdict.NOT_ASKED)])
    assert last_failed() == [result().id]
    remember([result(Verdict.PASS)])
    assert last_failed() == []


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"client": 1}', '{"client": [1]}', "\x00"])
def test_a_file_that_is_none_remembers_nothing(text: str) -> None:
    FILE.parent.mkdir()
    FILE.write_text(text, "utf-8")
    assert last_failed() == []
    remember([result(Verdict.FAIL)])
    assert last_failed() == [result().id]


def test_a_folder_that_cannot_be_made_has_no_memory() -> None:
    FILE.parent.write_text("a file")
    remember([result(Verdict.FAIL)])
    assert last_failed() == []
