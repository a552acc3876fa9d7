"""Schemathesis attacks the fake by its OpenAPI document, with all its checks, and finds nothing.

`schemathesis.toml` has the one exception and its reason.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import pytest
from hypothesis import settings

from safelight.contracts import operations
from serving import Served, serving

TESTS: Final = Path(__file__).parents[2]
SCHEMATHESIS: Final = str(Path(sys.executable).with_name("schemathesis"))

#: Seconds within which it has ended, or hangs.
MAX_SECONDS: Final = 110.0

#: What the server is told: tasks move on with each poll, credits do not run out, ids are the same each time.
SERVER: Final = shlex.split("--openapi-paths --polls 1,1 --balance 1000000000 --seed 1 --log json")

#: 60 examples of each operation in CI, and half of that at a desk.
EXAMPLES: Final = 3 * settings().max_examples // 5

OPTIONS: Final = shlex.split(
    f"--phases examples,coverage,fuzzing,stateful --checks all --max-examples {EXAMPLES} --seed 1 "
    "--continue-on-failure --generation-database none --report ndjson --report-ndjson-path events.ndjson --no-color"
)


@dataclass(frozen=True, slots=True)
class Attack:
    """How it ended, and what the server and Schemathesis wrote down meanwhile."""

    ended: subprocess.CompletedProcess[str]
    complained: str
    log: list[dict[str, Any]]
    events: list[dict[str, Any]]

    def accepted(self, *, since: float = 0) -> list[dict[str, Any]]:
        """The requests that were answered with 200."""
        return [exchange for exchange in self.log if exchange["status"] == 200 and exchange["at"] >= since]

    def start(self, phase: str) -> float:
        """When a phase began."""
        begun = [event["PhaseStarted"] for event in self.events if "PhaseStarted" in event]
        (timestamp,) = [one["timestamp"] for one in begun if one["phase"]["name"] == phase]
        return float(timestamp)


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attack]:
    folder = tmp_path_factory.mktemp("attack")
    with serving(*SERVER) as server:
        ended = run(server, folder)
        log = [json.loads(line) for line in server.log]
        events = [json.loads(line) for line in (folder / "events.ndjson").read_text("utf-8").splitlines()]
        yield Attack(ended, server.complained, log, events)


def run(server: Served, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis in a folder, where it leaves what it keeps."""
    where = [urljoin(server.url, "/openapi.json"), "--header", f"x-api-key: {server.key}"]
    return subprocess.run(
        [SCHEMATHESIS, "--config-file", str(TESTS / "schemathesis.toml"), "run", *where, *OPTIONS],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
        check=False,
    )


def test_schemathesis_finds_nothing(attack: Attack) -> None:
    assert attack.ended.returncode == 0, attack.ended.stdout + attack.ended.stderr
    assert "No issues found" in attack.ended.stdout
    assert attack.complained == ""


def test_every_operation_was_accepted_refused_and_asked_for_without_a_key(attack: Attack) -> None:
    expected = {(name, status) for name in operations() for status in (200, 400, 401)} - {("user_balance", 400)}
    assert expected <= {(exchange["operation"], exchange["status"]) for exchange in attack.log}


def test_tasks_of_every_submit_were_polled_by_its_link(attack: Attack) -> None:
    accepted = attack.accepted(since=attack.start("stateful"))
    polls = [exchange for exchange in accepted if exchange["operation"] == "task_status"]
    for name in [one.name for one in operations().values() if one.is_submit]:
        issued = {exchange["task_id"] for exchange in accepted if exchange["operation"] == name}
        assert issued & {exchange["task_id"] for exchange in polls}, name
    assert {exchange["phase"] for exchange in polls} == {"queued", "running", "done"}


@pytest.mark.parametrize(("output", "is_let_pass"), [(0, True), (-1, False)])
def test_the_exception_is_for_what_breaks_constraints_and_no_schema(output: int, *, is_let_pass: bool) -> None:
    from schemathesis_hooks import are_constraints_alone  # noqa: PLC0415 - takes half a second

    body = {"prompt": {"1": {"class_type": "SaveImage", "inputs": {"image": ["nowhere", output]}}}}
    assert are_constraints_alone("image_generation", json.dumps(body).encode()) is is_let_pass
