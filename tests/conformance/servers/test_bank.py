"""The bank of finished tasks: a file, written and read back."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.conformance.servers.bank import MAX_TASKS, Banked, NoBank, owner_of, read, write

SERVER = "http://127.0.0.1:9/v1/index.php"
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1)
TASKS = st.builds(Banked, TEXTS, TEXTS, TEXTS, st.floats(0, 1e12))


@given(st.lists(TASKS, max_size=2 * MAX_TASKS))
def test_what_is_written_is_read_back_the_newest_of_each_id(tasks: list[Banked]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "bank.json")
        write(path, SERVER, tasks)
        found = read(path, SERVER)
    assert set(found) <= set(tasks)
    assert len(found) == min(len({task.task_id for task in tasks}), MAX_TASKS)


def test_a_file_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json", SERVER) == []


def test_a_folder_that_is_not_there_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(NoBank, match="cannot be written"):
        write(tmp_path / "none" / "bank.json", SERVER, [])


@given(TEXTS)
def test_a_key_is_not_to_be_seen_in_what_stands_for_it(key: str) -> None:
    assert owner_of(key) == owner_of(key)
    assert len(owner_of(key)) == 12
