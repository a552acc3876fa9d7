"""Files of recorded traffic, as the commands that read them do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from safelight.cli._config import shown_path
from safelight.cli._unusable import Unusable
from safelight.conformance.recordings.reading import exchanges
from safelight.contracts.wording import printable
from safelight.traffic.elements import CUT
from safelight.traffic.exchange import Exchange
from safelight.traffic.ndjson import Unreadable

#: The name of standard input.
_STDIN: Final = "-"


def read(file: str, take: Callable[[Iterator[Exchange]], object]) -> None:
    """Hand on the exchanges of a file, or of standard input; `Unusable` where it cannot be read, or holds none."""
    try:
        with _opened(file) as source:
            take(exchanges(source))
    except Unreadable as error:
        is_what = "cannot be read" if error.reason == CUT else "is no recorded traffic"
        raise Unusable(f"{printable(name_of(file))} {is_what}: {error}") from None
    except OSError as error:
        raise Unusable(f"{shown_path(Path(file))} cannot be read: {error.strerror or error}") from None


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    if file == _STDIN:
        return nullcontext(sys.stdin.buffer)
    path = Path(file)
    if path.is_dir():
        raise Unusable(f"{shown_path(path)} is a folder: name a file")
    try:
        return path.open("rb")
    except ValueError as error:  # no path has a NUL
        raise Unusable(f"{shown_path(path)} cannot be read: {error}") from None


def name_of(file: str) -> str:
    """What a file is called in a report."""
    return "standard input" if file == _STDIN else Path(file).name
