"""The kinds of stores, by what they are called on a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from safelight.mockserver.storage.memory import MemoryStore
from safelight.mockserver.storage.store import Store, UnusableStore

#: What a store is called, as a pattern and in words.
PATTERN: Final = r"memory|sqlite:[^\x00-\x1f]+|rediss?://[^\x00-\x1f]+"
WORDS: Final = "memory, sqlite:FILE or redis://HOST:PORT"


def opened(name: str) -> Store:
    """The store of this name. Raises `UnusableStore`. What only one kind needs is imported with it."""
    from safelight.mockserver.storage.row_store import RowStore  # noqa: PLC0415

    kind, _, place = name.partition(":")
    match kind:
        case "sqlite":
            from safelight.mockserver.storage.sqlite import SQLiteDatabase  # noqa: PLC0415

            return RowStore(SQLiteDatabase(Path(place)))
        case "redis" | "rediss":
            try:
                from safelight.mockserver.storage.redis import RedisDatabase  # noqa: PLC0415
            except ModuleNotFoundError:
                raise UnusableStore("the package redis is missing: pip install redis") from None
            return RowStore(RedisDatabase(name))
    return MemoryStore()
