"""The picture of the docs page: `python tests/conformance/report/picture.py FILE...` takes it of reports in JSON."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import sync_playwright

from safelight.conformance.report.document import read
from safelight.conformance.report.html import html

PICTURE: Final = Path(__file__).parents[3] / "docs" / "pictures" / "report.png"

#: The case that is open in it, and what was searched for.
CASE, SEARCH = "4.7", "accepted, and"


def take(files: list[Path]) -> None:
    """Open the report in a browser, with one case open, and keep what is seen."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder, "report.html")
        page_file.write_text(html([document for file in files for document in read(file)]), "utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 700}, color_scheme="dark")
        page.goto(f"{page_file.as_uri()}#{CASE}")
        page.fill("#search", SEARCH)
        page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
        page.screenshot(path=PICTURE, full_page=True)
        browser.close()


if __name__ == "__main__":
    take([Path(name) for name in sys.argv[1:]])
