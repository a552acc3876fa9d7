"""Check that a built site is whole: all that its pages refer to is in it, and nothing is fetched from elsewhere.

Zensical in its strict mode refuses broken links and anchors written in Markdown; it lets pass pictures, pages in the
navigation and HTML. This reads the result.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Tags that make a browser fetch what they name, with the attribute that names it.
FETCHES = {"img": "src", "script": "src", "source": "src", "iframe": "src", "video": "src", "audio": "src"}

#: What a page may name and a browser does not fetch by itself.
NOT_FETCHED = frozenset({"canonical", "next", "prev", "alternate", "edit"})


class References(HTMLParser):
    """What a page refers to, and whether a browser fetches it unasked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag refers to."""
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in values:
            self.found.append((values["href"], False))
        elif tag == "link" and "href" in values:
            self.found.append((values["href"], not NOT_FETCHED & set(values.get("rel", "").split())))
        elif FETCHES.get(tag) in values:
            self.found.append((values[FETCHES[tag]], True))


def main(site: Path) -> None:
    """End with what is missing, or say how much was looked at."""
    pages = sorted(page for page in site.rglob("*.html") if page.name != "404.html")
    wrong = [f"  {page.relative_to(site)}: {problem}" for page in pages for problem in problems(page, site)]
    if wrong or not pages:
        sys.exit("\n".join(["the site is not whole:", *wrong]))
    print(f"site: {len(pages)} pages, every reference found, nothing fetched from elsewhere")


def problems(page: Path, site: Path) -> Iterator[str]:
    """The references of a page that lead nowhere, or make a browser ask a third party."""
    references = References()
    references.feed(page.read_text(encoding="utf-8"))
    for target, fetched in references.found:
        address = urlsplit(target)
        if address.scheme == "data" or (not address.scheme and not address.netloc and not address.path):
            continue
        if address.scheme or address.netloc:
            if fetched:
                yield f"{target} is fetched from elsewhere"
        elif not _exists(page, site, unquote(address.path)):
            yield f"{target} does not exist"


def _exists(page: Path, site: Path, path: str) -> bool:
    file = site / path.lstrip("/") if path.startswith("/") else page.parent / path
    return (file / "index.html").is_file() if path.endswith("/") or file.is_dir() else file.is_file()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
