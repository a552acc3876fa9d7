"""`safelight serve` as a process: each option has an effect, what is refused is one sentence, a signal ends it."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner

from safelight.cli.main import main
from safelight.mockserver.model.keys import FAKE_KEY
from sentences import CheckSentence, refusal
from serving import MAX_SECONDS, SAFELIGHT, Served, safelight, serving

#: What `--help` has no use for, and must not wait for.
HEAVY: Final = {"PIL", "asyncio", "httpx", "hypothesis", "jsonschema", "rich", "starlette", "uvicorn"}


@pytest.fixture(scope="module")
def plain() -> Iterator[Served]:
    """A server that was told nothing."""
    with serving() as server:
        server.submit()
        yield server


def test_it_prints_url_key_and_seed(plain: Served) -> None:
    first, second, third, *_ = plain.said.splitlines()
    assert first.split() == ["Safelight", "answers", "at", plain.url]
    assert second.split()[-1] == plain.key == FAKE_KEY
    assert re.fullmatch(r"and the seed +\d+", third)


@pytest.mark.needs("curl")
def test_the_printed_curl_line_works_when_pasted(plain: Served) -> None:
    [line] = [line for line in plain.said.splitlines() if line.startswith("  curl ")]
    pasted = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True, timeout=MAX_SECONDS)
    assert json.loads(pasted.stdout)["data"]["status"] == "queued"


@pytest.mark.needs("curl")
def test_the_printed_curl_line_works_with_any_key_and_on_ipv6() -> None:
    with serving("--api-key", """it's$HOME"&|;""", "--host", "::1") as server:
        server.submit()
        assert urlsplit(server.url).hostname == "::1"
        [line] = [line for line in server.said.splitlines() if line.startswith("  curl ")]
        assert server.key not in server.said
        variables = {**os.environ, "SAFELIGHT_API_KEY": server.key}
        command = ["sh", "-c", line]
        pasted = subprocess.run(command, capture_output=True, text=True, check=True, timeout=MAX_SECONDS, env=variables)
        assert json.loads(pasted.stdout)["success"] is True


def test_polls_count_polls() -> None:
    with serving("--polls", "1,2") as server:
        assert server.words(4) == ["pending", "processing", "processing", "completed"]


def test_queued_and_running_are_seconds_that_speed_shortens() -> None:
    # At a million times the speed each step is over long before the next poll; `never` is not.
    with serving("--queued", "1..3", "--running", "never", "--speed", "1000000x") as server:
        assert server.words(2) == ["processing", "processing"]
    with serving("--queued", "~50", "--running", "50", "--speed", "1000000x") as server:
        assert server.words(1) == ["completed"]
    with serving("--queued", "never") as server:
        assert server.words(1) == ["pending"]


def test_tasks_fail_at_their_rate_and_for_their_reason() -> None:
    with serving("--polls", "0,0", "--fail-rate", "1", "--fail-reason", "no GPU left") as server:
        task = server.poll(server.submit()["id"])
        assert (task["status"], task["error"]) == ("failed", "no GPU left")


def test_the_nth_task_fails_and_the_words_can_be_plain() -> None:
    with serving("--polls", "0,0", "--fail-nth", "2", "--fail-nth", "3", "--vocabulary", "plain") as server:
        assert [server.words(1) for _ in range(4)] == [["done"], ["failed"], ["failed"], ["done"]]


def test_with_one_slot_the_second_task_waits() -> None:
    with serving("--slots", "1", "--queued", "0", "--running", "never") as server:
        first, second = server.submit()["id"], server.submit()["id"]
        assert [server.poll(task)["status"] for task in (first, second)] == ["processing", "pending"]


def test_one_seed_gives_one_course_of_events() -> None:
    ids = []
    for seed in ("7", "7", "8"):
        with serving("--seed", seed) as server:
            ids.append(server.submit()["id"])
            assert f"and the seed          {seed}\n" in server.said
    assert ids[0] == ids[1] != ids[2]


def test_only_the_key_that_was_set_is_accepted() -> None:
    with serving("--api-key", "my-own-key") as server:
        assert server.submit()["status"] == "queued"
        assert server.call("POST", "image_generation", FAKE_KEY, json={"prompt": "x"}).status_code == 401


def test_any_key_has_tasks_of_its_own() -> None:
    with serving("--any-key") as server:
        task = server.submit("alice")["id"]
        assert server.call("GET", "task_status", "alice", params={"task_id": task}).status_code == 200
        assert server.call("GET", "task_status", "bob", params={"task_id": task}).status_code == 404


def test_a_body_over_the_limit_is_refused() -> None:
    with serving("--body-limit", "100") as server:
        assert server.call("POST", "image_generation", json={"prompt": "x" * 100}).status_code == 413
        assert server.submit()["status"] == "queued"


def test_a_browser_may_call_it_with_cors_and_not_without(plain: Served) -> None:
    asks = {"origin": "https://app.example", "access-control-request-method": "POST"}
    asks["access-control-request-headers"] = "x-api-key,content-type"
    with serving("--cors") as server:
        allowed = server.client.options(server.url, headers=asks)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "*"
        assert "x-api-key" in allowed.headers["access-control-allow-headers"]
    assert "access-control-allow-origin" not in plain.client.options(plain.url, headers=asks).headers


@pytest.fixture
def stale(tmp_path: Path) -> Path:
    """A ready file of a server that is no more."""
    ready = tmp_path / "ready.json"
    ready.write_text("stale")
    return ready


