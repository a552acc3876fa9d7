"""Files of recorded traffic, as the commands that read them open them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from safelight.cli._config import shown_path
from safelight.cli._unusable import Unusable

#: The name of standard input.
_STDIN: Final = "-"


@contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """The file to be read, or standard input; `Unusable` where it cannot be."""
    if file == _STDIN:
        yield sys.stdin.buffer
        return
    path = Path(file)
    if path.is_dir():
        raise Unusable(f"{shown_path(path)} is a folder: name a file")
    try:
        with path.open("rb") as source:
            yield source
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Unusable(f"{shown_path(path)} cannot be read: {reason}") from None


def name_of(file: str) -> str:
    """What a file is called in a report."""
    return "standard input" if file == _STDIN else Path(file).name
