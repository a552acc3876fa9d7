"""The page in a browser: what happens is shown, live; what one does there happens; and nothing comes from elsewhere."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from jsonschema import Draft202012Validator
from playwright.sync_api import Browser, Dialog, Page, expect, sync_playwright

from har_schema import HAR
from safelight.contracts import operations
from safelight.mockserver.control.control import Control
from safelight.mockserver.model.clock import AdjustableClock
from safelight.mockserver.model.ledger import Entry
from safelight.mockserver.model.messages import Reply, Request
from safelight.mockserver.model.session_state import SessionState
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread
from safelight.testing import Safelight, VirtualClock

pytestmark = pytest.mark.needs("chromium")

KEY: Final = "sk-0123456789abcdef0123456789abcdef0123456789abcdef"
HOSTILE: Final = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'`${alert(3)}\u202e\n</pre><h1>bold"

expect.set_options(timeout=20_000)


@dataclass
class Fake:
    """A fake in this process, on a socket, with one session."""

    api: Service
    url: str = ""

    def ask(self, method: str, body: Any = None, **query: Any) -> Reply:
        """What a client is answered."""
        text = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"x-api-key": KEY, "content-type": "application/json"}
        with self.api.in_flight:
            reply = self.api.handle(Request(method, "/v1/index.php", urlencode(query), headers, text, self.origin))
            reply.deliver()
            reply.end(reply.wire.size if reply.wire else len(reply.body))
        return reply

    @property
    def origin(self) -> str:
        """Where the page is."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def session(self) -> SessionState:
        """The session, to be read alone."""
        state = self.api.sessions.look(KEY)
        assert state is not None
        return state

    def submit(self, **parameters: Any) -> str:
        """The id of a new task; or nothing."""
        reply = self.ask("POST", {"prompt": "a lamp", **parameters}, endpoint="image_generation")
        return str((json.loads(reply.body)["data"] or {}).get("id", ""))

    def poll(self, task_id: str) -> Reply:
        """The answer of a poll."""
        return self.ask("GET", endpoint="task_status", task_id=task_id)

    def fetch(self, task_id: str) -> Reply:
        """What comes of a task, as a client fetches it."""
        url = json.loads(self.poll(task_id).body)["data"]["result"]["image_url"]
        return self.api.handle(Request("GET", urlsplit(url).path))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        yield browser
        browser.close()


Served = Callable[..., Fake]


