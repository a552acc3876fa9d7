"""Standard streams that are closed, full or slow: one sentence or none, and never a trace."""

import os
import select
import signal
import subprocess
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest

from sentences import CheckSentence, refusal
from serving import MAX_SECONDS, SAFELIGHT, serving


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run `safelight` with the redirections of a shell."""
    command = ["sh", "-c", f'"$0" {line}', SAFELIGHT]
    return subprocess.run(command, capture_output=True, text=True, timeout=MAX_SECONDS, check=False)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("schema list >&-", 0),
        ("schema list <&- >&- 2>&-", 0),
        ("schema show nothing >&- 2>&-", 2),
        ("--help >&-", 0),
        ("exec -- true <&- >&- 2>&-", 0),
        ("exec -- false >&-", 1),
    ],
)
def test_a_closed_stream_changes_nothing(line: str, code: int) -> None:
    done = shell(line)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_a_closed_input_is_an_empty_document() -> None:
    done = shell("schema check error - <&-")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith(" [json.empty, assumed]\n")


@pytest.mark.parametrize("line", ["schema list", "schema show error", "--help", "--version", "serve --help"])
def test_a_full_disk_is_one_sentence(line: str, check_sentence: CheckSentence) -> None:
    check_sentence(refusal(shell(f"{line} >/dev/full"), code=1))


@pytest.mark.parametrize("streams", [">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_server_without_streams_serves_until_it_is_stopped(streams: str, tmp_path: Path) -> None:
    ready, complaints = tmp_path / "ready", tmp_path / "complaints"
    os.mkfifo(ready)
    line = f'exec "$0" serve --port 0 --ready-file "$1" {streams}'
    with (
        complaints.open("wb") as stderr,
        subprocess.Popen(["sh", "-c", line, SAFELIGHT, str(ready)], stderr=stderr) as server,
    ):
        assert "http://" in ready.read_text()
        server.send_signal(signal.SIGTERM)
        assert server.wait(MAX_SECONDS) == 0
    assert complaints.read_text() == ""


def test_a_slow_reader_holds_up_an_answer_for_a_moment_only() -> None:
    read, write = os.pipe()
    done = Event()

    def sip() -> None:
        while not done.wait(0.15):
            os.read(read, 4_096)

    reader = Thread(target=sip)
    with serving("--log", "json", stdout=write) as server:
        while select.select([], [write], [], 0)[1]:
            os.write(write, b"x" * 4_096)
        reader.start()
        for _ in range(10):
            began = monotonic()
            server.call("GET", "task_status", params={"task_id": "x" * 60_000})
            assert monotonic() - began < 1
        os.close(write)
        done.set()
        reader.join()
    os.close(read)
