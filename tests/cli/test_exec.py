"""`safelight exec`: a command beside a fake, and nothing left of either when it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from safelight.mockserver.model.keys import FAKE_KEY
from sentences import CheckSentence, refusal
from serving import MAX_SECONDS, SAFELIGHT, safelight

#: Submits a task to the fake it finds in its environment, and prints the answer.
CLIENT: Final = """
import json, os, urllib.request
request = urllib.request.Request(
    os.environ["SAFELIGHT_BASE_URL"] + "?endpoint=image_generation",
    json.dumps({"prompt": "x", "workflow": "rr3"}).encode(),
    {"x-api-key": os.environ["SAFELIGHT_API_KEY"], "content-type": "application/json"},
)
print(urllib.request.urlopen(request).read().decode())
"""

#: Says that it is there, waits for its standard input to end, and says so if it was asked to end.
WAITING: Final = """
import os, signal, sys
def asked(number, frame):
    os.write(1, b"asked by %d\\n" % number)  # `print` may be on the stack below
    os._exit(7)
signal.signal(signal.{name}, asked)
print(os.getpid(), os.environ["SAFELIGHT_BASE_URL"], flush=True)
sys.stdin.read()
"""


def test_the_command_finds_the_fake_in_its_environment() -> None:
    done = safelight(["exec", "--", sys.executable, "-c", CLIENT])
    assert done.stderr == ""
    assert json.loads(done.stdout)["data"]["provider"] == "rr3"


def test_the_environment_is_that_of_the_caller_with_url_and_key() -> None:
    done = safelight(["exec", "env"], ELSE="where")
    found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert (found["ELSE"], found["SAFELIGHT_API_KEY"]) == ("where", FAKE_KEY)
    assert urlsplit(found["SAFELIGHT_BASE_URL"]).hostname == "127.0.0.1"


#: Variables of a company's proxy, which has no way to this machine.
PROXY: Final = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")

#: How a client asks for the status of an answer: that of a library, or a command.
CLIENTS: Final = {
    "urllib": "import urllib.request as r; print(r.urlopen(r.Request(URL, headers=KEY)).status)",
    "httpx": "import httpx; print(httpx.get(URL, headers=KEY).status_code)",
    "httpx2": "import httpx2; print(httpx2.get(URL, headers=KEY).status_code)",
    "requests": "import requests; print(requests.get(URL, headers=KEY, timeout=10).status_code)",
    "aiohttp": "import aiohttp, asyncio\n"
    "async def ask():\n"
    "    async with aiohttp.ClientSession(trust_env=True) as http, http.get(URL, headers=KEY) as answer:\n"
    "        print(answer.status)\n"
    "asyncio.run(ask())",
}
_BEGIN: Final = """import os
URL = os.environ["SAFELIGHT_BASE_URL"] + "?endpoint=user_balance"
KEY = {"x-api-key": os.environ["SAFELIGHT_API_KEY"]}
"""
_CURL: Final = """curl --silent --output /dev/null --write-out '%{http_code}\\n' -H "x-api-key: $SAFELIGHT_API_KEY" \
"$SAFELIGHT_BASE_URL?endpoint=user_balance" """
_NODE: Final = """const answer = await fetch(`${process.env.SAFELIGHT_BASE_URL}?endpoint=user_balance`,
  { headers: { "x-api-key": process.env.SAFELIGHT_API_KEY } });
