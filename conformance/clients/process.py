"""One process of a client: started in a group of its own, watched, and ended with all that it started."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import randbelow
from threading import Event, Lock, Thread
from typing import IO, Final

from safelight.conformance.clients.evidence import Ended

#: Bytes of an output that are kept: so many from its beginning, and as many from its end.
MAX_KEPT_BYTES: Final = 65_536

#: Seconds between SIGTERM and SIGKILL.
GRACE_SECONDS: Final = 1.0

#: Seconds between two looks whether the process has ended.
_MOMENT: Final = 0.01

#: Seconds in which what a process has started may end after it.
_PARTING: Final = 0.5

#: One process is branded at a time.
_BRANDING: Final = Lock()

#: Seconds for the rest of the output, once everything has ended.
_REST: Final = 2.0

#: Bytes in the unit of `ru_maxrss`.
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1_024


@dataclass(eq=False)
class CannotStart(Exception):
    """The command cannot be started at all."""

    command: str
    reason: str

    def __str__(self) -> str:
        return f"{self.command!r} cannot be run: {self.reason}"


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    seconds: float,
    mark: str,
    stop: Event,
    during: Callable[[Callable[[int], None]], None] = lambda _: None,
    shows: bool = False,
) -> Ended:
    """Run a command to its end, for so many seconds at most, and until `stop` is set. Raises `CannotStart`.

    `mark` stands in its environment alone: by it, and by a brand, processes are found that have left its group.
    `during` is called again and again while it runs, with a function that sends it a signal.
    `shows` what it writes, as it does.
    """
    begun = time.monotonic()
    with _branded() as brand:
        process = _started(command, environment)
    streams = ((process.stdout, 1), (process.stderr, 2))
    outputs = [_Output(stream, number if shows else None) for stream, number in streams if stream]
    code, memory = _wait(process, begun + seconds, stop, during)
    if code is None:
        _end_group(process.pid, signal.SIGTERM)
        ended, memory = _wait(process, time.monotonic() + GRACE_SECONDS)
        if ended is None:
            _end_group(process.pid, signal.SIGKILL)
            _, memory = _wait(process, time.monotonic() + _REST)
    took = time.monotonic() - begun
    left = _end_what_is_left(process.pid, mark, brand)
    for output in outputs:
        output.join(_REST)
    left = max(left, sum(output.is_alive() for output in outputs))  # somebody who was not found holds it open
    stdout, stderr = (output.text() for output in outputs)
    return Ended(
        code, took, stdout, stderr, sum(output.size for output in outputs), left if code is not None else 0, memory
    )


def _started(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - running it is what the user asked for
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotStart(command[0], reason(command[0], error)) from None
    except ValueError:
        raise CannotStart(command[0], _NO_VARIABLE) from None


#: What is in the way of a prompt that a variable cannot hold: a NUL, or half a surrogate pair.
_NO_VARIABLE: Final = "its request has a character that no environment variable can hold; give it another prompt"


def reason(command: str, error: OSError) -> str:
    """Why a command does not start, and what to do."""
    file = Path(command)
    match error:
        case _ if not command:
            return "it is empty"
        case FileNotFoundError() if file.is_file() and command == file.name:
            return f"it is not on the PATH: name its interpreter before it, or write ./{command}"
        case FileNotFoundError() if file.is_file():
            return f"its first line, {_first_line(file)}, names an interpreter that is not there"
        case FileNotFoundError():
            return "there is no such command"
        case PermissionError() if file.is_dir():
            return "it is a folder"
        case PermissionError():
            return "it is not executable: name its interpreter before it, or chmod +x it"
    if error.errno == errno.E2BIG:
        return "its request is too long for an environment variable, which holds 128 kB; give it a shorter prompt"
    if error.errno == errno.ENOEXEC:
        return "it is no program, and its first line names no interpreter: write one, such as #!/bin/sh"
    return str(error.strerror)


def _first_line(file: Path) -> str:
    """As it stands, with what is not seen in it: a carriage return is what editors for Windows leave."""
    with suppress(OSError), file.open("rb") as lines:
        return repr(lines.readline(80).decode("utf-8", "replace").rstrip("\n"))
    return "which cannot be read"


@contextmanager
def _branded() -> Iterator[int | None]:
    """A limit that nobody meets, and that what is started meanwhile inherits with all that it starts; Linux has it."""
    name = getattr(resource, "RLIMIT_MSGQUEUE", None)
    if name is None:
        yield None
        return
    with _BRANDING:
        usual, hard = resource.getrlimit(name)
        brand = max(0, (hard if hard > 0 else 819_200) - 1 - randbelow(400_000))
        resource.setrlimit(name, (brand, hard))
        try:
            yield brand or None
        finally:
            resource.setrlimit(name, (usual, hard))


def _wait(
    process: subprocess.Popen[bytes],
    until: float,
    stop: Event | None = None,
    during: Callable[[Callable[[int], None]], None] = lambda _: None,
) -> tuple[int | None, int]:
    """The exit code, None where it has not ended by then; and the memory it took."""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, _memory(usage.ru_maxrss)
        if time.monotonic() >= until or (stop and stop.is_set()):
            return None, 0
        during(process.send_signal)
        time.sleep(_MOMENT)


def _memory(most: int) -> int:
    """The bytes a child has taken. Until it runs what this process takes is counted: less than that says nothing."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * _RSS_UNIT if most > own else 0


