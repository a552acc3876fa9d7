"""Which cases did not pass in the last run: what `--last-failed` runs again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from safelight.conformance.results import Result
from safelight.conformance.verdicts import Verdict

#: Where it is kept, in the folder of the caller.
FILE: Final = Path(".safelight", "last-failed.json")

_GOOD: Final = frozenset({Verdict.PASS, Verdict.INFO})


def remember(results: Iterable[Result]) -> None:
    """Keep the ids of what did not pass; those of other cases that were kept before stay."""
    results = list(results)
    ran = {result.id for result in results}
    failed = {result.id for result in results if result.verdict not in _GOOD}
    with suppress(OSError):  # a folder that cannot be written to has no memory
        FILE.parent.mkdir(exist_ok=True)
        (FILE.parent / ".gitignore").write_text("*\n", "utf-8")
        FILE.write_text(json.dumps(sorted(failed | set(last_failed()) - ran)), "utf-8")


def last_failed() -> list[str]:
    """The ids of the cases that did not pass; none where nothing is kept."""
    with suppress(OSError, ValueError):
        found = json.loads(FILE.read_text("utf-8"))
        return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
    return []
