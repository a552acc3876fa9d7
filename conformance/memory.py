"""What is kept from run to run, in the folder of the caller: what did not pass, which `--last-failed` runs again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from safelight.conformance.results import Result
from safelight.conformance.verdicts import Verdict

#: Where it is kept.
FOLDER: Final = Path(".safelight")
FILE: Final = FOLDER / "last-failed.json"

#: What is judged, where nothing tells one from the other.
CLIENT: Final = "client"

_GOOD: Final = frozenset({Verdict.PASS, Verdict.INFO})


def made(folder: Path) -> Path:
    """The folder, which no version control takes. Raises `OSError`."""
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n", "utf-8")
    return folder


def remember(results: Iterable[Result], judged: str = CLIENT) -> None:
    """Keep the ids of what did not pass; those of others that were kept before stay."""
    results = list(results)
    ran = {result.id for result in results if result.verdict is not Verdict.NOT_ASKED}
    failed = {result.id for result in results if result.id in ran and result.verdict not in _GOOD}
    kept = {**_kept(), judged: sorted(failed | set(last_failed(judged)) - ran)}
    with suppress(OSError):  # a folder that cannot be written to has no memory
        made(FILE.parent)
        written = FILE.with_name(f"{FILE.name}.{os.getpid()}")  # two runs may end at once
        written.write_text(json.dumps(kept), "utf-8")
        written.replace(FILE)


def last_failed(judged: str = CLIENT) -> list[str]:
    """The ids of what did not pass; none where nothing is kept."""
    found = _kept().get(judged)
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _kept() -> Mapping[str, Any]:
    """Who was judged -> the ids."""
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(FILE.read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    return {}
