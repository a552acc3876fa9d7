"""Which documents run: the pages in Markdown and the docstrings of the house."""

import importlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from sybil import Document, Example, Region, Sybil
from sybil.document import PythonDocStringDocument
from sybil.example import NotEvaluated
from sybil.parsers.abstract.doctest import DocTestStringParser
from sybil.sybil import SybilCollection

from documents.blocks import FENCES, blocks
from documents.pages import close, in_order, judge_block, judge_doctest

#: The repository.
ROOT: Final = Path(__file__).parents[2]

_find_doctests: Final = DocTestStringParser()


def documents() -> SybilCollection:
    """Everything of the house that runs."""
    pages = Sybil([examples], path=str(ROOT), pattern="*.md", teardown=close)
    docstrings = (
        Sybil([examples], path=str(folder), pattern="*.py", document_types={".py": Docstrings}, teardown=close)
        for folder in folders()
    )
    return SybilCollection([pages, *docstrings])


def folders() -> list[Path]:
    """The top-level folders that are installed as parts of the package."""
    return [ROOT / link.name for link in sorted((ROOT / "src" / "safelight").iterdir()) if link.is_symlink()]


def examples(document: Document) -> Iterator[Region]:
    """All that is judged in a document: its blocks, and its doctests inside and outside of them."""
    doctests = []
    for region in blocks(document):
        if region.parsed.is_doctest:
            doctests.append(region)
        else:
            region.evaluator = in_order(judge_block)
            yield region
    for region in _find_doctests(_without_blocks(document, doctests), document.path):
        region.evaluator = in_order(judge_doctest)
        yield region


class Docstrings(PythonDocStringDocument):
    """The docstrings of a module, read with the names of the module as it is installed."""

    def import_document(self, _: Example) -> None:
        """Bring in the module's names before its first example."""
        self.pop_evaluator(self.import_document)
        path = Path(self.path).relative_to(ROOT).with_suffix("")
        parts = path.parts[:-1] if path.name == "__init__" else path.parts
        self.namespace.update(vars(importlib.import_module(".".join(["safelight", *parts]))))
        raise NotEvaluated


def _without_blocks(document: Document, kept: Sequence[Region]) -> str:
    """The text of a document with its fenced blocks blanked out, each at its place; of those kept, only the fences."""
    text = document.text
    contents = {region.start for region in kept}
    for fence in FENCES(document):
        lines = text[fence.start : fence.end].splitlines(keepends=True)
        inner = lines[1:-1] if fence.start in contents else [_blank(line) for line in lines[1:-1]]
        text = text[: fence.start] + "".join([_blank(lines[0]), *inner, _blank(lines[-1])]) + text[fence.end :]
    return text


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
