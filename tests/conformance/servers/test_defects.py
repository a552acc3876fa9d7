"""Every bad server has its defect, and no other; all of them run on a socket.

What each answers otherwise than the fake stands in `test_defects.sentences`, by the story that shows it.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx
import pytest

from liars.servers.stories import shown
from run_bad_server import DEFECTS, bad_server
from safelight.conformance.servers.check import checks
from safelight.mockserver.model.keys import FAKE_KEY
from sentences import CheckSentence

RUN: Final = Path(__file__).parents[2] / "run_bad_server.py"

#: Stories that are all named.
FEW: Final = 6


@pytest.mark.parametrize("name", DEFECTS)
def test_each_bad_server_shows_its_defect(name: str, check_sentence: CheckSentence) -> None:
    found = list(shown(DEFECTS[name]))
    assert found
    check_sentence("; ".join(found if len(found) <= FEW else [f"{len(found)} stories", *found[:FEW], "..."]))


def test_every_check_has_a_bad_server_and_no_other_is_named() -> None:
    assert {check for one in DEFECTS.values() for check in one.checks} == set(checks())


def test_a_bad_server_answers_on_a_socket_and_knows_what_was_paid() -> None:
    with bad_server("accepts-a-width-of-2049", key=FAKE_KEY) as running:
        url, headers = f"{running.url}?endpoint=image_generation", {"x-api-key": FAKE_KEY}
        answers = [httpx.post(url, headers=headers, json={"prompt": "a", "width": width}) for width in (2050, 2049)]
        assert [answer.status_code for answer in answers] == [400, 200]
        assert (running.tasks, running.credits) == (1, 10)


def test_a_bad_server_runs_by_its_name_until_it_is_interrupted() -> None:
    key = "sk-" + 6 * "01234567"
    command = [sys.executable, str(RUN), "no-key-is-403"]
    environment = {**os.environ, "SAFELIGHT_API_KEY": key}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        url = f"{process.stdout.readline().strip()}?endpoint=user_balance"
        assert [httpx.get(url, headers=headers).status_code for headers in ({}, {"x-api-key": key})] == [403, 200]
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
