"""What a server costs under load: processor time and memory of its processes, and what wrk sees from another core."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The core of the servers, one after the other, and that of wrk.
SERVER_CORE: Final = "0"
_LOAD_CORE: Final = "1"

_TICKS: Final = os.sysconf("SC_CLK_TCK")

_REQUESTS: Final = re.compile(r"(\d+) requests in")
_RATE: Final = re.compile(r"Requests/sec:\s*([\d.]+)")
_P99: Final = re.compile(r"99%\s+([\d.]+)(us|ms|s)")
_MILLISECONDS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Target:
    """A request that is sent again and again: its URL, and the script that makes wrk send it."""

    url: str
    script: Path


class Seen(NamedTuple):
    """What was measured of one run."""

    #: Microseconds of the processor for each request, of all processes of the server.
    cpu: float
    rate: float
    #: Milliseconds in which 99 of 100 requests were answered.
    p99: float


def script(path: Path, method: str, headers: dict[str, str], body: str) -> Path:
    """What makes wrk send this request: a script in Lua."""
    lines = [f'wrk.method = "{method}"', *(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())]
    path.write_text("\n".join([*lines, *([f"wrk.body = [[{body}]]"] if body else [])]))
    return path


def measured(pid: int, target: Target, *, connections: int, seconds: float) -> Seen:
    """What a server costs that answers as fast as it can. Raises `RuntimeError` where it answers with errors."""
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(target.script)]
    before = _seconds(pid)
    command = ["taskset", "-c", _LOAD_CORE, "wrk", *options, target.url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = _seconds(pid) - before
    requests, rate, late = _REQUESTS.search(said), _RATE.search(said), _P99.search(said)
    if "Non-2xx" in said or not (requests and rate and late and int(requests[1])):
        raise RuntimeError(f"{target.url} answered with errors:\n{said}")
    return Seen(1e6 * used / int(requests[1]), float(rate[1]), float(late[1]) * _MILLISECONDS[late[2]])


def megabytes(pid: int) -> float:
    """Resident memory of a process and those below it."""
    found = [re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{one}/status").read_text()) for one in _tree(pid)]
    return sum(int(kilobytes[1]) for kilobytes in found if kilobytes) / 1024


def _seconds(pid: int) -> float:
    """Seconds of the processor that a process and those below it have used."""
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in _tree(pid)]
    return sum(int(of[11]) + int(of[12]) for of in fields) / _TICKS


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield from _tree(int(child))
