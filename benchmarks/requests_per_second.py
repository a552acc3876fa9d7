"""Requests per second of the fake beside a bare Starlette route on the same server, by wrk from another process."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from orders import BODY

from safelight.mockserver.model.keys import FAKE_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds of one measurement, and rounds in which each is made once: a slow moment of the machine hits all alike.
_SECONDS, _ROUNDS = 1, 15

_BARE = "bare Starlette route"

#: What is asked for: at least this many percent of the bare route, measured in the same round.
_GOALS = {"poll": 55, "submit": 20}


@dataclass(eq=False)
class NoWrk(Exception):
    """There is nothing to measure with."""

    def __str__(self) -> str:
        return "wrk is missing; the Debian package is called wrk: apt-get install wrk"


def rows() -> list[tuple[str, float, str]]:
    """(what, requests per second, goal), the bare route first. Raises `NoWrk`."""
    if shutil.which("wrk") is None:
        raise NoWrk
    with ExitStack() as stack:
        bare, fake = (stack.enter_context(_server(name)) for name in ("bare", "fake"))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        targets = {
            _BARE: (bare, ""),
            "poll": (f"{fake}?endpoint=task_status&task_id={_submit(fake)}", _script(folder / "poll.lua", "GET", "")),
            "submit": (f"{fake}?endpoint=image_generation", _script(folder / "submit.lua", "POST", json.dumps(BODY))),
        }
        rounds = [{name: wrk(*target) for name, target in targets.items()} for _ in range(_ROUNDS)]
    return [(name, median(rates[name] for rates in rounds), _share(name, rounds)) for name in targets]


def _share(name: str, rounds: list[dict[str, float]]) -> str:
    if name not in _GOALS:
        return ""
    share = median(100 * rates[name] / rates[_BARE] for rates in rounds)
    return f"{share:.0f} % of the bare route; goal: at least {_GOALS[name]} %"


@contextmanager
def _server(name: str) -> Iterator[str]:
    command = [sys.executable, str(Path(__file__).with_name("servers.py")), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _submit(entry: str) -> str:
    headers = {"x-api-key": FAKE_KEY, "content-type": "application/json"}
    request = Request(f"{entry}?endpoint=image_generation", json.dumps(BODY).encode(), headers)  # noqa: S310 - our own
    with urlopen(request) as answer:  # noqa: S310
        task_id: str = json.load(answer)["data"]["id"]
        return task_id


def _script(path: Path, method: str, body: str) -> str:
    """What makes wrk send this request: a script in Lua."""
    lines = [f'wrk.method = "{method}"', f'wrk.headers["x-api-key"] = "{FAKE_KEY}"']
    lines += ['wrk.headers["content-type"] = "application/json"', f"wrk.body = [[{body}]]"] if body else []
    path.write_text("\n".join(lines))
    return str(path)


def wrk(url: str, script: str) -> float:
    """Requests per second of a second. Raises `RuntimeError` where any is answered with an error."""
    options = ["-t1", "-c16", f"-d{_SECONDS}s", *(["-s", script] if script else [])]
    done = subprocess.run(["wrk", *options, url], capture_output=True, text=True, check=True)  # noqa: S607 - on the PATH
    if "Non-2xx" in done.stdout:
        raise RuntimeError(f"{url} answered with errors:\n{done.stdout}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


if __name__ == "__main__":
    try:
        for what, rate, remark in rows():
            print(f"{what:<24}{rate:>10,.0f} /s  {remark}")
    except NoWrk as missing:
        sys.exit(str(missing))
