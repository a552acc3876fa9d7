"""`safelight demo` as people run it, and its client against servers that are no help."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from PIL import Image
from rich.console import Console

from safelight.cli._demo.client import Job, Trouble, develop, orders
from safelight.cli._demo.display import display
from safelight.cli.main import main
from safelight.contracts import defaults, operations, problems, workflows
from safelight.testing.safelight import Safelight
from sentences import CheckSentence, refusal

COMMAND = [sys.executable, "-c", "from safelight.cli.main import main; main(prog_name='safelight')", "demo"]
PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "demo.svg"

Shown = subprocess.CompletedProcess[str]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COLUMNS", "FORCE_", "TTY_"))}
    return {**kept, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", **more}


def demo(*arguments: str | Path, **more: str) -> Shown:
    command = [*COMMAND, "--speed", "100x", *map(str, arguments)]
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "new" / "folder"


@pytest.fixture(scope="module")
def shown(folder: Path) -> Shown:
    return demo("--out", folder)


@pytest.fixture(scope="module")
def cast(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a second demo, which was recorded."""
    assert shown.returncode == 0
    home = tmp_path_factory.mktemp("cast")
    assert demo("--out", home, "--svg", home / "demo.svg").returncode == 0
    return home


def test_the_demo_succeeds_and_complains_of_nothing(shown: Shown) -> None:
    assert (shown.returncode, shown.stderr) == (0, "")


@pytest.mark.parametrize("workflow", workflows())
def test_each_workflow_delivers_a_picture_of_its_size(shown: Shown, folder: Path, workflow: str) -> None:
    assert f"{workflow}.png" in shown.stdout
    asked = {
        **defaults("image_generation", workflow),
        **next(order.document for order in orders() if order.name == workflow),
    }
    scale = workflows()[workflow].scale
    with Image.open(folder / f"{workflow}.png") as picture:
        picture.load()
        assert picture.size == (asked["width"] * scale, asked["height"] * scale)


def test_the_contact_sheet_is_a_picture_and_nothing_else_is_left_behind(shown: Shown, folder: Path) -> None:
    assert "contact-sheet.png" in shown.stdout
    with Image.open(folder / "contact-sheet.png") as sheet:
        sheet.load()
        assert sheet.width == 1680
    assert {path.stem for path in folder.iterdir()} == {"contact-sheet", *workflows()}


@pytest.mark.parametrize("name", [order.name for order in orders()])
def test_each_task_has_a_timeline(shown: Shown, name: str) -> None:
    begins = rf"^{name} +0\.0 +submit +200 queued +ok$"
    ends = r"(?:^ .*\n)*^ +[\d.]+ +(?:image +200 image/png|poll +200 failed) +ok$"
    assert re.search(rf"{begins}\n{ends}", shown.stdout, re.MULTILINE)


def test_the_timeline_names_what_had_no_effect(shown: Shown) -> None:
    assert "advice: cfg has no effect with the workflow z-image" in shown.stdout


def test_the_doomed_task_fails_with_its_reason_and_its_credits_come_back(shown: Shown) -> None:
    (reason,) = (order.doom for order in orders() if order.doom)
    assert shown.stdout.count(reason) == 2
    each, count = operations()["image_generation"].price, len(orders())
    assert f"{each * count} credits for {count} tasks, {each} returned for the one that failed: " in shown.stdout
    assert f" failed: {each * (count - 1)} spent\n" in shown.stdout


def test_without_a_terminal_there_are_plain_lines_without_blanks_at_their_ends_or_wraps(shown: Shown) -> None:
    assert "\x1b" not in shown.stdout
    assert [line for line in shown.stdout.splitlines() if line != line.rstrip()] == []
    assert re.search(r"^ +advice: cfg has no effect .*: only with rr3 or anime$", shown.stdout, re.MULTILINE)
    assert re.search(r"^ +[\d.]+ s  doomed    failed ", shown.stdout, re.MULTILINE)


def test_no_key_is_printed(shown: Shown) -> None:
    assert "sk-" not in shown.stdout


def test_the_same_seed_gives_the_same_pictures(folder: Path, cast: Path) -> None:
    assert all((folder / f"{name}.png").read_bytes() == (cast / f"{name}.png").read_bytes() for name in workflows())


def test_another_seed_gives_others_and_a_narrow_encoding_is_no_obstacle(folder: Path, cast: Path) -> None:
    other = cast / "ж"
    shown = demo("--out", other, "--seed", "7", PYTHONIOENCODING="latin-1")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert r"\u0436" in shown.stdout
    assert (other / "grok.png").read_bytes() != (folder / "grok.png").read_bytes()


def test_a_recorded_picture_fetches_nothing(cast: Path) -> None:
    for svg in (cast / "demo.svg", PICTURE):
        text = svg.read_text("utf-8")
        assert ET.fromstring(text).tag.endswith("svg")
        assert not re.search(r"@font-face|@import|url\((?!#)|href=|sk-", text)
        assert len(text) < 200_000