@pytest.fixture
def served() -> Iterator[Served]:
    """Serves a fake whose session has these settings."""
    with ExitStack() as stack:

        def serve(*, queued: Any = 0, running: Any = 0, public_url: str = "", **settings: Any) -> Fake:
            made = Settings(task_profile(queued=queued, running=running), **{"balance": 10**6, **settings})
            api = Service(keys=[KEY], settings=made, clock=AdjustableClock, public_url=public_url)
            server = stack.enter_context(in_thread(create_app(api, control=Control(page=True))))
            return Fake(api, server.url)

        yield serve


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Opens the page. A request elsewhere, a script error, a dialog or a breach of the policy fails the test."""
    told: list[str] = []

    def answer(dialog: Dialog) -> None:
        told.append(dialog.message)
        dialog.dismiss()

    with ExitStack() as stack:

        def open_(fake: Fake, *, width: int = 1280, height: int = 860, **options: Any) -> Page:
            context = stack.enter_context(
                browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True, **options)
            )
            context.grant_permissions(["clipboard-read", "clipboard-write"])
            page = context.new_page()
            own = (fake.origin, "blob:", "data:")
            page.on("request", lambda one: told.extend([] if one.url.startswith(own) else [one.url]))
            page.on("console", lambda one: told.append(one.text))
            page.on("pageerror", lambda error: told.append(str(error)))
            page.on("dialog", answer)
            page.goto(fake.origin)
            expect(page.locator("#live")).to_have_text("live")
            return page

        yield open_
    assert [one for one in told if not one.startswith("Failed to load resource")] == []  # a refusal that is wanted


def tasks(page: Page) -> list[str]:
    """The names of the tasks in sight, as they stand there."""
    rows = page.locator("#task-list .row").all()
    return [
        str(row.locator("b").text_content())
        for row in sorted(rows, key=lambda row: int(str(row.get_attribute("aria-posinset"))))
    ]


def count(page: Page, number: int, thing: str = "exchange") -> None:
    """Wait until so many rows are in sight."""
    expect(page.locator(f"#{thing}-list .row")).to_have_count(number)


def test_what_a_client_does_is_shown_as_it_happens(served: Served, opened: Open) -> None:
    fake = served(queued=0, running="never")
    page = opened(fake)
    expect(page.locator("#no-tasks")).to_be_visible()
    task_id = fake.submit(workflow="rr3", prompt="a red fox")
    count(page, 1, "task")
    row = page.locator("#task-list .row")
    assert row.locator("b").text_content() == "1 rr3"
    assert row.locator(".prompt").text_content() == "a red fox"
    expect(row.locator(".phase")).to_contain_text("running")
    fake.poll(task_id)
    count(page, 2)
    expect(row.locator(".number")).to_have_text("1 poll")
    assert page.locator("#exchange-list .row .kind").all_text_contents() != []
    with fake.api.sessions.enter(KEY) as session:
        session.fail(task_id, "no GPU left")
    expect(row.locator(".phase")).to_have_text("failed")
    expect(page.locator("#balance")).to_have_text("1,000,000")


def test_a_done_task_has_its_picture_without_a_request_of_the_api(served: Served, opened: Open) -> None:
    fake = served()
    fake.submit(width=64, height=64)
    page = opened(fake)
    expect(page.locator("#task-list img")).to_have_js_property("naturalWidth", 64)
    page.locator("#task-list .row").click()
    expect(page.locator("#detail img.result")).to_have_js_property("naturalWidth", 64)
    count(page, 1)


def test_a_mistake_of_a_client_stands_there_with_its_hint_and_the_gaps_with_their_seconds(
    served: Served, opened: Open
) -> None:
    fake = served(plan=("poll#2: http 502",))
    task_id = fake.submit(promt="a lamp")
    fake.poll(task_id), fake.poll(task_id)
    fake.submit(width=9_999)
    page = opened(fake)
    count(page, 4)
    by_place = {int(str(row.get_attribute("aria-posinset"))): row for row in page.locator("#exchange-list .row").all()}
    wrong, struck, _, first = (by_place[place] for place in (1, 2, 3, 4))
    assert wrong.locator(".said").text_content() == "width is 9999; the most is 2048"
    assert struck.locator(".said").text_content() == "poll#2: http 502"
    assert re.fullmatch(r"\+\d+\.\d+ s", str(struck.locator(".gap").text_content()))
    assert "hint" in str(first.locator(".mark").text_content())
    first.click()
    expect(page.locator("#detail .hints")).to_contain_text("promt")


def test_filters_choose_by_operation_outcome_phase_text_and_task(served: Served, opened: Open) -> None:
    fake = served(plan=("poll#2: http 502",))
    first, _ = fake.submit(prompt="a red fox"), fake.submit(prompt="an old tram")
    fake.poll(first), fake.poll(first)
    fake.submit(width=9_999)
    fake.ask("GET", endpoint="user_balance")
    page = opened(fake)
    count(page, 6)
    for name, value, exchanges, shown in (
        ("#by-operation", "task_status", 2, 2),
        ("#by-operation", "user_balance", 1, 0),
        ("#by-outcome", "fault", 1, 1),
        ("#by-outcome", "wrong", 1, 0),
        ("#by-phase", "done", 4, 2),
        ("#by-phase", "failed", 0, 0),
    ):
        page.select_option(name, value)
        count(page, exchanges)
        count(page, shown, "task")
        page.locator("#all").click()
        count(page, 6)
    page.fill("#search", "old tram")
    count(page, 1)
    assert tasks(page) == ["2 default"]
    page.locator("#all").click()
    page.locator("#task-list .row", has_text="a red fox").click()
    page.get_by_role("button", name="Show it alone").click()
    count(page, 3)
    assert tasks(page) == ["1 default"]
    page.locator("#by-task").click()
    count(page, 6)


@pytest.mark.parametrize("name", operations())
def test_each_operation_has_a_form_made_from_its_schema(name: str, served: Served, opened: Open) -> None:
    page = opened(served())
    page.select_option("#operation", name)
    stated = page.evaluate("() => [...document.querySelectorAll('#fields [name]')].map(one => one.name)")
    schema = json.loads((Path("contracts/schemas") / f"{name}.request.json").read_text("utf-8"))
    assert sorted(stated) == sorted(set(schema.get("properties", {})) - {"api_key"})


def test_a_form_shows_what_has_an_effect_with_a_workflow_and_submits_it(served: Served, opened: Open) -> None:
    fake = served()
    page = opened(fake)
    expect(page.locator("[name=cfg]")).to_be_hidden()
    page.select_option("[name=workflow]", "rr3")
    expect(page.locator("[name=cfg]")).to_have_attribute("placeholder", "6")
    expect(page.locator("[name=model]")).to_be_hidden()
    page.fill("[name=prompt]", "a lighthouse, by hand")
    page.fill("[name=width]", "64")
    page.fill("[name=cfg]", "4.5")
    page.locator("#request button[type=submit]").click()
    expect(page.locator("#submitted")).to_contain_text("200: ")
    count(page, 1, "task")
    [task] = fake.session.tasks.values()
    assert dict(task.request) == {"prompt": "a lighthouse, by hand", "workflow": "rr3", "width": 64, "cfg": 4.5}
    page.fill("[name=width]", "wide")
    page.locator("#request button[type=submit]").click()
    expect(page.locator("#submitted")).to_have_class("said bad")
    expect(page.locator("#submitted")).to_contain_text('width is "wide"')


def test_a_task_is_held_released_polled_and_failed_by_hand(served: Served, opened: Open) -> None:
    fake = served()
    page = opened(fake)
    page.check("#by-hand")
    page.locator("#request button[type=submit]").click()
    page.locator("#task-list .row").click()
    phase = page.locator("#detail .head .phase")
    expect(phase).to_have_text("queued")
    page.get_by_role("button", name="Release").click()
    expect(phase).to_have_text("running")
    page.get_by_role("button", name="Poll", exact=True).click()
    expect(page.locator("#task-list .row .number")).to_have_text("1 poll")
    page.get_by_label("Why it fails").fill("no GPU left")
    page.get_by_role("button", name="Fail").click()
    expect(phase).to_have_text("failed")
    expect(page.locator("#detail dl")).to_contain_text("no GPU left")
    page.keyboard.press("Escape")
    page.locator("nav [data-part=ledger]").click()
    assert page.locator("#ledger-list .credits").all_text_contents() in (["+10", "\u221210"], ["\u221210", "+10"])


def test_the_clock_is_frozen_scaled_and_moved_on(served: Served, opened: Open) -> None:
    fake = served(queued=0, running=30)
    fake.submit()
    page = opened(fake)
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#freeze")).to_have_text("Go on")
    clock = fake.session.clock
    assert isinstance(clock, AdjustableClock)
    assert clock.is_frozen
    row = page.locator("#task-list .row .phase")
    for _ in range(3):
        page.locator("#advance").click()
    expect(row).to_have_text("done")
    page.select_option("#speed", "60")
    page.locator("#freeze").click()
    expect(page.locator("#freeze")).to_have_text("Freeze")
    assert (clock.speed, clock.is_frozen) == (60, False)


def test_a_fault_rule_is_completed_added_and_shown_with_what_was_delivered(served: Served, opened: Open) -> None:
    fake = served()
    page = opened(fake)
    page.locator("nav [data-part=plan]").click()
    page.fill("#rule", "po")
    expect(page.locator("#near [role=option]")).to_have_text(["pollrequests of this kind"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#rule")).to_have_value("poll: ")
    page.locator("#rule").press_sequentially("http")
    expect(page.locator("#near [role=option]").first).to_contain_text("http STATUS")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert re.fullmatch(r"poll: http \d+", page.input_value("#rule"))
    page.fill("#rule", "poll#1: http 503")
    page.keyboard.press("Enter")
    expect(page.locator("#rules li")).to_have_text(["poll#1: http 503no such request came"])
    fake.poll(fake.submit())
    expect(page.locator("#rules li")).to_have_text(["poll#1: http 503delivered 1 time"])
    expect(page.locator("#delivered")).to_have_text("1")
    page.get_by_role("button", name="Clear the plan").click()
    expect(page.locator("#no-rules")).to_be_visible()


def test_a_mistake_in_a_fault_rule_is_answered_with_the_fakes_own_sentence_below_its_place(
    served: Served, opened: Open
) -> None:
    page = opened(served())
    page.locator("nav [data-part=plan]").click()
    page.fill("#rule", "poll#0: http 502")
    page.keyboard.press("Enter")
    wrong = page.locator("#wrong")
    expect(wrong).to_contain_text("requests are counted from 1")
    assert str(wrong.text_content()).split("\n")[:2] == ["poll#0: http 502", "    ^"]
    assert page.input_value("#rule") == "poll#0: http 502"


def story(fake: Fake) -> str:
    """A task with a bad poll, and a picture that a client fetched; its id."""
    task_id = fake.submit(prompt="a 'quoted' lamp, $HOME & é", workflow="rr3", width=64, height=64)
    for _ in range(3):
        fake.poll(task_id)
    fake.fetch(task_id)
    return task_id


def copied(page: Page, kind: str) -> str:
    """What is copied, which is on the clipboard too."""
    page.locator(f"#detail .copy-{kind}").click()
    expect(page.locator("#detail .copied")).to_have_attribute("data-kind", kind)
    text = str(page.locator("#detail .copied").text_content())
    expect(page.locator("#detail .copying .row")).to_contain_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == text
    assert KEY not in text
    return text


@pytest.mark.needs("curl")
def test_a_task_copied_as_curl_makes_the_same_requests_without_holding_the_key(served: Served, opened: Open) -> None:
    fake = served(plan=("poll#2: http 502",))
    story(fake)
    page = opened(fake)
    page.locator("#task-list .row").click()
    text = copied(page, "curl")
    assert '"x-api-key: $SAFELIGHT_API_KEY"' in text
    environment = {**os.environ, "SAFELIGHT_API_KEY": KEY}
    subprocess.run(["sh", "-ec", text], env=environment, check=True, capture_output=True, timeout=60)
    count(page, 12)  # six of the story, whose picture was polled for, and six again
    first, second = (one.request for one in fake.session.tasks.values())
    assert first == second


def test_what_is_copied_as_curl_calls_the_public_url(served: Served, opened: Open) -> None:
    fake = served(public_url="https://fake.example/safe")
    fake.submit()
    page = opened(fake)
    page.locator("#task-list .row").click()
    assert "curl -X POST 'https://fake.example/safe/v1/index.php?endpoint=image_generation'" in copied(page, "curl")


def run_pytest(text: str, folder: Path) -> str:
    """Run a copied test as its user would."""
    file = folder / "test_copied.py"
    file.write_text(text, "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-p",
        "no:asyncio",
        str(file),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_a_task_copied_as_a_pytest_test_passes(served: Served, opened: Open, tmp_path: Path) -> None:
    fake = served(plan=("poll#2: http 502", "poll#3: reset", "image#1: http 503"))
    task_id = story(fake)
    fake.fetch(task_id)
    page = opened(fake)
    page.locator("#task-list .row").click()
    text = copied(page, "pytest")
    assert f'ids=["{task_id}"]' in text
    assert '"poll#2: http 502", "poll#3: reset", "image#1: http 503"' in text
    assert "1 passed" in run_pytest(text, tmp_path)


def test_a_refused_submit_copied_as_a_pytest_test_passes(served: Served, opened: Open, tmp_path: Path) -> None:
    fake = served(vocabulary="plain")
    fake.submit(width=9_999, flag=True, none=None, seed=2**60)
    page = opened(fake)
    page.locator("#exchange-list .row").click()
    text = copied(page, "pytest")
    assert 'vocabulary="plain", contract=False' in text
    assert "1 passed" in run_pytest(text, tmp_path)


def test_a_task_copied_as_a_scenario_goes_as_it_went(served: Served, opened: Open) -> None:
    fake = served(queued=1, running=2, plan=("poll#2: http 502",))
    task_id = fake.submit(workflow="grok")
    other = fake.submit(workflow="rr3")
    fake.poll(other), fake.poll(other), fake.poll(task_id)
    with fake.api.sessions.enter(KEY) as session:
        session.fail(other, "no GPU left")
    page = opened(fake)
    page.locator("#task-list .row", has_text="2 rr3").click()
    expect(page.locator("#detail .head .phase")).to_have_text("failed")
    scenario = json.loads(copied(page, "scenario"))
    assert scenario["plan"] == ["poll#2: http 502"]
    assert scenario["options"]["fail"] == "no GPU left"
    clock = VirtualClock()
    with ExitStack() as stack:
        api = stack.enter_context(Safelight(**scenario["options"], faults=scenario["plan"], clock=clock))
        client = stack.enter_context(httpx.Client(headers={"x-api-key": api.api_key}))
        answer = client.post(api.url, params={"endpoint": "image_generation"}, json={"prompt": "a lamp"})
        query = {"endpoint": "task_status", "task_id": answer.json()["data"]["id"]}
        statuses = [client.get(api.url, params=query).status_code for _ in range(2)]
        clock.advance(60)
        assert statuses == [200, 502]
        assert client.get(api.url, params=query).json()["data"]["error"] == "no GPU left"


def test_a_request_without_a_body_ends_with_its_headers(served: Served, opened: Open) -> None:
    fake = served()
    fake.poll(fake.submit())
    page = opened(fake)
    count(page, 2)
    page.locator("#exchange-list [aria-posinset='1']").click()
    expect(page.locator("#detail pre:not(.copied)").first).to_have_text(
        "x-api-key: ...\ncontent-type: application/json"
    )
    assert not str(page.locator("#detail pre:not(.copied)").first.text_content()).endswith("\n")


def test_a_message_is_as_wide_as_a_telephone(served: Served, opened: Open) -> None:
    page = opened(served(), width=390, height=844)
    toast = page.locator("#toast")
    toast.evaluate("one => { one.hidden = false; one.textContent = 'word '.repeat(40); }")
    box = toast.bounding_box()
    assert box is not None
    assert (round(box["x"]), round(box["width"])) == (16, 358)


def test_the_journal_is_downloaded_as_har(served: Served, opened: Open, tmp_path: Path) -> None:
    fake = served()
    story(fake)
    page = opened(fake)
    count(page, 6)
    with page.expect_download() as download:
        page.locator("#har").click()
    download.value.save_as(tmp_path / "journal.har")
    document = json.loads((tmp_path / "journal.har").read_text("utf-8"))
    Draft202012Validator(HAR).validate(document)
    assert len(document["log"]["entries"]) == 6
    assert KEY not in str(document)


def test_hostile_text_is_text(served: Served, opened: Open) -> None:
    fake = served(plan=("poll#1: body 200 '<script>alert(4)</script>' text/html",))
    task_id = fake.submit(prompt=HOSTILE, negative_prompt=HOSTILE)
    fake.poll(task_id)
    fake.ask("GET", endpoint="task_status", task_id=HOSTILE)
    fake.ask("POST", HOSTILE.encode(), endpoint="image_generation")
    page = opened(fake)
    assert page.locator("#task-list .prompt").text_content() == HOSTILE
    page.locator("#task-list .row").click()
    expect(page.locator("#detail pre").first).to_contain_text("<script>alert(2)</script>")
    copied(page, "pytest")
    for row in page.locator("#exchange-list .row").all():
        row.click()
        expect(page.locator("#detail pre:not(.copied)").first).to_be_visible()
    assert page.locator("script").count() == 1
    assert page.evaluate(
        "[...document.images].every(one => !one.src || one.src.startsWith('blob:') || one.src.includes('lamp.svg'))"
    )


def test_the_key_is_nowhere_in_the_page(served: Served, opened: Open) -> None:
    fake = served()
    fake.submit(prompt=f"with {KEY}")
    fake.ask("GET", endpoint="user_balance", api_key=KEY)
    page = opened(fake)
    count(page, 2)
    for row in page.locator("#exchange-list .row").all():
        row.click()
        for kind in ("curl", "pytest", "scenario"):
            copied(page, kind)
        assert KEY not in page.content()
    assert KEY not in page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, location.href])")


def test_all_of_it_works_by_keyboard(served: Served, opened: Open) -> None:
    fake = served()
    for number in range(3):
        fake.submit(prompt=f"lamp number {number}")
    page = opened(fake)
    count(page, 3, "task")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("lamp number")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#task-list")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#task-list [aria-selected=true] .prompt")).to_have_text("lamp number 1")
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2")).to_have_text("Task 2")
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator("#task-list")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#task-list [aria-selected=true] .prompt")).to_have_text("lamp number 0")
    page.keyboard.press("Escape")
    assert page.input_value("#search") == ""
    stops = page.evaluate(
        "[...document.querySelectorAll('button, select, input, [tabindex]')].filter(one => one.tabIndex > 0).length"
    )
    assert stops == 0, "the order of Tab is that of the page"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


#: Goes from element to element by Tab: what has the focus, or nothing where that is hidden or below something else.
FOCUSED: Final = """() => {
  const {activeElement: one} = document;
  one.scrollIntoView({block: 'nearest'});
  const {x, y, width, height} = one.getBoundingClientRect();
  const seen = document.elementFromPoint(x + width / 2, y + Math.min(height / 2, 20));
  return one === document.body || one.contains(seen) ? one.outerHTML.slice(0, 80) : '';
}"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("open_one", ["", "#task-list .row"], ids=["closed", "open"])
def test_what_has_the_focus_is_seen(width: int, open_one: str, served: Served, opened: Open) -> None:
    fake = served()
    fake.submit()
    page = opened(fake, width=width)
    if open_one:
        page.locator(open_one).click()
        expect(page.locator("#detail")).to_be_focused()
    found = []
    for _ in range(30):
        page.keyboard.press("Tab")
        found.append(page.evaluate(FOCUSED))
    assert "" not in found
    assert any('aria-label="Close"' in one for one in found) is bool(open_one)
    assert any('id="by-hand"' in one for one in found) is (width == 1280 and not open_one)


