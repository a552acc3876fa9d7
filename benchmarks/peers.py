"""The fake and its peers in one run: `python benchmarks/peers.py`, which writes a table and a chart into the docs.

Each round measures each server once for each operation, one after the other on the same core, with wrk on another: a
slow moment of the machine hits all alike. It wants wrk, taskset and two cores; peers that are missing are installed
into `.cache/peers`, or left out with a word. `--rounds 3 --seconds 1 --no-write` is a short look.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parent))

from load import SERVER_CORE, Seen, Target, measured, megabytes, script
from orders import BODY
from peers_installed import PEERS, Missing, Peer
from peers_page import Row, quartiles, write

from safelight.mockserver.model.keys import FAKE_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Connections of the rounds, and of the run that says how late the latest answers are.
_CONNECTIONS, _MANY = 16, 256
#: Seconds that this takes at least: a slow server has answered none of them after one.
_LATE_SECONDS: Final = 3
#: Seconds of load before anything is measured, for what compiles nothing.
_WARM_UP_SECONDS: Final = 1
#: Seconds that a server may take to its first answer: two of them are JVMs.
_MAX_START_SECONDS: Final = 60
#: How often the fake is started to see how long that takes; each of the others is started once.
_STARTS: Final = 3

_KEYED: Final = {"x-api-key": FAKE_KEY}
_SUBMITS: Final = {**_KEYED, "content-type": "application/json"}


@dataclass(slots=True)
class Measured:
    """A server that runs, and what was seen of it so far."""

    peer: Peer
    pid: int
    targets: dict[str, Target]
    starts: list[float]
    at_start: float
    rounds: dict[str, list[Seen]] = field(default_factory=dict)
    late: dict[str, float] = field(default_factory=dict)

    def row(self) -> Row:
        """What the page says of it."""
        return Row(
            self.peer.name,
            self.peer.does,
            self.peer.is_bare,
            {name: [seen.cpu for seen in found] for name, found in self.rounds.items()},
            {name: median(seen.rate for seen in found) for name, found in self.rounds.items()},
            self.late,
            start=median(self.starts),
            at_start=self.at_start,
            under_load=megabytes(self.pid),
        )


def main() -> None:
    """Measure, print, and write the page."""
    asked = _arguments()
    for needed in ("wrk", "taskset"):
        if not shutil.which(needed):
            sys.exit(f"{needed} is missing; Debian has it in the package {'wrk' if needed == 'wrk' else 'util-linux'}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        servers = list(_started(stack, folder, asked.only))
        for server, _, target in _turns(servers):
            seconds = asked.warm_up if server.peer.warms_up else _WARM_UP_SECONDS
            measured(server.pid, target, connections=_CONNECTIONS, seconds=seconds)
        for _ in range(asked.rounds):
            for server, name, target in _turns(servers):
                seen = measured(server.pid, target, connections=_CONNECTIONS, seconds=asked.seconds)
                server.rounds.setdefault(name, []).append(seen)
        for server, name, target in _turns(servers):
            server.late[name] = _p99(server.pid, target, max(asked.seconds, _LATE_SECONDS))
        rows = [server.row() for server in servers]
    _print(rows)
    if not asked.no_write:
        write(rows, asked.rounds, asked.seconds)


def _turns(servers: Sequence[Measured]) -> Iterator[tuple[Measured, str, Target]]:
    """Each operation of each server, one after the other."""
    for server in servers:
        for name, target in server.targets.items():
            yield server, name, target


def _p99(pid: int, target: Target, seconds: int) -> float:
    """Milliseconds, without end where some are answered with errors or none is answered."""
    try:
        return measured(pid, target, connections=_MANY, seconds=seconds).p99 or inf
    except RuntimeError as error:
        print(f"with {_MANY} connections: {error}", flush=True)
        return inf


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds that count (9)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of one measurement (3)")
    parser.add_argument("--warm-up", type=int, default=12, help="seconds before that for a JVM and Node (12)")
    parser.add_argument("--only", nargs="*", help="names of servers, such as Prism; the fake is always there")
    parser.add_argument("--no-write", action="store_true", help="leave the docs as they are")
    return parser.parse_args()


def _started(stack: ExitStack, folder: Path, only: Sequence[str] | None) -> Iterator[Measured]:
    """Each server that is here, once it answers. Says of the others why they are left out."""
    for number, peer in enumerate(PEERS):
        if only is None or peer in PEERS[:1] or peer.name in only:
            try:
                yield _server(stack, peer, folder / str(number))
            except Missing as missing:
                print(f"left out: {peer.name}: {missing}", flush=True)


def _server(stack: ExitStack, peer: Peer, folder: Path) -> Measured:
    """A server that runs; where it was started several times, the last one stays."""
    starts = []
    for last in [False] * (_STARTS - 1 if peer is PEERS[0] else 0) + [True]:
        port = _free_port()
        own = folder / str(port)
        own.mkdir(parents=True)
        with ExitStack() as attempt:
            command = peer.command(port, own)
            begun = time.perf_counter()
            process = attempt.enter_context(_running(command, own))
            entry = f"http://127.0.0.1:{port}"
            answer = _first_answer(f"{entry}{peer.submit}", process, own)
            starts.append(1000 * (time.perf_counter() - begun))
            if last:
                stack.push(attempt.pop_all())
    submit = script(own / "submit.lua", "POST", _SUBMITS, json.dumps(BODY))
    poll = peer.poll.replace("task_id=1", f"task_id={_task_of(answer)}")
    targets = {
        "submit": Target(f"{entry}{peer.submit}", submit),
        "poll": Target(f"{entry}{poll}", script(own / "poll.lua", "GET", _KEYED, "")),
    }
    print(f"runs: {peer.name}", flush=True)
    return Measured(peer, process.pid, targets, starts, megabytes(process.pid))


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    pinned = ["taskset", "-c", SERVER_CORE, *command]
    environment = {**os.environ, "NODE_ENV": "production", "CI": "true"}
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            pinned, stdout=said, stderr=said, cwd=folder, env=environment, start_new_session=True
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()


def _first_answer(url: str, process: subprocess.Popen[bytes], folder: Path) -> bytes:
    """What the server answers to a submit, once it answers. Raises `Missing`."""
    deadline = time.monotonic() + _MAX_START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):  # it does not listen, or answers that it is not ready
            request = Request(url, json.dumps(BODY).encode(), _SUBMITS)  # noqa: S310 - our own
            with urlopen(request, timeout=5) as answer:  # noqa: S310
                found: bytes = answer.read()
                return found
        time.sleep(0.005)
    raise Missing(f"it does not answer: {(folder / 'said').read_text(errors='replace').strip()[-300:] or 'no word'}")


def _task_of(answer: bytes) -> str:
    return str((json.loads(answer).get("data") or {}).get("id", "1"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
    return port


def _print(rows: Sequence[Row]) -> None:
    for row in rows:
        print(f"{row.name:<26} start {row.start:6,.0f} ms  {row.at_start:4,.0f} MB, {row.under_load:4,.0f} under load")
        for name, figures in row.cpu.items():
            low, middle, high = quartiles(figures)
            print(
                f"  {name:<8} {middle:7,.1f} us ({low:,.1f} to {high:,.1f})  {row.rate[name]:8,.0f} /s"
                f"  p99 {row.p99[name]:7,.1f} ms  {row.share(rows[0], name):5.2f} times ours"
            )


if __name__ == "__main__":
    main()
