"""Requests per second of the fake beside a bare Starlette route on the same server, by wrk from another process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from orders import BODY

from safelight.mockserver.keys import FAKE_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds of one measurement, and how many are made of each; they take turns, so that a slow moment hits all.
_SECONDS, _ROUNDS = 3, 3


def rows() -> list[tuple[str, float, str]]:
    """(what, requests per second, goal), the bare route first."""
    with ExitStack() as stack:
        bare, fake = (stack.enter_context(_server(name)) for name in ("bare", "fake"))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        targets = {
            "bare Starlette route": (bare, ""),
            "poll": (f"{fake}?endpoint=task_status&task_id={_submit(fake)}", _script(folder / "poll.lua", "GET", "")),
            "submit": (f"{fake}?endpoint=image_generation", _script(folder / "submit.lua", "POST", json.dumps(BODY))),
        }
        measured = {name: [_wrk(*target)] for name, target in targets.items()}
        for _ in range(_ROUNDS - 1):
            for name, target in targets.items():
                measured[name].append(_wrk(*target))
    return _with_shares({name: median(rates) for name, rates in measured.items()})


def _with_shares(rates: dict[str, float]) -> list[tuple[str, float, str]]:
    whole, *_ = rates.values()
    goals = {"poll": "at least 55 %", "submit": "at least 20 %"}
    return [
        (name, rate, f"{100 * rate / whole:.0f} % of the bare route; goal: {goals[name]}" if name in goals else "")
        for name, rate in rates.items()
    ]


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


def _wrk(url: str, script: str) -> float:
    options = ["-t1", "-c16", f"-d{_SECONDS}s", *(["-s", script] if script else [])]
    done = subprocess.run(["wrk", *options, url], capture_output=True, text=True, check=True)  # noqa: S607 - on the PATH
    if "Non-2xx" in done.stdout:
        raise RuntimeError(f"{url} answered with errors:\n{done.stdout}")
    found = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


if __name__ == "__main__":
    for what, rate, remark in rows():
        print(f"{what:<24}{rate:>10,.0f} /s  {remark}")
