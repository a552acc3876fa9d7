"""The line that a finding prints, pasted into a real shell."""

import os
import subprocess

import pytest

from run_bad_server import bad_server
from safelight.conformance.servers.curl import curl
from safelight.conformance.servers.entry import entry
from safelight.conformance.servers.gate import Gate
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.plan import plan, selected
from safelight.conformance.servers.probe import Probe
from safelight.mockserver.model.keys import FAKE_KEY

#: Checks whose requests fit into a line, all but the longest.
CHECKS = ("S10", "S11", "S20", "S22", "S23", "S33", "S34", "S40")


def _probes() -> list[Probe]:
    made = plan(selected(CHECKS), Options(), max_paid=0, max_surprise=1, has_bank=False, has_other_key=False)
    probes = [probe for _, probe in made.probes()]
    return [probe for probe in probes if "@FILE" not in curl("", probe) and " characters)" not in curl("", probe)]


@pytest.mark.needs("curl")
def test_a_line_has_the_same_answer_as_its_request() -> None:
    """All of them by one shell: a process each takes its time."""
    import asyncio  # noqa: PLC0415

    probes = _probes()
    with bad_server("good") as server:

        async def go() -> list[int]:
            async with Gate(entry(server.url), FAKE_KEY) as gate:
                return [(await gate.send(probe)).status for probe in probes]

        wanted = asyncio.run(go())
        lines = [f"{curl(server.url, probe)} -s -o /dev/null -w '%{{http_code}}\\n'" for probe in probes]
        shell = subprocess.run(
            ["/bin/sh"],
            input="\n".join(lines),
            env={**os.environ, "SAFELIGHT_API_KEY": FAKE_KEY, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=True,
        )
    assert len(probes) > 60
    assert dict(zip(lines, map(int, shell.stdout.split()), strict=True)) == dict(zip(lines, wanted, strict=True))


def test_the_key_is_a_variable_in_the_line_and_signs_of_the_shell_are_none() -> None:
    probe = Probe("odd", "POST", "api_key=$SAFELIGHT_API_KEY&task_id='`id`\"$(id)", body=b'{"a": "\'$(id)`"}')
    line = curl("http://127.0.0.1:9/", probe)
    shell = subprocess.run(
        ["/bin/sh", "-c", line.replace("curl -i", "printf '%s\\n'", 1)],
        env={"SAFELIGHT_API_KEY": "the key"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "api_key=the key&task_id='`id`\"$(id)" in shell.stdout
    assert '{"a": "\'$(id)`"}' in shell.stdout
    assert "uid=" not in shell.stdout
