"""Where exchanges are recorded: a file of NDJSON that has each of them at once, made a HAR at the end if it is one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from safelight.conformance.recordings.reading import exchanges
from safelight.contracts.wording import printable
from safelight.traffic.exchange import Exchange
from safelight.traffic.har import har
from safelight.traffic.ndjson import line


@dataclass(eq=False)
class CannotRecord(Exception):
    """A file cannot be a recording, or not any more."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return printable(f"{self.path} cannot be the recording: {self.reason}")


@dataclass(slots=True)
class Recorder:
    """Appends each exchange to a file, which is whole after each. Raises `CannotRecord`."""

    path: Path
    #: When it begins, in seconds since 1970.
    began: float
    _lines: Path = field(init=False)
    _file: TextIO = field(init=False)

    def __post_init__(self) -> None:
        is_har = self.path.suffix.lower() == ".har"
        self._lines = self.path.with_name(f"{self.path.name}.ndjson") if is_har else self.path
        for path in {self.path, self._lines}:
            if path.exists() and (not path.is_file() or path.stat().st_size):
                raise CannotRecord(path, "it is there already, and no recording is overwritten: name another file")
        try:
            self._file = self._lines.open("a", encoding="ascii")
        except (OSError, ValueError) as error:
            raise self._failed(error) from None

    def add(self, exchange: Exchange) -> None:
        """Write one down."""
        try:
            self._file.write(line(exchange, self.began))
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Write no more; where a HAR is wanted, write that in the place of the lines."""
        try:
            self._file.close()
            if self._lines != self.path:
                with self._lines.open("rb") as source:
                    found = [] if not self._lines.stat().st_size else list(exchanges(source))
                self.path.write_text(json.dumps(har(found)), "utf-8")
                self._lines.unlink()
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError | ValueError) -> CannotRecord:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return CannotRecord(self.path, reason)
