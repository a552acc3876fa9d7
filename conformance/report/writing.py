"""Runs as files, each in its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safelight.conformance.report import github as actions
from safelight.conformance.report.document import Document, written
from safelight.conformance.report.html import html as page
from safelight.conformance.report.junit import junit as suites
from safelight.contracts.wording import printable

#: Name of a form -> its text.
FORMS: Final[Mapping[str, Callable[[Sequence[Document]], str]]] = {"html": page, "json": written, "junit": suites}


@dataclass(eq=False)
class CannotWrite(Exception):
    """A report that cannot be written where it is wanted."""

    path: str
    reason: str

    def __str__(self) -> str:
        return printable(f"cannot write {self.path}: {self.reason}")


def write(
    documents: Sequence[Document],
    *,
    html: Path | None = None,
    json: Path | None = None,
    junit: Path | None = None,
    github: bool = False,
) -> None:
    """Write the forms that are wanted. Raises `CannotWrite` with a sentence."""
    path: Path | None = None
    try:
        for form, path in {"html": html, "json": json, "junit": junit}.items():
            if path:
                path.write_text(FORMS[form](documents), "utf-8")
        if github:
            actions.write(documents)
    except OSError as error:
        raise CannotWrite(str(error.filename or path), str(error.strerror)) from None
