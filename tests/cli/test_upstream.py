"""`safelight serve --upstream` and `--replay` as users have them: processes, files, and what is said."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from histories import done, error, exchange, poll, submit
from raw_server import answer, envelope, raw_server, saying
from safelight.cli._signals import ENDING
from safelight.cli.main import main
from safelight.conformance.recordings.reading import exchanges
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.traffic.har import har
from safelight.traffic.ndjson import line
from safelight.traffic.recognition import recognized
from sentences import CheckSentence, refusal
from serving import MAX_SECONDS, SAFELIGHT, serving

UPSTREAM = "http://127.0.0.1:9/v1/index.php"


@dataclass
class Passing:
    """A proxy that answers."""

    process: subprocess.Popen[str]
    url: str
    said: str = ""

    def ask(self, method: str, endpoint: str, **more: Any) -> httpx.Response:
        headers = {"x-api-key": FAKE_KEY}
        params = {"endpoint": endpoint, **more.pop("params", {})}
        with httpx.Client(trust_env=False, headers=headers, timeout=MAX_SECONDS) as client:
            return client.request(method, self.url, params=params, **more)

    def end(self) -> str:
        """What it has said, once it was ended as Ctrl-C ends it."""
        self.process.send_signal(signal.SIGINT)
        self.said, _ = self.process.communicate(timeout=MAX_SECONDS)
        assert self.process.returncode == 0, self.said
        return self.said


@contextmanager
def passing(upstream: str, *options: str) -> Iterator[Passing]:
    """A proxy while the block runs. Its ready file is a pipe."""
    ready, told = os.pipe()
    command = [SAFELIGHT, "serve", "--port", "0", "--ready-file", f"/dev/fd/{told}", "--upstream", upstream, *options]
    with os.fdopen(ready) as ready_file:
        process = subprocess.Popen(
            command, pass_fds=[told], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        os.close(told)
        try:
            written = ready_file.readline()
            assert written, process.communicate()[0]
            assert json.loads(written).keys() == {"url"}
            yield Passing(process, json.loads(written)["url"])
        finally:
            process.kill()
            process.communicate()


def kept(path: Path) -> list[Any]:
    with path.open("rb") as file:
        return list(exchanges(file))


@pytest.mark.parametrize("name", ["traffic.ndjson", "traffic.har"])
def test_what_passes_is_judged_recorded_and_replayed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    recording = ("--recording", str(path), "--max-paid", "1")
    with serving("--queued", "0", "--running", "never") as served, passing(served.url, *recording) as proxy:
        task_id = proxy.ask("POST", "image_generation", json={"prompt": "a"}).json()["data"]["id"]
        assert proxy.ask("GET", "task_status", params={"task_id": task_id}).json()["data"]["status"] == "processing"
        assert proxy.ask("POST", "image_generation", json={"prompt": "a"}).status_code == 402
        said = proxy.end()
    assert "2 of 2 exchanges are of this API" in said
    assert "nothing was found that breaks the contract" in said
    assert f"safelight check recording {path} says it all" in said
    assert [one.operation for one in kept(path)] == ["image_generation", "task_status"]
    assert FAKE_KEY not in path.read_text("utf-8")
    with serving("--replay", str(path), "--queued", "100") as served:
        assert served.words(1, json={"prompt": "other"}) == ["processing"]
        assert f"It replays 1 task of {name}; of 1 task the end was not recorded" in served.said


def test_a_finding_is_said_below_the_exchange_that_shows_it() -> None:
    wrong = answer(envelope({"balance": "many"}), "201 Created")
    with raw_server(saying(wrong)) as upstream, passing(upstream.url) as proxy:
        proxy.ask("GET", "user_balance")
        said = proxy.end()
    assert "S70 (MUST): exchange 1 (0.0 s): the answer is 201; success is 200" in said
    assert "It records nothing" in said
    assert "findings: " in said


def test_a_proxy_in_front_of_itself_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    itself = ["serve", "--port", port, "--upstream", f"http://localhost:{port}/"]
    assert "this server itself: choose another --port" in refusal(CliRunner().invoke(main, itself))


def test_a_crash_loses_no_exchange(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    with raw_server(saying(answer(envelope({})))) as upstream, passing(upstream.url, "--recording", str(path)) as proxy:
        proxy.ask("GET", "user_balance")
        proxy.process.kill()
        proxy.process.wait(MAX_SECONDS)
    assert len(kept(tmp_path / "a.har.ndjson")) == 1


@pytest.mark.parametrize(
    "options",
    [
        ["--upstream", "nonsense"],
        ["--upstream", "https://user:secret@api.example/"],
        ["--upstream", UPSTREAM, "--running", "5"],
        ["--upstream", UPSTREAM, "--replay", "a.ndjson"],
        ["--upstream", UPSTREAM, "--processes", "2"],
        ["--upstream", UPSTREAM, "--recording", "/none/a.ndjson"],
        ["--recording", "a.ndjson"],
        ["--max-paid", "3"],
        ["--max-paid", "-1", "--upstream", UPSTREAM],
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused_in_a_sentence(options: list[str], check_sentence: CheckSentence) -> None:
    result = serve(*options)
    assert "secret" not in result.output
    check_sentence(refusal(result))


def test_a_recording_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text("mine", "utf-8")
    assert "no recording is overwritten: name another file" in refusal(
        serve("--upstream", UPSTREAM, "--recording", str(path))
    )


def serve(*options: str) -> Result:
    return CliRunner().invoke(main, ["serve", "--port", "0", *options], prog_name="safelight")


FOREIGN = json.dumps(har([exchange("GET", "", 0, b"")._replace(target="/", headers={"host": "shop.example"})]))
REFUSED = line(submit(0, status=400, body=b"{}", answer=error()))


#: What is no recording, or has nothing to replay.
UNPLAYABLE = {
    "empty": "",
    "text": "hello",
    "no-exchange": '{"at": 1}',
    "other-api": FOREIGN,
    "refused": REFUSED,
    "no-submit": line(done(0)),
    "no-poll": line(submit(0)),
    "cut-in-the-first-poll": (line(submit(0)) + line(poll(1)))[:-9],
    "cut-in-the-submit": line(submit(0))[:-9],
    "archive-without-a-poll": json.dumps(har([submit(0)])),
    "archive-cut-in-the-first-poll": json.dumps(har([submit(0), poll(1)]))[:-99],
    "archive-cut-in-the-submit": json.dumps(har([submit(0)]))[:-99],
}


@pytest.mark.parametrize("content", UNPLAYABLE.values(), ids=UNPLAYABLE)
def test_what_cannot_be_replayed_is_refused_in_a_sentence(
    content: str, tmp_path: Path, check_sentence: CheckSentence
) -> None:
    path = tmp_path / "a.har"
    path.write_text(content, "utf-8")
    check_sentence(refusal(serve("--replay", str(path))))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in refusal(serve("--replay", str(tmp_path / "none")))
    assert "is a folder: name a file" in refusal(serve("--replay", str(tmp_path)))


def test_diff_says_what_differs_in_each_report(tmp_path: Path) -> None:
    recording = tmp_path / "a.har"
    recording.write_text(json.dumps(har(map(recognized, [submit(0), poll(1), done(2)]))), "utf-8")
    files = {name: tmp_path / f"report.{name}" for name in ("html", "json", "junit")}
    reports = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    with serving("--queued", "0.1", "--running", "0.1", "--vocabulary", "plain") as served:
        command = [str(recording), served.url, "--interval", "0.02", "--max-paid"]
        found = diff(*command, "1", *reports, key=served.key)
        undecided = diff(*command, "0", key=served.key)
    assert (found.exit_code, undecided.exit_code) == (1, 3), found.output + undecided.output
    assert 'the status word is "queued"' in found.output
    assert "run it again   safelight diff " in found.output
    document = json.loads(files["json"].read_text("utf-8"))
    assert (document["kind"], document["exit_code"]) == ("difference", 1)
    assert len(document["tasks"]) == 1
    for path in files.values():
        assert FAKE_KEY not in path.read_text("utf-8")


def diff(*arguments: str, key: str = "sk-0") -> Result:
    return CliRunner(env={"SAFELIGHT_API_KEY": key}).invoke(main, ["diff", *arguments], prog_name="safelight")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b'{"log": {}}'])
def test_diff_refuses_what_is_no_recording(content: bytes, tmp_path: Path, check_sentence: CheckSentence) -> None:
    path = tmp_path / "a.har"
    path.write_bytes(content)
    check_sentence(refusal(diff(str(path), UPSTREAM)))


@pytest.mark.parametrize("name", ["no-poll", "cut-in-the-first-poll", "archive-cut-in-the-first-poll"])
def test_diff_says_of_a_recording_without_a_poll_that_it_is_cut(
    name: str, tmp_path: Path, check_sentence: CheckSentence
) -> None:
    path = tmp_path / "a.har"
    path.write_text(UNPLAYABLE[name], "utf-8")
    with serving() as served:
        result = diff(str(path), served.url, key=served.key)
    assert result.exit_code == 3
    check_sentence(result.output.splitlines()[0])


def test_diff_of_another_api_is_not_decided(tmp_path: Path) -> None:
    path = tmp_path / "shop.har"
    path.write_text(FOREIGN, "utf-8")
    result = diff(str(path), UPSTREAM)
    assert result.exit_code == 3
    assert "none of 1 exchange is of this API: they went to shop.example" in result.output


def test_diff_of_a_server_that_is_down_is_not_decided(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(line(submit(0)), "utf-8")
    result = diff(str(path), UPSTREAM)
    assert result.exit_code == 3
    assert "the server cannot be reached" in result.output


@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
def test_diff_that_is_ended_reports_and_names_what_it_made(number: signal.Signals, tmp_path: Path) -> None:
    def say(connection: Any, head: bytes, _: bytes) -> None:
        if b"task_status&task_id=7" in head:
            running.send_signal(number)
        is_submit = b"POST" in head
        connection.sendall(answer(envelope({"id": "7", "status": "queued"} if is_submit else {"balance": 1})))

    recording = tmp_path / "a.ndjson"
    recording.write_text("".join(map(line, map(recognized, [submit(0), poll(1), done(2)]))), "utf-8")
    with raw_server(say) as server:
        command = [str(SAFELIGHT), "diff", str(recording), server.url, "--max-paid", "1", "--interval", "0.02"]
        running = subprocess.Popen(
            command,
            env={"SAFELIGHT_API_KEY": FAKE_KEY, "PATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said, complained = running.communicate(timeout=MAX_SECONDS)
    assert complained == ""
    assert 'made: "7", by image_generation' in said


def test_diff_needs_a_key_and_a_url(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(line(submit(0)), "utf-8")
    assert "there is no key" in refusal(diff(str(path), UPSTREAM, key=""))
    assert "is no URL" in refusal(diff(str(path), "nonsense"))
