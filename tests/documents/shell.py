"""Run what a document tells its reader to type."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

#: Seconds after which a command of a document has hung.
MAX_SECONDS: Final = 60.0

#: How wide a reader's terminal is.
COLUMNS: Final = 100

#: Variables of the test run that a reader does not have.
PRIVATE: Final = re.compile(r"PYTEST_|SAFELIGHT_|COV_|COVERAGE_|(BASH_ENV|ENV|PYTHONPATH|CDPATH|CI|BUILD_NUMBER)$")

#: Before each block comes what the blocks before it have set (bash keeps a few readonly), after it what it has set.
BEFORE: Final = """. "$DOCUMENT_STATE" 2>/dev/null || :
trap '{ export -p; printf "cd -- %q\\n" "$PWD"; } > "$DOCUMENT_STATE"' EXIT
"""

#: A reader's terminal.
READER: Final = {
    "NO_COLOR": "1",
    "TERM": "dumb",
    "COLUMNS": str(COLUMNS),
    "LC_ALL": "C.UTF-8",
    "PYTHONUTF8": "1",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}

_SERVE: Final = re.compile(
    r"^(?P<before>(?:\w+=\S*[ ]+)*)safelight serve\b(?P<settings>(?:\\\n|[^\n])*)\Z", re.MULTILINE
)


@dataclass(eq=False)
class Unexpected(Exception):
    """A command did not do what its document says."""

    what: str
    printed: str

    def __str__(self) -> str:
        return f"{self.what}; printed was:\n{self.printed or '(nothing)'}"


@dataclass(slots=True)
class Shell:
    """One reader's terminal: a folder, what is kept between blocks, and at most one server in the foreground."""

    folder: Path
    kept: Path
    port: int
    server: "Server | None" = None
    _count: int = field(default=0)

    def __post_init__(self) -> None:
        (self.kept / "state").touch()
        (self.kept / ".curlrc").write_text("silent\nshow-error\n")  # as on a terminal: no progress meter

    def run(self, source: str, status: int = 0) -> str:
        """Run one block to its end; what it printed, both streams as they came."""
        transcript = self._transcript()
        process = self._start(source, transcript)
        try:
            ended_with = process.wait(MAX_SECONDS)
        except subprocess.TimeoutExpired:
            _end_group(process.pid)
            process.wait()
            raise Unexpected(f"the command did not end within {MAX_SECONDS:.0f} s", transcript.read_text()) from None
        printed = transcript.read_text(errors="replace")
        if _end_group(process.pid):
            raise Unexpected("the block left a process behind; a server stands alone in its block", printed)
        if ended_with != status:
            raise Unexpected(f"the command ended with {ended_with}, not {status}", printed)
        return printed

    def serve(self, source: str) -> "Server":
        """Start a server in the foreground and wait until it answers; the one before it ends."""
        self.close()
        command, ready = _with_ready_file(source, self.folder, self.kept / "ready.json", self.port)
        ready.unlink(missing_ok=True)
        transcript = self._transcript()
        self.server = Server(self._start(command, transcript), transcript)
        self.server.wait_until(ready.exists, "ready")
        return self.server

    def close(self) -> None:
        """End the server, if there is one."""
        server, self.server = self.server, None
        if server:
            server.end()

    def _transcript(self) -> Path:
        self._count += 1
        return self.kept / f"printed-{self._count}.txt"

    def _start(self, source: str, transcript: Path) -> subprocess.Popen[bytes]:
        script = self.kept / f"{transcript.stem}.sh"
        script.write_text(BEFORE + source, encoding="utf-8")
        with transcript.open("wb") as printed:
            return subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-ea", "-o", "pipefail", script],
                cwd=self.folder,
                env=dict(self._environment(os.environ)),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environment(self, inherited: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """A reader's variables: the installed commands first, plain output, no proxy for this machine."""
        yield from ((name, value) for name, value in inherited.items() if not PRIVATE.match(name))
        yield "PATH", f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', os.defpath)}"
        yield "PYTHONUNBUFFERED", "1"  # so that what a command prints and what it complains of stand in their order
        yield "DOCUMENT_STATE", str(self.kept / "state")
        yield "CURL_HOME", str(self.kept)
        yield "PYTEST_ADDOPTS", " ".join(f"-pno:{plugin}" for plugin in self._strange_plugins())
        yield from READER.items()

    def _strange_plugins(self) -> Iterator[str]:
        """Plugins that are here for tests of ours; that of Hypothesis takes half a second where nothing uses it."""
        yield from ("asyncio", "randomly", "schemathesis")
        if not any("hypothesis" in file.read_text("utf-8") for file in self.folder.glob("*.py")):
            yield "hypothesispytest"


@dataclass(frozen=True, slots=True)
class Server:
    """A server in the foreground of a reader's terminal."""

    process: subprocess.Popen[bytes]
    transcript: Path

    @property
    def printed(self) -> str:
        """All it has printed so far."""
        return self.transcript.read_text(errors="replace")

    def wait_until(self, reached: Callable[[], bool], name: str) -> None:
        """Wait for something the server is about to do; its end is an answer as well."""
        deadline = time.monotonic() + MAX_SECONDS
        while not reached():
            try:
                status = self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    raise Unexpected(f"the server was not {name} within {MAX_SECONDS:.0f} s", self.printed) from None
            else:
                raise Unexpected(f"the server ended with {status} before it was {name}", self.printed)

    def end(self) -> None:
        """Ask it to end, by its own id."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(MAX_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Unexpected(f"the server did not end within {MAX_SECONDS:.0f} s of SIGTERM", self.printed) from None


def is_server(source: str) -> bool:
    """Whether the last command of a block is a server in the foreground."""
    found = _SERVE.search(source.rstrip())
    return found is not None and not {"&", "|", "--help"} & set(shlex.split(found["settings"], comments=True))


def _with_ready_file(source: str, folder: Path, ready: Path, port: int) -> tuple[str, Path]:
    """The command that tells when it is ready, and on a port of its own; and the file in which it tells it."""
    found = _SERVE.search(source.rstrip())
    assert found is not None
    settings = shlex.split(found["settings"], comments=True)
    own = []
    if not any(word.split("=")[0] in {"--port", "--config"} for word in settings):
        own += ["--port", str(port)]
    if "--ready-file" in settings:
        ready = folder / settings[settings.index("--ready-file") + 1]
    else:
        own += ["--ready-file", str(ready)]
    command = f"{found['before']}exec safelight serve {shlex.join(own)}{found['settings']}"
    return source[: found.start()] + command, ready


def _end_group(leader: int) -> bool:
    """End what is left of a block's own process group; whether there was anything."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
