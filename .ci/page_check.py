"""Check in a browser that the pages of a built site fit: no code is cut at 1400 px, and a phone shows them whole.

A page is read from its top to its end, unless it stands under "Reference", where something is looked up. So is a table.
"""

import functools
import shutil
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

#: Width and height of a laptop's window and of a phone, in px.
LAPTOP, PHONE = (1400, 900), (390, 844)

#: How far one scrolls on a phone, in px, tables left out.
MAX_HEIGHT = 8_000

#: Lines of code that go on beyond the right edge.
CUT = """() => [...document.querySelectorAll("pre > code")]
  .filter((code) => code.scrollWidth > code.clientWidth)
  .map((code) => code.innerText.split("\\n").reduce((one, other) => (one.length < other.length ? other : one)))"""

#: What is wider than the window, and how high the page is without its tables.
WIDTH = "() => document.documentElement.scrollWidth"
HEIGHT = """() => [...document.querySelectorAll("table")]
  .reduce((height, table) => height - table.clientHeight, document.documentElement.scrollHeight)"""


def main(site: Path) -> None:
    """End with what does not fit, or say how much was looked at."""
    if not shutil.which("chromium"):
        print("there is no chromium: no page was looked at in a browser")
        return
    pages = sorted(page for page in site.rglob("*.html") if page.name != "404.html")
    looked_up = reference(tomllib.loads(Path("zensical.toml").read_text("utf-8"))["project"]["nav"])
    with served(site) as url, browser() as window:
        wrong = [
            f"  {page.relative_to(site)}: {problem}"
            for page in pages
            for problem in problems(
                window, f"{url}/{page.relative_to(site)}", is_read=page.parent.name not in looked_up
            )
        ]
    if wrong:
        sys.exit("\n".join(["there are pages that do not fit:", *wrong]))
    print(f"site: {len(pages)} pages fit a laptop and a phone")


def reference(nav: list[dict[str, Any]]) -> frozenset[str]:
    """The names of the pages under "Reference"."""
    listed = next(section["Reference"] for section in nav if "Reference" in section)
    return frozenset(Path(page).stem for entry in listed for page in entry.values())


def problems(window: Page, url: str, *, is_read: bool) -> Iterator[str]:
    """What does not fit on this page."""
    window.set_viewport_size({"width": LAPTOP[0], "height": LAPTOP[1]})
    window.goto(url)
    for line in window.evaluate(CUT):
        yield f"this line of {len(line)} characters is cut at {LAPTOP[0]} px: {line}"
    window.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    if (width := window.evaluate(WIDTH)) > PHONE[0]:
        yield f"it is {width} px wide on a phone of {PHONE[0]} px"
    if is_read and (height := window.evaluate(HEIGHT)) > MAX_HEIGHT:
        yield f"it is {height} px high on a phone, tables left out; split it at {MAX_HEIGHT} px"


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The URL of the site, as long as it is needed."""
    handler = functools.partial(_Silent, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def browser() -> Iterator[Page]:
    """A window of Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield chromium.new_page()
        chromium.close()


class _Silent(SimpleHTTPRequestHandler):
    """Files, without a line on the terminal for each."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        """Say nothing."""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