def _end_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _end_what_is_left(group: int, mark: str, brand: int | None) -> int:
    """End what the process has started and left, also outside of its group. Gives how many there were.

    What ends by itself a moment later was not left running.
    """
    until = time.monotonic() + _PARTING
    while (found := len(list(_left(group, mark, brand)))) and time.monotonic() < until:
        time.sleep(_MOMENT)
    until = time.monotonic() + _REST
    while (there := _end_each(_left(group, mark, brand))) and time.monotonic() < until:
        found = max(found, there)
        time.sleep(_MOMENT)
    return found


def _end_each(pids: Iterable[int]) -> int:
    """How many there were: each is ended when it is seen, as one that forks again and again is soon another."""
    count = 0
    for count, pid in enumerate(pids, 1):  # noqa: B007 - it is the result
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return count


def _has_brand(pid: int, brand: int | None) -> bool:
    with suppress(OSError):
        return brand is not None and resource.prlimit(pid, resource.RLIMIT_MSGQUEUE)[0] == brand
    return False


def _left(group: int, mark: str, brand: int | None) -> Iterator[int]:
    """The processes of a group, and those with a mark in their environment, or branded."""
    for pid in _processes():
        if (own := _group(pid)) and (own == group or _has_brand(pid, brand) or _has_mark(pid, mark)):
            yield pid


def _processes() -> list[int]:
    """The processes that there are, where the system lists them in `/proc`."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if entry.name != str(os.getpid())]


def _group(pid: int) -> int:
    with suppress(OSError):
        state, _, group = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:3]
        return 0 if state == "Z" else int(group)
    return 0


def _has_mark(pid: int, mark: str) -> bool:
    with suppress(OSError):
        return mark.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    return False


class _Output(Thread):
    """Reads an output to its end; keeps its beginning and its end."""

    def __init__(self, stream: IO[bytes], shown_at: int | None) -> None:
        super().__init__(daemon=True)
        self._stream, self._shown_at = stream, shown_at
        self._first, self._last, self.size = b"", b"", 0
        self.start()

    def run(self) -> None:
        """Read to the end."""
        with suppress(ValueError, OSError):
            while chunk := os.read(self._stream.fileno(), MAX_KEPT_BYTES):
                self._keep(chunk)
                if self._shown_at is not None:
                    os.write(self._shown_at, chunk)
        self._stream.close()

    def _keep(self, chunk: bytes) -> None:
        self.size += len(chunk)
        room = MAX_KEPT_BYTES - len(self._first)
        self._first += chunk[:room]
        self._last = (self._last + chunk[room:])[-MAX_KEPT_BYTES:]

    def text(self) -> str:
        """What is kept."""
        left_out = self.size - len(self._first) - len(self._last)
        between = f"\n... {left_out:,} bytes ...\n".encode() if left_out > 0 else b""
        return (self._first + between + self._last).decode("utf-8", "replace")
