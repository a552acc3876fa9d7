"""A command is run to its end, with all that it starts, whatever it does."""

import os
import sys
from pathlib import Path
from threading import Event

import pytest

from safelight.conformance.clients.evidence import Ended
from safelight.conformance.clients.process import MAX_KEPT_BYTES, CannotStart, run

MARK = "SAFELIGHT_TRIAL=of-a-test"


def ran(*command: str, seconds: float = 20, stop: Event | None = None) -> Ended:
    name, _, value = MARK.partition("=")
    return run(command, {**os.environ, name: value}, seconds=seconds, mark=MARK, stop=stop or Event())


def is_there(pid: int) -> bool:
    """A process that nobody has buried yet has ended too."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z " not in stat.read_text("utf-8")


def test_exit_code_and_output_are_taken() -> None:
    ended = ran("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (ended.code, ended.stdout, ended.stderr, ended.left) == (3, "out\n", "err\n", 0)


def test_a_signal_is_a_negative_code() -> None:
    assert ran("sh", "-c", "kill -9 $$").code == -9


@pytest.mark.parametrize("detached", ["sleep 300 &", "setsid sleep 300 &", "setsid env -i sleep 300 >/dev/null 2>&1 &"])
def test_what_is_left_running_is_counted_and_ended(detached: str) -> None:
    ended = ran("sh", "-c", f"{detached} echo $!; exit 0")
    assert (ended.code, ended.left) == (0, 1)
    assert not is_there(int(ended.stdout))


def test_who_ignores_sigterm_is_ended_all_the_same() -> None:
    ended = ran("sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.05; done", seconds=0.3)
    assert ended.code is None
    assert not is_there(int(ended.stdout))


def test_of_much_output_beginning_and_end_are_kept() -> None:
    script = "import sys\nprint('first')\nsys.stdout.write('x' * 30_000_000)\nprint('last')"
    ended = ran(sys.executable, "-c", script)
    assert ended.written == 30_000_011
    assert len(ended.stdout) < 3 * MAX_KEPT_BYTES
    assert ended.stdout.startswith("first")
    assert ended.stdout.endswith("last\n")


def test_output_that_is_no_text_is_shown_as_well_as_it_gets() -> None:
    assert ran("printf", r"\377\101").stdout == "\N{REPLACEMENT CHARACTER}A"


def test_a_run_that_is_stopped_ends_at_once() -> None:
    stop = Event()
    stop.set()
    assert ran("sleep", "300", stop=stop).code is None


def test_a_command_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="'no-such-thing' cannot be run: there is no such command"):
        ran("no-such-thing")
    (tmp_path / "driver.py").write_text("print()", "utf-8")
    with pytest.raises(CannotStart, match="cannot be run: it is not executable"):
        ran(str(tmp_path / "driver.py"))


def test_what_keeps_a_command_from_starting_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"driver": "#!/bin/sh\n", "crlf": "#!/bin/sh\r\n"}.items():
        Path(name).write_bytes(text.encode())
        Path(name).chmod(0o755)
    with pytest.raises(CannotStart, match=r"it is not on the PATH: name its interpreter before it, or write \./driver"):
        ran("driver")
    with pytest.raises(CannotStart, match=r"its first line, '#!/bin/sh\\r', names an interpreter that is not there"):
        ran("./crlf")
    with pytest.raises(CannotStart, match="it is empty"):
        ran("")


def test_one_that_forks_again_and_again_is_found_and_ended() -> None:
    script = """
import os, time
if os.fork() == 0:
    while True:
        if os.fork():
            os._exit(0)
        os.setsid()
        time.sleep(0.02)
"""
    ended = ran(sys.executable, "-c", script)
    assert ended.code == 0
    assert ended.left > 0
