"""What is large lies on disk for as long as something refers to it: tasks that nobody polls do not fill the memory."""

import gc
import tracemalloc
from base64 import b64encode
from pathlib import Path

import httpx
import pytest

from fake import Fake
from safelight import Safelight, UnmetExpectation
from safelight.mockserver.model import kept_bytes as module
from safelight.mockserver.model.kept_bytes import MAX_BYTES_IN_MEMORY, BytesOnDisk, kept_bytes
from safelight.mockserver.model.session_state import Bounds
from safelight.mockserver.storage.codec import decoded, encoded

LARGE = b64encode(bytes(300_000)).decode()


def edit(fake: Fake, image: str) -> str:
    return str(fake.data("image_editing", image=image, prompt="night")["id"])


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where large bytes of this test lie."""
    monkeypatch.setattr(module, "_folder", lambda: tmp_path)
    return tmp_path


def test_small_bytes_stay_in_memory_and_large_ones_lie_on_disk(folder: Path) -> None:
    assert kept_bytes(b"x" * MAX_BYTES_IN_MEMORY) == b"x" * MAX_BYTES_IN_MEMORY
    assert list(folder.iterdir()) == []
    large = kept_bytes(b"x" * (MAX_BYTES_IN_MEMORY + 1))
    assert isinstance(large, BytesOnDisk)
    assert large.read() == b"x" * (MAX_BYTES_IN_MEMORY + 1)
    del large
    assert list(folder.iterdir()) == []


def test_equal_bytes_are_equal_on_disk_too(folder: Path) -> None:
    one, same, other = (BytesOnDisk(contents) for contents in (b"a", b"a", b"b"))
    assert len(list(folder.iterdir())) == 3
    assert (one == same, one == other, one == b"a") == (True, False, False)
    assert hash(one) == hash(same)


def test_what_the_disk_does_not_take_stays_in_memory(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(module, "_folder", lambda: folder / "there is none")
    assert kept_bytes(b"x" * 100_000) == b"x" * 100_000


def test_a_task_gives_its_large_request_back_whole(folder: Path) -> None:
    fake = Fake()
    edit(fake, LARGE)
    assert fake.tasks[0].request == {"image": LARGE, "prompt": "night"}
    assert len(list(folder.iterdir())) == 1
    assert decoded(encoded(fake.session.data)).tasks == fake.session.data.tasks


def test_a_file_goes_with_its_task(folder: Path) -> None:
    fake = Fake(bounds=Bounds(max_finished_tasks=2), queued=0, running=0)
    for _ in range(5):
        edit(fake, LARGE)
    gc.collect()
    assert len(list(folder.iterdir())) == len(fake.tasks) < 5


def test_unpolled_edits_do_not_fill_the_memory() -> None:
    picture = "A" * 2_000_000
    with Safelight(polls=(1, 1), balance=10**6) as api:

        def send(edits: int) -> int:
            for _ in range(edits):
                body = {"prompt": "night", "image": picture}
                headers = {"x-api-key": api.api_key}
                httpx.post(f"{api.url}?endpoint=image_editing", json=body, headers=headers, timeout=60)
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            before = send(10)  # by then the journal is full
            assert send(10) - before < len(picture)
        finally:
            tracemalloc.stop()
        assert {task.request["image"] for task in api.tasks} == {picture}
        api.assert_submitted(image=picture)
        with pytest.raises(UnmetExpectation, match="image was"):
            api.assert_submitted(image=picture[:-1] + "B")
