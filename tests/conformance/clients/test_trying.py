"""What a client is told, and what it leaves behind."""

import json
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner

from safelight.cli.main import main
from safelight.conformance.clients.case import selected
from safelight.conformance.clients.evidence import Evidence, Limits
from safelight.conformance.clients.process import CannotStart
from safelight.conformance.clients.story import PLAIN, Story
from safelight.conformance.clients.trying import files_in, try_client, unread_in

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


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("a \0 b", "its request has a character that no environment variable can hold; give it another prompt"),
        ("a \ud800 b", "its request has a character that no environment variable can hold; give it another prompt"),
        (
            "lamp " * 60_000,
            "its request is too long for an environment variable, which holds 128 kB; give it a shorter",
        ),
    ],
)
def test_a_prompt_that_cannot_be_told_is_said_in_a_sentence(prompt: str, reason: str, tmp_path: Path) -> None:
    story = Story({**PLAIN, "prompt": prompt})
    with pytest.raises(CannotStart, match=f"'true' cannot be run: {reason}"):
        try_client(["true"], story.trial(), Limits(), Event())
    file = tmp_path / "story.json"
    file.write_text(json.dumps({"story": story.form()}), "utf-8")
    said = CliRunner().invoke(main, ["replay", str(file), "--", "true"])
    assert said.exit_code == 2
    assert reason in " ".join(said.output.split())


def test_files_beyond_the_bounds_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safelight.conformance.clients.trying._MAX_FILES", 1_000)
    for number in range(1_003):
        (tmp_path / f"{number}.png").touch()
    files = files_in(tmp_path)
    assert (len(files), unread_in(tmp_path, files)) == (1_000, 3)


def test_a_file_that_is_too_large_is_counted(tmp_path: Path) -> None:
    with (tmp_path / "x.png").open("wb") as file:
        file.truncate(32_000_001)
    files = files_in(tmp_path)
    assert (len(files["x.png"]), unread_in(tmp_path, files)) == (32_000_000, 1)


def test_what_was_read_whole_is_not_counted(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.png").write_bytes(b"x")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "x.png")
    assert unread_in(tmp_path, files_in(tmp_path)) == 0
