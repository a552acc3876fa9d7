"""The store that a command's settings ask for."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from safelight.cli._unusable import Unusable
from safelight.mockserver.storage.kinds import opened
from safelight.mockserver.storage.store import UnusableStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.storage.store import Store


def store_of(values: Mapping[str, Any], until: ExitStack) -> Store:
    """The store, or `Unusable`. Several processes that name none share a file, which is there until the end."""
    name, processes = values["store"], values["processes"]
    if processes > 1 and name == "memory":
        raise Unusable("--store memory is one process's own; what several share is sqlite:FILE or redis://HOST:PORT")
    if processes > 1 and name is None:
        folder = until.enter_context(TemporaryDirectory(prefix="safelight-", ignore_cleanup_errors=True))
        name = f"sqlite:{Path(folder) / 'sessions.db'}"
    try:
        return opened(name or "memory")
    except UnusableStore as unusable:
        raise Unusable(f"--store {shown_place(name)}: {unusable}") from None


def shown_place(name: str) -> str:
    """A store or a database without the password that a URL may have."""
    return re.sub("//.*@", "//...@", name)
