"""`safelight check server`: what it refuses, what it spends, and how it ends."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from raw_server import answer, envelope, raw_server, saying
from run_bad_server import bad_server
from safelight.cli._signals import ENDING
from safelight.cli.main import main
from safelight.mockserver.model.keys import FAKE_KEY
from sentences import CheckSentence, refusal
from serving import MAX_SECONDS, SAFELIGHT

QUICK = ("--settle", "0", "--interval", "0.02", "--deadline", "2")
KEY = "sk-" + 12 * "beef"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAFELIGHT_API_KEY", raising=False)
    monkeypatch.delenv("SAFELIGHT_OTHER_API_KEY", raising=False)
    return tmp_path


def check(url: str, *options: str, key: str = FAKE_KEY) -> Result:
    return CliRunner().invoke(main, ["check", "server", url, *QUICK, *options], env={"SAFELIGHT_API_KEY": key})


@pytest.mark.parametrize(
    "url",
    [
        "example.com",
        "/v1/index.php",
        "ftp://example.com/",
        "http://",
        "http://[::1",
        "http://example.com:99999/",
        "http://example.com:port/",
        "http://user:password@example.com/",
        "http://example.com/?endpoint=user_balance",
        "http://example.com/#top",
        "http://exa mple.com/",
        "http://example.com/\n",
        "http://ex\u00e4mple..com/",
        "http://example.com:0/",
        "",
    ],
)
def test_a_url_that_is_none_is_refused(url: str, check_sentence: CheckSentence) -> None:
    check_sentence(refusal(check(url)))


def test_without_a_url_it_asks_for_one() -> None:
    assert "no URL to check" in refusal(CliRunner().invoke(main, ["check", "server"]))


@pytest.mark.parametrize(
    ("content", "about"),
    [
        (None, "cannot be read"),
        (b"", "there is no key"),
        (b"\n\n", "there is no key"),
        (b"sk-1\nsk-2\n", "holds no key"),
        (b"\xff\xfe\x00", "holds no key"),
        (b"sk-\x00", "holds no key"),
    ],
)
def test_a_file_without_one_key_is_refused(folder: Path, content: bytes | None, about: str) -> None:
    if content is not None:
        (folder / "key").write_bytes(content)
    sentence = refusal(check("http://127.0.0.1:9/", "--key-file", "key"))
    assert about in sentence
    assert "sk-1" not in sentence


@pytest.mark.parametrize(
    "options",
    [
        ("--only", "S99"),
        ("--skip", "*"),
        ("--only", "S3", "--skip", "S33"),
        ("--operation", "video_generation"),
        ("--last-failed",),
        ("--waivers", "none.toml"),
        ("--bank", "."),
        ("--bank", "nowhere/bank.json"),
        ("--max-paid", "-1"),
        ("--json", "nowhere/report.json"),
        ("--json", "report", "--html", "./report"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_sent(options: tuple[str, ...]) -> None:
    with raw_server(saying(answer({}))) as server:
        refusal(check(server.url, *options))
    assert server.requests == []


def test_the_check_of_records_is_found_where_it_is() -> None:
    assert "safelight check recording FILE" in refusal(check("http://127.0.0.1:9/", "--only", "S70"))


def test_without_a_key_nothing_is_sent() -> None:
    with raw_server(saying(answer({}))) as server:
        assert "SAFELIGHT_API_KEY" in refusal(check(server.url, key=""))
    assert server.requests == []


@pytest.mark.parametrize(
    ("content", "about"),
    [
        ('{"server": "http://other/", "tasks": []}', "it is that of"),
        ("[]", "it holds"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ('{"server": "http://127.0.0.1:9/", "tasks": [1]}', "no task of a bank"),
        ('{"server": "http://127.0.0.1:9/", "tasks": [{"task_id": 1}]}', "no task of a bank"),
        ("x" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_a_bank_that_is_none_of_this_server_is_refused(folder: Path, content: str, about: str) -> None:
    (folder / "bank.json").write_text(content, "utf-8")
    assert about in refusal(check("http://127.0.0.1:9/", "--bank", "bank.json"))


@pytest.mark.parametrize(
    "options", [("--plan",), ("--list",), ("--plan", "--max-paid", "5", "--operation", "image_editing")]
)
def test_a_plan_and_a_list_send_nothing_and_need_no_key(options: tuple[str, ...]) -> None:
    with raw_server(saying(answer({}))) as server:
        done = check(server.url, *options, key="")
    assert (done.exit_code, server.requests) == (0, [])
    assert "S33" in done.stdout


def test_a_plan_writes_nothing_into_the_folder(folder: Path) -> None:
    cache = folder / "cache"
    here = folder / "here"
    here.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HYPOTHESIS")}
    command = [SAFELIGHT, "check", "server", "http://127.0.0.1:9/", "--plan", "--only", "S33"]
    subprocess.run(
        command, cwd=here, env={**environment, "XDG_CACHE_HOME": str(cache)}, check=True, capture_output=True
    )
    assert list(here.iterdir()) == []
    assert [path.name for path in cache.glob("*/*")] == ["hypothesis"]


def test_a_plan_says_the_ceilings_of_both_pockets() -> None:
    done = check("http://127.0.0.1:9/", "--plan", "--max-paid", "2", "--max-surprise", "3")
    assert "--max-paid      2 tasks, at most 20 credits" in done.stdout
    assert "--max-surprise  3 tasks, at most 600 credits" in done.stdout


def test_a_good_server_passes_and_nothing_is_spent() -> None:
    with bad_server("good") as server:
        done = check(server.url)
    assert (done.exit_code, server.tasks, done.stderr) == (0, 0, "")
    assert "passed (free)" in done.stdout


def test_a_finding_ends_with_1_and_is_run_again_by_last_failed() -> None:
    with bad_server("accepts-a-width-of-2049") as server:
        first = check(server.url, "--max-paid", "1", "--json", "report.json", "--junit", "r.xml", "--html", "r.html")
        again = check(server.url, "--last-failed", "--json", "again.json")
        other = check("http://127.0.0.1:9/", "--last-failed")
        assert server.tasks == 3
    report, second = json.loads(Path("report.json").read_text()), json.loads(Path("again.json").read_text())
    assert (first.exit_code, again.exit_code) == (1, 1)
    assert {case["id"] for case in second["cases"]} == {
        case["id"] for case in report["cases"] if case["verdict"] not in ("PASS", "NOT-ASKED")
    }
    assert report["lost"] == 10
    assert [task.split(" by ")[1] for task in report["tasks"]] == [
        "image_generation for S50: done; 10 credits",
        "image_generation: width set to 2049: done; 10 credits",
    ]
    assert all(Path(file).read_text().count("width set to 2049: done") for file in ("r.xml", "r.html"))
    assert report["command"].startswith(f"safelight check server {server.url} --max-paid 1")
    assert "no check is known to have failed on this server" in refusal(other)


def test_one_rule_can_be_waived_and_the_others_of_its_check_still_count(folder: Path) -> None:
    (folder / "baseline.toml").write_text(
        '["S33 image_generation.width.maximum"]\nreason = "ticket 7"\nuntil = 2999-12-31\n', "utf-8"
    )
    with bad_server("accepts-a-width-of-2049") as server:
        waived = check(server.url, "--only", "S33", "--waivers", "baseline.toml", "--max-surprise", "9")
    with bad_server("accepts-51-steps") as server:
        found = check(server.url, "--only", "S33", "--waivers", "baseline.toml", "--max-surprise", "9")
    assert (waived.exit_code, found.exit_code) == (0, 1)


@pytest.mark.parametrize(
    ("name", "about"),
    [("is-down", "cannot be reached"), ("redirects-elsewhere", "no redirect is followed"), ("streams-for-ever", "")],
)
def test_what_is_no_server_of_the_api_ends_with_3(name: str, about: str) -> None:
    with bad_server(name) as server:
        sentence = refusal(check(server.url, "--timeout", "0.5"), code=3)
    assert about in sentence


def test_a_key_that_the_server_does_not_know_ends_with_3() -> None:
    with raw_server(saying(answer(envelope(error="Unauthorized"), "401 Unauthorized"))) as server:
        assert "does not know the key" in refusal(check(server.url), code=3)


@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
def test_an_interrupted_run_reports_and_names_what_it_made(number: signal.Signals) -> None:
    def say(connection: Any, head: bytes, _: bytes) -> None:
        if b"task_status&task_id=7" in head:
            running.send_signal(number)
        is_submit = b"POST" in head and b"image_generation" in head
        connection.sendall(answer(envelope({"id": "7", "status": "queued"} if is_submit else {"balance": 1})))

    with raw_server(say) as server:
        command = [
            SAFELIGHT,
            "check",
            "server",
            server.url,
            "--only",
            "S5[03]",
            "--max-paid",
            "1",
            "--json",
            "report.json",
        ]
        running = subprocess.Popen(
            command,
            env={"SAFELIGHT_API_KEY": KEY, "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said, complained = running.communicate(timeout=MAX_SECONDS)
    assert (running.returncode, complained) == (1, "")
    assert 'made: "7", by image_generation for S50: not followed, as it was interrupted; 10 credits' in said
    cases = json.loads(Path("report.json").read_text())["cases"]
    assert {case["id"]: case["verdict"] for case in cases} == {"S50": "FAIL", "S53": "INCOMPLETE"}


def test_no_report_and_no_output_holds_the_key_that_a_server_echoes() -> None:
    def echo(connection: Any, head: bytes, body: bytes) -> None:
        text = (head + body).decode("utf-8", "replace")
        connection.sendall(answer(envelope(error=f"no {KEY[::1]} {text}"), "400 Bad Request", x_echo=KEY))

    files = [word for kind in ("json", "junit", "html") for word in (f"--{kind}", f"report.{kind}")]
    with raw_server(echo) as server:
        done = check(server.url, *files, "--github", key=KEY)
    texts = [
        done.stdout,
        done.stderr,
        *(path.read_text(errors="replace") for path in Path().rglob("*") if path.is_file()),
    ]
    assert done.exit_code == 1
    assert len(texts) > 5
    assert not any(KEY in text for text in texts)
    assert "the key stands in" in done.stdout


def test_a_bank_spares_the_second_run_a_task() -> None:
    with bad_server("good") as server:
        first = check(server.url, "--bank", "bank.json", "--only", "S42", "--max-paid", "1")
        second = check(server.url, "--bank", "bank.json", "--only", "S42")
        assert server.tasks == 1
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "1 PASS" in second.stdout
    assert FAKE_KEY not in Path("bank.json").read_text()
