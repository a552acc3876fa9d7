"""What came in the place of what was asked for: tables, with a row for each thing, how it is seen and what to send.

A schema names the table of a value in `x-recognized`. A row about a value that breaks a rule words the violation; about
a value that breaks none, it makes advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts.recognizers.bodies import BODIES, Body
from safelight.contracts.recognizers.documents import DOCUMENTS, OF_LINUX_DO, PROMPTS, Sent
from safelight.contracts.recognizers.images import FILES, IMAGES, Image
from safelight.contracts.wording import named, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from safelight.contracts.recognizers.row import Recognizer


class Table(NamedTuple):
    """How a value is read for the rows, and the rows; the first that sees it counts."""

    #: None: there is nothing to see.
    read: Callable[[Any], Any]
    #: About a value that breaks a rule.
    broken: Sequence[Recognizer]
    #: About one that breaks none.
    legal: Sequence[Recognizer] = ()


#: Name -> table.
TABLES: Final[Mapping[str, Table]] = {
    "body": Table(Body, BODIES),
    "document": Table(Sent.of, DOCUMENTS, [OF_LINUX_DO]),
    "prompt": Table(Sent.of, PROMPTS, PROMPTS),
    "image": Table(Image, IMAGES, FILES),
}


def recognized(table: str, value: Any, *, is_legal: bool = False) -> str:
    """What the value is, and what to send instead; nothing where no row sees it."""
    found = TABLES[table]
    seen = found.read(value)
    if seen is None:
        return ""
    rows = found.legal if is_legal else found.broken
    return next((f"{row.what}: send {row.send}" for row in rows if row.sees(seen)), "")


def sentence_on(path: Iterable[object], value: Any, table: str | None, *, is_legal: bool = False) -> str:
    """The same as a sentence on the value at this path; nothing where there is no table, too."""
    seen = recognized(table, value, is_legal=is_legal) if table else ""
    return seen and f"{named(path)} is {shown(value)}, {seen}"