def test_the_ready_file_is_whole_replaces_an_old_one_and_works(stale: Path) -> None:
    command = [SAFELIGHT, "serve", "--port", "0", "--api-key", "k", "--ready-file", str(stale)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert any(b"curl" in line for line in process.stdout)
        facts = json.loads(stale.read_text())
        assert list(stale.parent.iterdir()) == [stale]
        status = httpx.get(facts["url"], params={"endpoint": "task_status"}, headers={"x-api-key": "k"})
        process.terminate()
    assert status.status_code == 400
    assert (facts.keys(), process.returncode) == ({"url", "fingerprint"}, 0)


def test_the_ready_file_of_an_earlier_server_is_not_taken_for_ours(tmp_path: Path) -> None:
    stale = tmp_path / ("r" * 255)  # beside which no part of ours can be written
    stale.write_text("stale")
    assert "File name too long" in refusal(safelight(["serve", "--port", "0", "--ready-file", str(stale)]))
    assert not stale.exists()


def test_a_port_in_use_is_one_sentence_and_leaves_the_ready_file_of_the_other(stale: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        sentence = refusal(safelight(["serve", "--port", port, "--ready-file", str(stale)]))
    assert sentence.startswith(f"port {port} on 127.0.0.1 is in use")
    assert stale.read_text() == "stale"


@pytest.mark.parametrize("host", ["192.0.2.1", "nosuch.invalid", "a" * 70, "two..dots", "a b"])
def test_a_host_that_cannot_be_bound_is_one_sentence(host: str) -> None:
    assert f"'{host}'" in refusal(safelight(["serve", "--port", "0", "--host", host]))


def test_a_ready_file_that_no_file_can_be_called_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('ready_file = "a\\u0000b"')
    assert "embedded null" in refusal(safelight(["serve", "--port", "0", "--config", str(tmp_path / "s.toml")]))


@pytest.mark.parametrize("path", ["no/such/folder/ready.json", "/dev/full", "{tmp_path}"])
def test_a_ready_file_that_cannot_be_written_is_one_sentence(path: str, tmp_path: Path) -> None:
    sentence = refusal(safelight(["serve", "--port", "0", "--ready-file", path.format(tmp_path=tmp_path)]))
    assert re.search(r"No such file|No space left|is a directory", sentence)
    assert Path("/dev/full").is_char_device()


@pytest.mark.parametrize(
    "options",
    [
        "--queued soon",
        "--running 3..1",
        "--queued=-1",
        "--polls 1",
        "--polls 1,2 --queued 3",
        "--polls 1,2 --slots 2",
        "--fail-rate 2",
        "--fail-rate nan",
        "--fail-nth 0",
        "--slots 0",
        "--speed 0",
        "--speed inf",
        "--seed x",
        "--api-key 'a b'",
        "--api-key ''",
        "--vocabulary klingon",
        "--body-limit -5",
        "--port 65536",
        "--log loud",
    ],
)
def test_a_bad_option_is_one_sentence_that_names_it(options: str, check_sentence: CheckSentence) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:  # so that nothing is served if it is not refused
        port = str(taken.getsockname()[1])
        sentence = refusal(CliRunner().invoke(main, ["serve", "--port", port, *shlex.split(options)]))
    assert any(name in sentence for name in re.findall(r"--([\w-]+)", options))
    check_sentence(sentence)


def test_an_unknown_option_is_one_sentence_that_names_what_is_near() -> None:
    sentence = refusal(CliRunner().invoke(main, ["serve", "--quued", "1"]))
    assert re.findall(r"--\w+", sentence) == ["--quued", "--queued", "--seed"], "the other words are click's"


def test_on_an_address_of_others_it_warns_and_prints_a_url_that_works(plain: Served) -> None:
    with serving("--host", "0.0.0.0") as server:
        assert urlsplit(server.url).hostname == "127.0.0.1"
        server.submit()
        assert "Warning: on 0.0.0.0 " in server.said
    assert "Warning" not in plain.said


def test_help_fits_80_columns() -> None:
    lines = safelight(["serve", "--help"], COLUMNS="80").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    # Names left, words right, nothing between: each option begins on the line that explains it.
    assert all(
        re.match(r"  (-h, )?--(\[no-\])?[\w-]+( [A-Z,=]+)?  +\S", line) for line in lines if line.startswith("  -")
    )


@pytest.mark.parametrize(
    ("group", "command", "summary"),
    [
        ([], "serve", "The fake as a local backend, until it is stopped."),
        (["check"], "recording", "Does the server in recorded traffic keep the contract?"),
    ],
)
def test_help_imports_nothing_heavy(group: list[str], command: str, summary: str) -> None:
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", SAFELIGHT, *group, "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=MAX_SECONDS,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in listed.stderr.splitlines()}
    assert "click" in imported
    assert not imported & HEAVY
    lines = dict(re.findall(r"^  (\w+) +(.*)$", listed.stdout, re.MULTILINE))
    assert lines[command] == summary


def test_none_logs_nothing() -> None:
    with serving("--log", "none") as server:
        server.words(2)
        assert server.log == []


@pytest.mark.parametrize(
    "command", ["serve --store redis://127.0.0.1", "fuzz --database redis://127.0.0.1 -- true"], ids=["serve", "fuzz"]
)
def test_what_an_extra_brings_is_asked_for_by_a_name_that_an_index_has(command: str) -> None:
    code = "import sys; sys.modules['redis'] = None; from safelight.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *shlex.split(command)], check=False, capture_output=True, text=True
    )
    assert refusal(done).endswith("the package redis is missing: pip install redis")
