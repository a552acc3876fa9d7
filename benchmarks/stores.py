"""Requests per second by store and number of processes: `python benchmarks/stores.py`. It wants wrk and redis-server.

One key is one session, whose requests wait for one another; with eight keys they do so only within each.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from orders import BODY

#: Rounds in which each is measured once, processes, and keys.
_ROUNDS, _PROCESSES, _KEYS = 3, (1, 2, 4), (1, 8)

_LUA = """
local keys, ids, number = {{{keys}}}, {{{ids}}}, 0
wrk.headers["content-type"] = "application/json"
function request()
    number = number % #keys + 1
    wrk.headers["x-api-key"] = keys[number]
    return wrk.format("{method}", "{path}" .. (ids[number] or ""), nil, {body})
end
"""


@dataclass(eq=False)
class NoWrk(Exception):
    """There is nothing to measure with."""

    def __str__(self) -> str:
        return "wrk is missing; the Debian package is called wrk: apt-get install wrk"


def wrk(url: str, script: str) -> float:
    """Requests per second of a second. Raises `RuntimeError` where any is answered with an error."""
    options = ["-t1", "-c16", "-d1s", "-s", script]
    done = subprocess.run(["wrk", *options, url], capture_output=True, text=True, check=True)  # noqa: S607 - on the PATH
    if "Non-2xx" in done.stdout:
        raise RuntimeError(f"{url} answered with errors:\n{done.stdout}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


def rows() -> Iterator[tuple[str, int, int, float, float]]:
    """(store, processes, keys, polls and submits a second). Raises `NoWrk`."""
    if shutil.which("wrk") is None:
        raise NoWrk
    cases = [("memory", 1), *product(("sqlite", "redis"), _PROCESSES)]
    for (store, processes), keys in product(cases, _KEYS):
        rates = [_rates(store, processes, keys) for _ in range(_ROUNDS)]
        yield store, processes, keys, median(polls for polls, _ in rates), median(submits for _, submits in rates)


def _rates(store: str, processes: int, keys: int) -> tuple[float, float]:
    with TemporaryDirectory() as text, _place(store, Path(text)) as name:
        folder = Path(text)
        with _serving(name, processes, folder) as url:
            names = [f"sk-bench-{number}" for number in range(keys)]
            ids = [_submit(url, key) for key in names]
            poll = _script(folder, names, ids, "GET", "task_status&task_id=", "nil")
            submit = _script(folder, names, [], "POST", "image_generation", f"[[{json.dumps(BODY)}]]")
            return wrk(url, poll), wrk(url, submit)


@contextmanager
def _place(store: str, folder: Path) -> Iterator[str]:
    """What the store is called; a Redis runs while the block does."""
    if store != "redis":
        yield f"sqlite:{folder / 'fake.db'}" if store == "sqlite" else store
        return
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _await(port, process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def _free_port() -> int:
    """One that nobody else listens on, such as another run of this benchmark: its Redis goes when that ends."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise RuntimeError(f"redis-server has ended, with {process.returncode}")


@contextmanager
def _serving(store: str, processes: int, folder: Path) -> Iterator[str]:
    ready, told = os.pipe()
    options = ["--store", store, "--processes", str(processes), "--any-key", "--balance", "1000000000"]
    options += ["--queued", "0", "--running", "never", "--log", "none", "--port", "0"]
    command = [str(Path(sys.executable).with_name("safelight")), "serve", *options, "--ready-file", f"/dev/fd/{told}"]
    with (folder / "said").open("wb") as said, subprocess.Popen(command, pass_fds=[told], stdout=said) as process:
        os.close(told)
        try:
            with os.fdopen(ready) as facts:
                yield json.loads(facts.readline())["url"]
        finally:
            process.terminate()


def _submit(url: str, key: str) -> str:
    headers = {"x-api-key": key, "content-type": "application/json"}
    request = Request(f"{url}?endpoint=image_generation", json.dumps(BODY).encode(), headers)  # noqa: S310 - our own
    with urlopen(request) as answer:  # noqa: S310
        return str(json.load(answer)["data"]["id"])


def _script(folder: Path, keys: list[str], ids: list[str], *request: str) -> str:
    """What makes wrk send these requests in turn."""
    method, query, body = request
    quoted = [", ".join(f'"{text}"' for text in texts) for texts in (keys, ids)]
    path = folder / f"{method}.lua"
    query = f"/v1/index.php?endpoint={query}"
    path.write_text(_LUA.format(keys=quoted[0], ids=quoted[1], method=method, path=query, body=body))
    return str(path)


if __name__ == "__main__":
    print("| store | processes | keys | polls /s | submits /s |\n|---|---|---|---|---|")
    try:
        for store, processes, keys, polls, submits in rows():
            print(f"| {store} | {processes} | {keys} | {polls:,.0f} | {submits:,.0f} |", flush=True)
    except NoWrk as missing:
        sys.exit(str(missing))