def always_shown(svg: Path) -> set[tuple[str, str]]:
    """Of what stands in a recorded picture, what depends neither on seed nor speed: how far right, and the text."""
    found = (one for one in ET.parse(svg).iter() if one.tag.endswith("}text"))
    texts = [(str(one.get("x")), str(one.text).replace("\xa0", " ").rstrip()) for one in found]
    # Digits, bars, and what stands behind the name of a folder.
    return {(x, text) for x, text in texts if text and not re.search(r"[\d\u2501-\u257f]|contact-sheet", text)}


def test_the_picture_of_the_readme_shows_what_the_demo_prints(cast: Path) -> None:
    """Otherwise it is made anew: `safelight demo --svg docs/pictures/demo.svg`, run where nothing else is at work."""
    assert always_shown(PICTURE) == always_shown(cast / "demo.svg")
    text = "".join(ET.parse(PICTURE).getroot().itertext()).replace("\xa0", " ")
    assert all(order.name in text for order in orders())
    assert "5 in safelight-demo, all on contact-sheet.png" in text


@pytest.mark.parametrize("out", ["file", "file/pictures"])
def test_a_folder_that_cannot_be_written_to_is_one_sentence(
    out: str, tmp_path: Path, check_sentence: CheckSentence
) -> None:
    (tmp_path / "file").touch()
    sentence = refusal(demo("--out", tmp_path / out))
    assert str(tmp_path / "file") in sentence
    check_sentence(sentence)


def test_a_picture_that_cannot_be_saved_ends_it_in_a_sentence(tmp_path: Path, check_sentence: CheckSentence) -> None:
    (tmp_path / "grok.png").mkdir()
    ended = demo("--out", tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "grok.png" in ended.stderr
    check_sentence(ended.stderr)


@pytest.mark.parametrize("speed", ["fast", "nan", "0", "0.5x", "1000x"])
def test_a_speed_that_would_show_nothing_is_refused(tmp_path: Path, speed: str, check_sentence: CheckSentence) -> None:
    sentence = refusal(CliRunner().invoke(main, ["demo", "--out", str(tmp_path), "--speed", speed]))
    assert f"'{speed}'" in sentence
    check_sentence(sentence)


def test_an_interrupt_ends_it_quietly(tmp_path: Path) -> None:
    command = [*COMMAND, "--out", str(tmp_path)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout
        assert any(b"pending" in line for line in running.stdout)
        running.send_signal(signal.SIGINT)
        _, complaints = running.communicate(timeout=30)
    assert (running.returncode, complaints) == (130, b"")


def test_the_demo_asks_each_workflow_for_what_the_contract_allows() -> None:
    assert [order.document.get("workflow") for order in orders() if not order.doom] == list(workflows())
    assert not any(problems("image_generation.request", order.document) for order in orders())


@pytest.mark.parametrize(("width", "task_id"), [(80, ""), (100, "ec473e64-3e75-4af0-b16c-ad1a2794b6b6 +")])
def test_bars_on_a_terminal_show_each_task_and_how_far_it_is_and_its_id_where_there_is_room(
    width: int, task_id: str
) -> None:
    jobs = [Job(order, "ec473e64-3e75-4af0-b16c-ad1a2794b6b6", "processing", percent=45) for order in orders()]
    terminal = Terminal()
    console = Console(file=terminal, force_terminal=True, width=width, _environ={"TERM": "xterm"})
    with display(console, jobs, lambda: 0.0) as changed:
        changed(jobs[0])
    plain = re.sub(r"\x1b\[[\d;?]*\w", "", terminal.getvalue())
    assert all(re.search(rf"{order.name} +{task_id}━+.* 45 % +processing", plain) for order in orders())


def test_without_a_terminal_a_line_is_printed_when_a_status_changes_and_not_before() -> None:
    job, lines = Job(orders()[0], "task-1", "queued"), StringIO()
    with display(Console(file=lines, width=80), [job], iter([2.0, 3.0, 5.5]).__next__) as changed:
        changed(job)
        changed(job)
        job.word, job.percent = "processing", 12
        changed(job)
    assert lines.getvalue() == "  0.0 s  default   queued      task-1\n  3.5 s  default   processing  12 %\n"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_refusal_is_handed_on_in_the_servers_words(tmp_path: Path) -> None:
    with Safelight() as api, pytest.raises(Trouble, match="401: "):
        develop_one(api.url, "sk-wrong", tmp_path)


def test_a_task_that_never_ends_is_given_up(tmp_path: Path) -> None:
    with Safelight(queued="never") as api, pytest.raises(Trouble, match="60 polls"):
        develop_one(api.url, api.api_key, tmp_path)


def test_a_server_that_is_gone_is_a_sentence(tmp_path: Path) -> None:
    with Safelight() as api:
        url = api.url
    with pytest.raises(Trouble, match="ConnectError"):
        develop_one(url, api.api_key, tmp_path)


def develop_one(url: str, key: str, folder: Path) -> None:
    asyncio.run(develop(url, key, [Job(orders()[0])], folder, pause=0, changed=lambda _: None))
