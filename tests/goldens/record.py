"""Write the recordings again, from what the fake does now: `python tests/goldens/record.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

#: The folder of the recordings, a file for each theme.
RECORDED: Final = Path(__file__).parent / "recorded"

if TYPE_CHECKING:
    from collections.abc import Iterable


def lines(theme: str) -> Iterable[str]:
    """The lines of a theme's recording."""
    from goldens.corpus import stories  # noqa: PLC0415 - found once the path is set, where this is a command
    from goldens.recording import recorded  # noqa: PLC0415

    for story in stories(theme):
        yield from (_written(line) for line in recorded(story))


def _written(line: dict[str, Any]) -> str:
    return json.dumps(line, sort_keys=True, separators=(", ", ":"))


def write(folder: Path = RECORDED) -> None:
    """Write the recordings of all themes."""
    from goldens.corpus import SEEDS  # noqa: PLC0415 - as above

    folder.mkdir(exist_ok=True)
    for theme in SEEDS:
        (folder / f"{theme}.ndjson").write_text("".join(f"{line}\n" for line in lines(theme)), "utf-8")


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])
    write(Path(sys.argv[1]) if sys.argv[1:] else RECORDED)
