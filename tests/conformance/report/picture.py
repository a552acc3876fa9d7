"""The picture of the docs page: `python tests/conformance/report/picture.py FILE...` takes it of reports in JSON."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import sync_playwright

from safelight.conformance.report.document import Kind, read
from safelight.conformance.report.html import html

PICTURES: Final = Path(__file__).parents[3] / "docs" / "pictures"


@dataclass(frozen=True, slots=True)
class Picture:
    """What is seen: the file, the case that is open, and what was searched for."""

    file: str
    case: str
    search: str = ""


#: Kind of report -> its picture.
SHOWN: Final = {
    Kind.CLIENT: Picture("report.png", "4.7", "accepted, and"),
    Kind.SERVER: Picture("server-report.png", "S33", "refused with 400"),
}


def take(files: list[Path]) -> None:
    """Open the report in a browser, with one case open, and keep what is seen."""
    documents = [document for file in files for document in read(file)]
    wanted = SHOWN[documents[0]["kind"]]
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder, "report.html")
        page_file.write_text(html(documents), "utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 700}, color_scheme="dark")
        page.goto(f"{page_file.as_uri()}#{wanted.case}")
        page.fill("#search", wanted.search)
        page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
        page.screenshot(path=PICTURES / wanted.file, full_page=True)
        browser.close()


if __name__ == "__main__":
    take([Path(name) for name in sys.argv[1:]])