def test_the_arrows_go_from_tab_to_tab(served: Served, opened: Open) -> None:
    page = opened(served())
    page.locator("nav [data-part=submit]").focus()
    for key, part in (
        ("ArrowRight", "plan"),
        ("ArrowRight", "ledger"),
        ("ArrowRight", "submit"),
        ("ArrowLeft", "ledger"),
    ):
        page.keyboard.press(key)
        expect(page.locator(f"nav [data-part={part}]")).to_be_focused()
        expect(page.locator(f"#{part}")).to_be_visible()


#: The texts in sight that stand out from their ground by less than 4.5 to 1, as WCAG 2 wants it, placeholders too.
FAINT: Final = """() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const paint = colour => {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
  const luminance = colour => {
    const [red, green, blue] = paint(colour).map(part => linear(part / 255));
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const ground = one => {  // what is half transparent is painted on what is below it
    if (one.parentElement) ground(one.parentElement);
    return luminance(getComputedStyle(one).backgroundColor);
  };
  const contrast = (one, colour) => {
    const [low, high] = [ground(one), luminance(colour)].sort((a, b) => a - b);
    return (high + .05) / (low + .05);
  };
  const faint = [];
  for (const one of document.querySelectorAll('body :not(option, svg, svg *, script)')) {
    const hasText = [...one.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.textContent.trim());
    if (!one.checkVisibility({visibilityProperty: true}) || one.matches(':disabled')) continue;
    const hint = getComputedStyle(one, '::placeholder');
    const isFaint = hasText && contrast(one, getComputedStyle(one).color) < 4.5
      || one.placeholder && (hint.opacity < 1 || contrast(one, hint.color) < 4.5);
    if (isFaint) faint.push(one.outerHTML.slice(0, 80));
  }
  return faint;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_text_stands_out_from_its_ground(scheme: str, served: Served, opened: Open) -> None:
    fake = served(queued=0, running="never", plan=("poll#2: http 502", "poll#9: reset"))
    ids = [fake.submit() for _ in range(4)]
    for task_id in ids[:2]:
        fake.poll(task_id), fake.poll(task_id)
    fake.submit(promt="a lamp"), fake.submit(width=9_999)
    with fake.api.sessions.enter(KEY) as session:
        session.fail(ids[0], "no GPU left")
    fake.api.sessions.open("sk-another-key-of-somebody")
    page = opened(fake, color_scheme=scheme)
    count(page, 10)
    for part in ("submit", "plan", "ledger"):
        page.locator(f"nav [data-part={part}]").click()
        expect(page.locator(f"#{part}")).to_be_visible()
        assert page.evaluate(FAINT) == []
    for thing in ("task", "exchange"):
        page.locator(f"#{thing}-list .row").first.click()
        expect(page.locator("#detail")).to_be_visible()
        assert page.evaluate(FAINT) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_telephone_in_either_light(scheme: str, served: Served, opened: Open) -> None:
    fake = served(plan=("poll#2: http 502",))
    story(fake)
    fake.submit(prompt="w" * 500, width=9_999)
    page = opened(fake, width=390, height=844, color_scheme=scheme)
    for part in ("tasks", "journal", "submit", "plan", "ledger"):
        page.locator(f"nav [data-part={part}]").click()
        expect(page.locator(f"#{part}")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, part
        assert page.evaluate(
            "[...document.querySelectorAll('header *, nav *')].every(one => one.getBoundingClientRect().right <= 391)"
        )
    page.locator("nav [data-part=tasks]").click()
    right = "names => names.map(name => Math.round(document.querySelector(name).getBoundingClientRect().right))"
    assert len(set(page.evaluate(right, ["#search", "#by-phase", "#tasks"]))) == 1
    page.fill("#search", "a")
    expect(page.locator("#all")).to_be_in_viewport()
    assert len(set(page.evaluate(right, ["#by-phase", "#tasks"]))) == 1
    page.locator("#all").click()
    page.locator("#task-list .row").click()
    copied(page, "pytest")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ground, text = (lightness(page, name) for name in ("backgroundColor", "color"))
    assert (ground > text) == (scheme == "light")
    assert abs(ground - text) > 500
    page.keyboard.press("Escape")
    page.locator("#light").click()
    assert (lightness(page, "backgroundColor") > lightness(page, "color")) == (scheme == "dark")


def lightness(page: Page, name: str) -> int:
    colour = page.evaluate(f"getComputedStyle(document.body).{name}")
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


def test_ten_thousand_exchanges_of_a_thousand_tasks_are_a_few_rows_at_a_time(served: Served, opened: Open) -> None:
    fake = served(queued=0, running="never")
    page = opened(fake)
    for batch in range(20):  # a journal keeps a thousand: the page is to have heard of them before they go
        ids = [fake.submit(workflow="rr3") for _ in range(50)]
        for task_id in ids:
            for _ in range(9):
                fake.poll(task_id)
        expect(page.locator("#journal-said")).to_have_text(f"{(batch + 1) * 500:,}")
    expect(page.locator("#tasks-count")).to_have_text("1,000")
    for name, number in (("task", 1_000), ("exchange", 10_000)):
        page.locator(f"#{name}-list").focus()
        page.keyboard.press("End")
        last = page.locator(f"#{name}-list [aria-posinset='{number}']")
        expect(last).to_be_in_viewport()
        assert page.locator(f"#{name}-list .row").count() < 60
    assert last.locator(".kind").text_content() == "submit"
    page.keyboard.press("Home")
    expect(page.locator("#exchange-list [aria-posinset='1']")).to_be_in_viewport()
    page.set_viewport_size({"width": 390, "height": 844})
    for part in ("tasks", "journal", "submit", "plan", "ledger"):
        expect(page.locator(f"nav [data-part={part}]")).to_be_in_viewport(ratio=1)
    assert page.locator("nav").evaluate("nav => nav.scrollWidth - nav.clientWidth") == 0


def test_of_more_bookings_than_a_ledger_keeps_each_line_is_there_once(served: Served, opened: Open) -> None:
    fake = served(queued=0, running="never")
    with fake.api.sessions.enter(KEY) as session:
        for number in range(10_500):
            session.ledger.add(Entry(session.data.began + number, -1, "", "upload"))
    page = opened(fake)
    page.locator("nav [data-part=ledger]").click()
    newest = page.locator("#ledger-list [aria-posinset='1']")
    expect(newest.locator(".time")).to_have_text("10499.00")
    for number in (1, 2):
        fake.submit()
        expect(newest.locator(".reason")).to_have_text(f"image_generation #{number}")
    assert newest.get_attribute("aria-setsize") == "10000"
    expect(page.locator("#ledger-list [aria-posinset='3'] .time")).to_have_text("10499.00")
    page.locator("#ledger-list").focus()
    page.keyboard.press("End")
    expect(page.locator("#ledger-list [aria-posinset='10000'] .time")).to_have_text("502.00")


def test_who_has_scrolled_away_sees_the_same_while_more_comes(served: Served, opened: Open) -> None:
    fake = served(queued=0, running="never")
    for number in range(100):
        fake.submit(prompt=f"lamp {number}")
    page = opened(fake)
    expect(page.locator("#tasks-count")).to_have_text("100")
    page.locator("#task-list").evaluate("one => { one.scrollTop = 58 * 50; }")
    looked_at = page.locator("#task-list .row", has_text="lamp 48")
    before = looked_at.bounding_box()
    fake.submit(prompt="one more")
    expect(page.locator("#tasks-count")).to_have_text("101")
    after = looked_at.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2


def test_a_session_is_chosen_by_its_fingerprint(served: Served, opened: Open) -> None:
    fake = served()
    fake.api.sessions.open("sk-another-key-of-somebody")
    fake.submit()
    page = opened(fake)
    count(page, 1, "task")
    names = page.locator("#session option").evaluate_all("all => all.map(one => one.value)")
    assert names == list(fake.api.sessions.store.names())
    page.select_option("#session", names[1])
    count(page, 0, "task")
    page.select_option("#session", names[0])
    count(page, 1, "task")