console.log(answer.status)"""

COMMANDS: Final = [
    *(pytest.param([sys.executable, "-c", _BEGIN + client], id=name) for name, client in CLIENTS.items()),
    pytest.param(["sh", "-c", _CURL], id="curl", marks=pytest.mark.needs("curl")),
    pytest.param(["node", "--input-type=module", "-e", _NODE], id="node", marks=pytest.mark.needs("node")),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_asks_no_proxy_for_the_fake(command: list[str]) -> None:
    done = safelight(["exec", "--", *command], **PROXY, NODE_USE_ENV_PROXY="1")
    assert (done.stdout, done.stderr) == ("200\n", "")


#: Polls the fake once, and prints the answer.
POLL: Final = _BEGIN.replace("user_balance", "task_status&task_id=1") + (
    "import urllib.request as r; print(r.urlopen(r.Request(URL, headers=KEY)).read().decode(), end='')"
)


@pytest.mark.parametrize("text", ['{"a":1}', '{"a": "it\'s C:\\dir"}', "[1,\n 2]", '"', "é\u2028"])
@pytest.mark.parametrize("way", ["command line", "config file"])
def test_a_fault_says_its_text_to_the_letter(text: str, way: str, tmp_path: Path) -> None:
    rule, file = f"poll#1: body 200 {text}", tmp_path / "safelight.toml"
    file.write_text(f"faults = [{json.dumps(rule)}]", "utf-8")
    options = ["--faults", rule] if way == "command line" else ["--config", str(file)]
    done = safelight(["exec", *options, "--", sys.executable, "-c", POLL])
    assert (done.stdout, done.stderr) == (text, "")


@pytest.mark.parametrize(
    ("command", "code"),
    [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)],
)
def test_its_exit_code_is_passed_on(command: str, code: int) -> None:
    done = safelight(["exec", "--", "sh", "-c", command])
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@pytest.mark.parametrize(("command", "code"), [("no-such-command", 127), ("{tmp_path}", 126)])
def test_a_command_that_is_not_there_is_127_and_one_that_cannot_be_run_126(
    command: str, code: int, tmp_path: Path, check_sentence: CheckSentence
) -> None:
    called = command.format(tmp_path=tmp_path)
    done = safelight(["exec", "--", called])
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert called in done.stderr
    check_sentence(done.stderr)


def test_no_command_is_a_usage_error(check_sentence: CheckSentence) -> None:
    check_sentence(refusal(safelight(["exec"])))


@pytest.mark.parametrize("dashes", [[], ["--"]], ids=["without dashes", "with dashes"])
def test_options_before_the_command_are_ours_and_those_after_it_are_its_own(dashes: list[str]) -> None:
    show = """echo "$SAFELIGHT_API_KEY $*" """
    done = safelight(
        ["exec", "--api-key", "k", *dashes, "sh", "-c", show, "sh", "--seed", "x", "--", "-h", "--api-key=z"]
    )
    assert done.stdout == "k --seed x -- -h --api-key=z\n"
    assert done.returncode == 0


def test_options_work_as_those_of_serve() -> None:
    assert "--api-key" in refusal(safelight(["exec", "--api-key", "a b", "true"]))
    ids = [safelight(["exec", "--seed", "3", sys.executable, "-c", CLIENT]).stdout for _ in range(2)]
    assert ids[0] == ids[1]


def test_standard_streams_are_the_callers() -> None:
    done = safelight(["exec", "sh", "-c", "cat; echo err >&2"], stdin="through and through")
    assert (done.stdout, done.stderr) == ("through and through", "err\n")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_is_handed_on_and_leaves_no_orphan(name: str) -> None:
    command = [SAFELIGHT, "exec", "--", sys.executable, "-c", WAITING.format(name=name)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid, url = process.stdout.readline().split()
        process.send_signal(signal.Signals[name])
        assert process.wait(MAX_SECONDS) == 7
        assert process.stdout.read() == f"asked by {int(signal.Signals[name])}\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_ctrl_c_is_for_the_command_to_obey() -> None:
    command = [SAFELIGHT, "exec", "--", sys.executable, "-c", WAITING.format(name="SIGINT")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the whole group
        assert process.wait(MAX_SECONDS) == 7
        assert process.stdout.read() == "asked by 2\n"


def test_a_command_does_not_ignore_ctrl_c_because_we_do() -> None:
    done = safelight(["exec", "--", "sh", "-c", "kill -INT $$; echo survived"])
    assert (done.returncode, done.stdout) == (130, "")


@pytest.mark.needs("curl")
def test_a_script_of_curl_works(tmp_path: Path) -> None:
    script = tmp_path / "submit"
    script.write_text(
        '#!/bin/sh\ncurl -s "$SAFELIGHT_BASE_URL?endpoint=task_status" -H "x-api-key: $SAFELIGHT_API_KEY"\n'
    )
    script.chmod(0o700)
    assert shutil.which("curl")
    answer = json.loads(safelight(["exec", str(script)]).stdout)
    assert "task_id" in answer["error"]["message"]
