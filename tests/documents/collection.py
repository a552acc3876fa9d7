"""Which documents run: the pages in Markdown and the docstrings of the house."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sybil import Document, Example, Region, Sybil
from sybil.document import PythonDocStringDocument
from sybil.example import NotEvaluated
from sybil.sybil import SybilCollection

from documents.blocks import blocks
from documents.pages import close, judge_in_order

#: The repository.
ROOT: Final = Path(__file__).parents[2]


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
    """All that is judged in a document."""
    for region in blocks(document):
        region.evaluator = judge_in_order
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
