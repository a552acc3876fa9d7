"""The kinds of stores, by what they are called on a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from safelight.mockserver.storage.memory import MemoryStore
from safelight.mockserver.storage.store import Store

#: What a store is called, as a pattern and in words.
PATTERN: Final = r"memory|sqlite:.+"
WORDS: Final = "memory or sqlite:FILE"


def opened(name: str) -> Store:
    """The store of this name. Raises `UnusableStore`. What only one kind needs is imported with it."""
    from safelight.mockserver.storage.row_store import RowStore  # noqa: PLC0415

    kind, _, place = name.partition(":")
    match kind:
        case "sqlite":
            from safelight.mockserver.storage.sqlite import SQLiteDatabase  # noqa: PLC0415

            return RowStore(SQLiteDatabase(Path(place)))
    return MemoryStore()
