"""`safelight check recording`: what it says of a file, and its exit code."""

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import sync_playwright

from histories import done, error, exchange, poll, submit
from safelight.cli.main import main
from safelight.conformance.report.document import read
from safelight.contracts.secrets import MARK
from safelight.traffic.exchange import Exchange
from safelight.traffic.har import har
from safelight.traffic.ndjson import line
from safelight.traffic.recognition import recognized
from sentences import CheckSentence, refusal
from serving import serving

KEY: Final = "sk-0123456789abcdef0123456789abcdef"
GOOD: Final = [submit(0), poll(1), done(2)]
BAD: Final = [*GOOD, poll(3), done(4, "https://pictures.example/2.png")]


def check(*arguments: str | Path, text: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["check", "recording", *map(str, arguments)], prog_name="safelight", input=text)


def written(path: Path, history: Iterable[Exchange]) -> Path:
    path.write_text(json.dumps(har(map(recognized, history))), "utf-8")
    return path


def test_a_record_that_keeps_the_contract_passes(tmp_path: Path) -> None:
    result = check(written(tmp_path / "good.har", GOOD))
    assert result.exit_code == 0
    assert "good.har: 3 of 3 exchanges are of this API" in result.output


def test_what_was_impossible_is_told_with_what_shows_it(tmp_path: Path) -> None:
    result = check(written(tmp_path / "bad.har", BAD))
    assert result.exit_code == 1
    assert "poll 3 at 3.0 s said queued; poll 2 at 2.0 s had said done" in result.output
    assert "exchange 5 (4.0 s)" in result.output


def test_standard_input_is_read(tmp_path: Path) -> None:
    journal = "".join(map(line, BAD)).encode()
    assert check("-", text=journal).exit_code == 1
    assert "standard input: 5 of 5 exchanges" in check("-", text=gzip.compress(journal)).output
    assert check(tmp_path / "none").exit_code == 2


def test_a_record_that_is_cut_is_judged_as_far_as_it_goes(tmp_path: Path) -> None:
    for history, code in ((GOOD, 3), (BAD, 1)):
        path = written(tmp_path / "cut.har", [*history, *GOOD])
        path.write_bytes(path.read_bytes()[:-1_000])
        result = check(path)
        assert result.exit_code == code
        assert "it cannot be read any further: the archive: it is cut: it ends in the middle" in result.output


def test_a_record_of_something_else_is_not_decided(tmp_path: Path, check_sentence: CheckSentence) -> None:
    foreign = exchange("GET", "", 0, b"")._replace(target="/", headers={"host": "shop.example"})
    result = check(written(tmp_path / "shop.har", [foreign]))
    assert result.exit_code == 3
    check_sentence(result.output.splitlines()[0])


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b'{"at": 1}', b'{"log": {}}'])
def test_what_is_no_record_is_refused_in_a_sentence(
    content: bytes, tmp_path: Path, check_sentence: CheckSentence
) -> None:
    path = tmp_path / "a.har"
    path.write_bytes(content)
    check_sentence(refusal(check(path)))


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder: name a file" in refusal(check(tmp_path))


def test_a_dialect_is_asked_for(tmp_path: Path) -> None:
    said = b'{"success": false, "data": null, "error": "no"}'
    path = written(tmp_path / "a.har", [submit(0, status=400, answer=said, body=b"{}")])
    assert check(path).exit_code == 1
    assert check(path, "--errors", "string").exit_code == 0


def test_what_is_assumed_counts_with_strict(tmp_path: Path) -> None:
    path = written(tmp_path / "a.har", [submit(0, body=b'{"prompt": ""}')])
    assert check(path).exit_code == 0
    assert check(path, "--strict").exit_code == 1


def test_a_waiver_lets_a_check_pass(tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.json"
    path = written(tmp_path / "bad.har", BAD)
    for name, code in {"S54": 0, "S55": 1}.items():
        waivers.write_text(json.dumps({name: {"reason": "is mended", "until": "2999-01-01"}}), "utf-8")
        assert check(path, "--waivers", waivers).exit_code == code
    waivers.write_text(json.dumps({"S5": {"reason": "is mended", "until": "2999-01-01"}}), "utf-8")
    assert "is no case; did you mean S5" in refusal(check(path, "--waivers", waivers))


def test_it_is_written_in_each_form_without_keys(tmp_path: Path) -> None:
    answer = error(f"unknown key {KEY}")
    bad = [*BAD, poll(5, status=400, answer=answer, headers={"x-api-key": KEY})]
    entries: Any = har(bad)
    for entry in entries["log"]["entries"]:
        del entry["_safelight"]
    path = tmp_path / "bad.har"
    path.write_text(json.dumps(entries), "utf-8")
    files = {name: tmp_path / f"report.{name}" for name in ("html", "json", "junit")}
    result = check(path, "--github", *(part for name, file in files.items() for part in (f"--{name}", file)))
    assert result.exit_code == 1
    (document,) = read(files["json"])
    assert document["kind"] == "recording"
    assert {case["id"] for case in document["cases"] if case["exit_code"]} == {"S15", "S54"}
    for text in (result.output, *(file.read_text("utf-8") for file in files.values())):
        assert KEY not in text
    assert MARK not in result.output.replace("the answer holds a key", "")


#: A page of a user of the API: it submits, polls until the end, and asks for what is wrong.
CLIENT: Final = """
async ([url, key]) => {
  const headers = { "x-api-key": key, "content-type": "application/json" };
  const ask = async (query, options) => (await fetch(`${url}?endpoint=${query}`, { headers, ...options })).json();
  await ask("image_generation", { method: "POST", body: "{}" });
  await ask("task_status&task_id=undefined");
  const body = JSON.stringify({ prompt: "a lamp", width: 64, height: 64 });
  const { data } = await ask("image_generation", { method: "POST", body });
  let status;
  do { status = (await ask(`task_status&task_id=${data.id}`)).data.status; } while (!/completed|failed/.test(status));
  await ask("user_balance");
}
"""


@pytest.mark.needs("chromium")
def test_what_a_browser_exports_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "browser.har"
    with serving("--queued", "0.1", "--running", "0.1") as served, sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        context = browser.new_context(record_har_path=path)
        page = context.new_page()
        page.goto(served.url)
        page.evaluate(CLIENT, [served.url, served.key])
        context.close()
        browser.close()
    result = check(path)
    assert result.exit_code == 0, result.output
    assert "are of this API" in result.output
    spoiled = path.read_text("utf-8").replace("completed", "finished")
    path.write_text(spoiled, "utf-8")
    assert '"finished", which is no status word' in check(path).output


def test_a_large_record_takes_little_memory(tmp_path: Path) -> None:
    """Ten times as long a record takes no more of it, but for a little."""
    most = []
    for count in (500, 5_000):
        path = tmp_path / "large.ndjson"
        with path.open("w", encoding="utf-8") as file:
            for number in range(count):
                file.write(line(poll(number, task_id=str(number // 10))))
        script = (
            "import resource, sys; from safelight.cli.main import main; main(sys.argv[1:], standalone_mode=False);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        command = [sys.executable, "-c", script, "check", "recording", str(path)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        most.append(int(shown.splitlines()[-1]))
    assert most[1] < most[0] + 8_000
