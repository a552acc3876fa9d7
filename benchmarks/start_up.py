"""Milliseconds until something is there: imports, `--help`, and the first answer of `serve`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable

_REPEATS = 7

#: The command as it is installed beside this Python.
_SAFELIGHT = str(Path(sys.executable).with_name("safelight"))


def rows() -> list[tuple[str, float, str]]:
    """(what, milliseconds, goal)."""
    measured: dict[str, tuple[Callable[[], float], str]] = {
        "import safelight": (partial(imported, "safelight"), ""),
        "import safelight.contracts": (partial(imported, "safelight.contracts"), ""),
        "safelight --help": (_helped, "under 250 ms"),
        "safelight serve to its first answer": (_served, "under 1,000 ms"),
    }
    return [(name, median(measure() for _ in range(_REPEATS)), goal) for name, (measure, goal) in measured.items()]


def imported(module: str) -> float:
    """As `-X importtime` counts it: the module and all that it imports, without Python's own start."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    lines = re.findall(r"\|\s*(\d+) \| (\s*)(\S+)$", report, re.MULTILINE)
    return sum(int(total) for total, indent, name in lines if not indent and name.startswith("safelight")) / 1000


def _helped() -> float:
    begun = time.perf_counter()
    subprocess.run([_SAFELIGHT, "--help"], capture_output=True, check=True)
    return 1000 * (time.perf_counter() - begun)


def _served() -> float:
    with TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        begun = time.perf_counter()
        command = [_SAFELIGHT, "serve", "--port", "0", "--log", "none", "--ready-file", str(ready)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            while not ready.exists():
                time.sleep(0.002)
            _answered(json.loads(ready.read_text())["url"])
            taken = 1000 * (time.perf_counter() - begun)
            server.terminate()
    return taken


def _answered(url: str) -> None:
    try:
        urlopen(url).close()  # noqa: S310 - our own
    except HTTPError as error:
        error.close()  # without an endpoint the answer is 404, and an answer


if __name__ == "__main__":
    for what, milliseconds, goal in rows():
        print(f"{what:<40}{milliseconds:>8.0f} ms  {goal}")
