"""`safelight serve` as its users have it: a process of its own, on a free port."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

import httpx

#: The installed command.
SAFELIGHT: Final = str(Path(sys.executable).with_name("safelight"))

#: Seconds after which a process or an answer is not late but hangs.
MAX_SECONDS: Final = 20.0

#: Seconds that the end may take. It takes one; the rest is for machines that have other things to do.
END: Final = 5.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers."""

    process: subprocess.Popen[bytes]
    url: str
    key: str
    client: httpx.Client
    folder: Path
    #: What its ready file says.
    facts: Mapping[str, str]

    @property
    def control(self) -> str:
        """Where it is controlled, where that is at a port of its own."""
        return self.facts.get("control", "")

    def call(self, method: str, endpoint: str, key: str | None = None, **request: Any) -> httpx.Response:
        """The answer of an operation."""
        request["params"] = {"endpoint": endpoint} | request.get("params", {})
        return self.client.request(method, self.url, headers={"x-api-key": key or self.key}, **request)

    def submit(self, key: str | None = None, **request: Any) -> dict[str, Any]:
        """Submit a picture; the data of the answer."""
        return _data(self.call("POST", "image_generation", key, json={"prompt": "a lighthouse"} | request))

    def poll(self, task_id: str) -> dict[str, Any]:
        """The data of a task's status."""
        return _data(self.call("GET", "task_status", params={"task_id": task_id}))

    def words(self, polls: int, **request: Any) -> list[str]:
        """The status words of a new task in so many polls."""
        task_id = self.submit(**request)["id"]
        return [self.poll(task_id)["status"] for _ in range(polls)]

    @property
    def said(self) -> str:
        """What it printed so far."""
        return (self.folder / "stdout").read_text("utf-8")

    @property
    def complained(self) -> str:
        """What it printed to standard error so far."""
        return (self.folder / "stderr").read_text("utf-8")

    @property
    def log(self) -> list[str]:
        """The lines of the log so far. A line is written before its exchange is answered."""
        return self.said.partition("Paste this")[2].split("\n")[3:-1]

    def end(self, number: signal.Signals = signal.SIGTERM, *, within: float = END) -> int:
        """Send a signal and wait, not for long; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(within)


@contextmanager
def serving(*options: str, stdout: IO[bytes] | int | None = None, **variables: str) -> Iterator[Served]:
    """A server with these options while the block runs. Its ready file is a pipe, so that nobody has to look twice."""
    ready, told = os.pipe()
    command = [SAFELIGHT, "serve", "--port", "0", "--ready-file", f"/dev/fd/{told}", *options]
    with TemporaryDirectory() as folder, os.fdopen(ready) as ready_file:
        with (Path(folder) / "stdout").open("wb") as said, (Path(folder) / "stderr").open("wb") as complained:
            out = said if stdout is None else stdout
            environment = {**os.environ, **variables}
            process = subprocess.Popen(command, pass_fds=[told], stdout=out, stderr=complained, env=environment)
        os.close(told)
        try:
            assert select.select([ready], [], [], MAX_SECONDS)[0], "the server does not say that it is ready"
            yield from _answering(process, ready_file.readline(), Path(folder), _own_key(options))
        finally:
            process.kill()
            process.wait()


def _own_key(options: Sequence[str]) -> str:
    """The key that the options say: no file tells it."""
    return options[options.index("--api-key") + 1] if "--api-key" in options else ""


def _answering(process: subprocess.Popen[bytes], ready: str, folder: Path, own_key: str) -> Iterator[Served]:
    assert ready, f"the server ended: {(folder / 'stderr').read_text()}"
    facts = json.loads(ready)
    with httpx.Client(trust_env=False, verify=False, timeout=MAX_SECONDS) as client:
        key = facts.get("api_key", own_key)
        yield Served(process, facts["url"], key, client, folder, facts)


def _data(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def safelight(arguments: Sequence[str], *, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [SAFELIGHT, *arguments],
        env={**os.environ, **variables},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
        check=False,
    )
