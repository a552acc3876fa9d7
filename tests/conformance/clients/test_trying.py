"""What a client leaves in its folder is looked at, whatever it is."""

from pathlib import Path
from threading import Event

import pytest

from safelight.conformance.clients.case import selected
from safelight.conformance.clients.evidence import Evidence, Limits
from safelight.conformance.clients.trying import files_in, try_client

LIMITS = Limits(0.1, 0.5, 2)


def tried(script: str) -> Evidence:
    [case] = selected(["1.1"])
    return try_client(["sh", "-c", script], case.trials[0], LIMITS, Event())


def test_a_file_that_fills_all_the_room_hides_no_other(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(1 << 40)
    (tmp_path / "picture.png").write_bytes(b"PNG")
    assert files_in(tmp_path)["picture.png"] == b"PNG"


@pytest.mark.parametrize(
    "left",
    [
        "mkfifo f.png",
        "ln -s . loop",
        "ln -s b a; ln -s a b",
        "touch f.png; chmod 000 f.png .",
        "rmdir $SAFELIGHT_OUT_DIR",
    ],
)
def test_whatever_a_client_leaves_is_passed_over(left: str) -> None:
    evidence = tried(f'cd "$SAFELIGHT_OUT_DIR" && {left}')
    assert [one.code for one in evidence.ended] == [0]
    assert b"".join(contents for files in evidence.files for contents in files.values()) == b""


def test_folders_in_folders_without_end_are_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    tried('cd "$SAFELIGHT_OUT_DIR"; i=0; while [ $i -lt 1100 ]; do mkdir d && cd -P d || exit 1; i=$((i + 1)); done')
    assert list(tmp_path.iterdir()) == []
