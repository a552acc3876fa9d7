"""The file that a recording is: it has each exchange at once, and overwrites nothing."""

import json
from pathlib import Path

import pytest

from histories import done, submit
from safelight.conformance.recordings.reading import exchanges
from safelight.conformance.recordings.recorder import CannotRecord, Recorder
from safelight.traffic.exchange import Exchange
from safelight.traffic.redaction import without_keys

HISTORY = [submit(100), done(101)]


def kept(path: Path) -> list[Exchange]:
    with path.open("rb") as file:
        return list(exchanges(file))


@pytest.mark.parametrize("name", ["a.ndjson", "a.HAR", "a"])
def test_an_exchange_is_in_the_file_at_once_and_after_the_end(name: str, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / name, 99)
    recorder.add(HISTORY[0])
    assert kept(next(tmp_path.iterdir())) == [without_keys(HISTORY[0])]
    recorder.add(HISTORY[1])
    recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert [(one.at, one.method, one.answer) for one in kept(tmp_path / name)] == [
        (one.at, one.method, one.answer) for one in map(without_keys, HISTORY)
    ]


def test_a_har_is_one(tmp_path: Path) -> None:
    Recorder(tmp_path / "a.har", 0).close()
    assert json.loads((tmp_path / "a.har").read_text("utf-8"))["log"]["entries"] == []


@pytest.mark.parametrize("there", ["a.har", "a.har.ndjson"])
def test_what_is_there_is_not_overwritten(there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("mine", "utf-8")
    with pytest.raises(CannotRecord, match="no recording is overwritten: name another file"):
        Recorder(tmp_path / "a.har", 0)
    assert (tmp_path / there).read_text("utf-8") == "mine"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotRecord, match="No such file or directory"):
        Recorder(tmp_path / "none" / "a.ndjson", 0)
    with pytest.raises(CannotRecord, match="it is there already"):
        Recorder(tmp_path, 0)
    recorder = Recorder(tmp_path / "b.har", 0)
    (tmp_path / "b.har").mkdir()
    with pytest.raises(CannotRecord, match="Is a directory"):
        recorder.close()
    assert (tmp_path / "b.har.ndjson").exists()
