"""Parts of pages that are written by a command: each stands between two comments."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[1] / "docs"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page: its name there, the test file that writes it, and what stands in it."""

    page: str
    name: str
    writer: str
    body: str

    @property
    def text(self) -> str:
        """The part with its comments."""
        return f"{self._begin}\n\n{self.body}\n\n{self._end}"

    @property
    def _begin(self) -> str:
        return f"<!-- {self.name}: written by tests/{self.writer} -->"

    @property
    def _end(self) -> str:
        return f"<!-- end of {self.name} -->"

    def placed(self, page: str) -> str:
        """The page with the part in its place."""
        before, _, rest = page.partition(self._begin)
        return before + self.text + rest.partition(self._end)[2]


def table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    heading, *lines = [f"| {' | '.join(line)} |" for line in (headings, *rows)]
    return "\n".join([heading, f"|{'---|' * len(headings)}", *lines])


def write(parts: Iterable[Part]) -> None:
    """Write the parts into their pages."""
    for part in parts:
        path = DOCS / part.page
        path.write_text(part.placed(path.read_text("utf-8")), "utf-8")


def stale(parts: Iterable[Part]) -> list[str]:
    """The names of parts that are not what they would be if they were written now."""
    return [part.name for part in parts if part.text not in (DOCS / part.page).read_text("utf-8")]
