"""What a browser makes of the HTML file: shown, filtered, opened, by keyboard, on a telephone, in the dark."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Dialog, Page, ViewportSize, sync_playwright

from reports import HOSTILE, each_verdict, result, run
from safelight.conformance.report.document import Document, document
from safelight.conformance.report.html import html
from safelight.conformance.results import Tried
from safelight.conformance.verdicts import Finding, Severity, Verdict

pytestmark = pytest.mark.needs("chromium")

WIDE: Final = ViewportSize(width=1180, height=900)
TEXTS: Final = ("group", "fact", "does", "good", "why", "again", "waived")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        yield browser
        browser.close()


Open = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a page of reports. Whatever it asks for or complains of fails the test."""
    told: list[str] = []

    def answer(dialog: Dialog) -> None:
        told.append(dialog.message)
        dialog.dismiss()

    with ExitStack() as contexts:

        def open_(documents: list[Document], at: str = "", **options: Any) -> Page:
            file = tmp_path / "report.html"
            file.write_text(html(documents), "utf-8")
            page = contexts.enter_context(browser.new_context(viewport=WIDE, **options)).new_page()
            page.on("request", lambda request: told.append(request.url))
            page.on("console", lambda message: told.append(message.text))
            page.on("pageerror", lambda error: told.append(str(error)))
            page.on("dialog", answer)
            page.goto(f"{file.as_uri()}{at}")
            return page

        yield open_
    assert [one for one in told if not one.startswith("file://")] == []


def visible(page: Page) -> list[str]:
    """The ids of the cases that are shown."""
    return [str(row.get_attribute("data-id")) for row in page.locator("tr.case:visible").all()]


def test_the_matrix_has_a_row_for_each_case_and_a_column_for_each_run(opened: Open) -> None:
    other = document(run([result(Verdict.PASS, "1.10"), result(Verdict.PASS, "1.2")], name="other.py"))
    page = opened([each_verdict(), other])
    assert visible(page) == [*(f"1.{number}" for number in range(1, 11)), "2.1"]
    row = page.locator('tr[data-id="1.2"] .cell')
    assert [cell.text_content() for cell in row.all()] == ["\u2248NON-STRICT", "\u2713PASS"]
    assert page.locator("thead .cell").all_text_contents() == ["client.py", "other.py"]
    assert page.locator(".run .headline").all_text_contents() == ["failed: 1 case with a MUST that is broken", "passed"]


def test_cases_checks_and_rules_stand_in_groups_by_their_ids(opened: Open) -> None:
    ids = ["4.7", "4.12", "S10", "S11", "S20", "U1", "U2"]
    page = opened([document(run([result(Verdict.PASS, name) for name in ids]))])
    groups = ["4 The submit", "S1 The submit", "S2 The submit", "U The submit"]
    assert page.locator("tr.group").all_text_contents() == groups


def test_filters_choose_by_verdict_severity_group_and_text(opened: Open) -> None:
    page = opened([each_verdict()])
    page.get_by_role("button", name="FAIL 2").click()
    assert visible(page) == ["1.3", "2.1"]
    page.select_option("#group", "2")
    assert visible(page) == ["2.1"]
    page.fill("#search", "nothing has this")
    assert visible(page) == []
    page.get_by_role("button", name="Show all").click()
    assert len(visible(page)) == 10
    page.fill("#search", "4 accepted")
    assert visible(page) == ["1.3", "2.1"]
    page.get_by_role("button", name="MUST", exact=True).click()
    assert visible(page) == ["1.3", "2.1"]


def test_a_case_opens_with_its_findings_its_drawing_and_its_command(opened: Open) -> None:
    page = opened([each_verdict()], "#1.3")
    seen = page.locator(".detail .seen")
    assert seen.locator(".findings li").first.text_content() == "MUST-$4 accepted, 1 wanted: 30 credits lost U1"
    assert seen.locator(".line code").text_content() == "safelight check client --only 1.3 -- python client.py"
    drawing = seen.locator("svg[role=img]")
    assert drawing.get_attribute("aria-label") == "2 requests in 0.35 seconds; the list is below"
    assert drawing.locator("rect.bar").count() == 2
    assert drawing.locator("rect.bar.submit.bad.struck title").text_content() == (
        "0.000 s: GET /v1/index.php?endpoint=task_status&task_id=1, reset running, fault: submit#1: reset after"
    )
    assert drawing.locator("path.bolt").count() == 1
    assert drawing.locator("rect.phase").evaluate_all("all => all.map(one => one.textContent)") == ["queued", "running"]


def test_all_of_it_works_by_keyboard(opened: Open) -> None:
    page = opened([each_verdict()])
    for key in ("j", "j", "Enter"):
        page.keyboard.press(key)
    assert page.locator("tr.case.open").get_attribute("data-id") == "1.2"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    assert page.locator("tr.case.open").count() == 2
    page.keyboard.press("/")
    page.keyboard.type("2.1")
    assert visible(page) == ["2.1"]
    page.keyboard.press("Escape")
    assert (len(visible(page)), page.locator("tr.case.open").count()) == (10, 0)


def test_hostile_text_is_shown_as_text(opened: Open) -> None:
    text = "".join(HOSTILE)
    tried = Tried(
        text, Verdict.FAIL, [Finding(text, Severity.MUST, text)], result().trials[0].timeline, text, text, 1, text
    )
    texts: dict[str, Any] = dict.fromkeys(TEXTS, text)
    one = replace(result(Verdict.FAIL, trials=[tried]), id=f"4.7{text}", **texts)
    made = document(run([one], name=text, command=text))
    page = opened([made])
    page.locator("tr.case button").click()
    page.locator(".output summary").click()
    shown = made["cases"][0]["fact"]
    assert page.locator(".run h2").text_content() == shown
    assert page.locator(".output pre").text_content() == shown
    assert page.locator("img, iframe, a, script").count() == 2, "the data and the script of the page"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_telephone_and_all_can_be_read_in_either_light(opened: Open, scheme: str) -> None:
    names = ["python_requests.py", "node_fetch.mjs", "curl.sh", "a_rather_long_name_of_a_client.py"]
    documents = [{**each_verdict(), "name": name} for name in names]
    page = opened(documents, "#1.3", color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("tr.case .cell .badge").first.is_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    text = page.evaluate("getComputedStyle(document.body).color")
    assert (lightness(ground) > lightness(text)) == (scheme == "light")
    assert abs(lightness(ground) - lightness(text)) > 500


def lightness(colour: str) -> int:
    return sum(map(int, re.findall(r"\d+", colour)[:3]))
