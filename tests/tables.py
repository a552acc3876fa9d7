"""Tables of pages that are written by a command: each stands between two comments."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[1] / "docs"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page: its name there, the test file that writes it, its headings and rows."""

    page: str
    name: str
    writer: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The table in Markdown, with its comments."""
        heading, *rows = [f"| {' | '.join(line)} |" for line in (self.headings, *self.rows)]
        table = "\n".join([heading, f"|{'---|' * len(self.headings)}", *rows])
        return f"{self._begin}\n\n{table}\n\n{self._end}"

    @property
    def _begin(self) -> str:
        return f"<!-- {self.name}: written by tests/{self.writer} -->"

    @property
    def _end(self) -> str:
        return f"<!-- end of {self.name} -->"

    def placed(self, page: str) -> str:
        """The page with the table in its place."""
        before, _, rest = page.partition(self._begin)
        return before + self.text + rest.partition(self._end)[2]


def write(tables: Iterable[Table]) -> None:
    """Write the tables into their pages."""
    for table in tables:
        path = DOCS / table.page
        path.write_text(table.placed(path.read_text("utf-8")), "utf-8")


def stale(tables: Iterable[Table]) -> list[str]:
    """The names of tables that are not what they would be if they were written now."""
    return [table.name for table in tables if table.text not in (DOCS / table.page).read_text("utf-8")]
