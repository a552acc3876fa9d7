"""Parts of pages, and whole files, that `python tests/write.py` writes: a test file lists its own in `parts()`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

DOCS: Final = Path(__file__).parents[1] / "docs"

#: The command, as pages and messages name it.
WRITER: Final = "tests/write.py"


class Written(Protocol):
    """Something that is written: the file it is in, and the text of that file with it in its place."""

    @property
    def path(self) -> Path: ...

    def placed(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page, between two comments that name it."""

    page: str
    name: str
    body: Callable[[], str]
    #: Whether the page itself runs it and compares: then no test has to do it again.
    is_run: bool = False

    @property
    def path(self) -> Path:
        return DOCS / self.page

    def placed(self, text: str) -> str:
        """The page with the part in its place."""
        begin, end = f"<!-- {self.name}: written by {WRITER} -->", f"<!-- end of {self.name} -->"
        before, _, rest = text.partition(begin)
        return f"{before}{begin}\n\n{self.body()}\n\n{end}{rest.partition(end)[2]}"


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that is written from its first line to its last."""

    path: Path
    body: Callable[[], str]

    def placed(self, _: str) -> str:
        """The file."""
        return self.body()


def table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    heading, *lines = [f"| {' | '.join(line)} |" for line in (headings, *rows)]
    return "\n".join([heading, f"|{'---|' * len(headings)}", *lines])


def yaml_file(path: Path) -> str:
    """A file of YAML as a page shows it."""
    name = path.relative_to(DOCS.parent)
    return f"`{name}`:\n\n<!-- not run: a linter has read it -->\n\n```yaml\n{path.read_text('utf-8')}```"


def write(parts: Iterable[Written]) -> list[Path]:
    """Write them into their files; those that are not as they were."""
    return [part.path for part in parts if _written(part)]


def _written(part: Written) -> bool:
    before = _text(part)
    after = part.placed(before)
    part.path.write_text(after, "utf-8")
    return after != before


def check_fresh(parts: Iterable[Written]) -> None:
    """Fail if one of them is not what it would be if it were written now."""
    stale = [getattr(part, "name", part.path.name) for part in parts if part.placed(_text(part)) != _text(part)]
    assert stale == [], f"not as they would be written now: {', '.join(stale)}; run `python {WRITER}`"


def _text(part: Written) -> str:
    return part.path.read_text("utf-8") if part.path.exists() else ""
