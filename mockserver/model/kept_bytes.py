"""Bytes that are kept as long as a task lives: large ones on disk, as tasks that nobody polls would fill the memory."""

from __future__ import annotations

import atexit
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from tempfile import NamedTemporaryFile, mkdtemp
from typing import Final, Protocol, Self
from weakref import finalize

#: Bytes that are kept in memory; more are written to disk.
MAX_BYTES_IN_MEMORY: Final = 64_000


class BytesElsewhere(Protocol):
    """Bytes that are read when they are asked for. They are equal where their digests are."""

    @property
    def digest(self) -> bytes:
        """Their SHA-256."""
        ...

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def read(self) -> bytes:
        """The bytes."""
        ...


class BytesOnDisk:
    """Bytes in a temporary file, which goes when nothing refers to them any longer, or the process ends."""

    __slots__ = ("__weakref__", "_path", "digest", "size")

    def __init__(self, contents: bytes) -> None:
        self.digest, self.size = sha256(contents).digest(), len(contents)
        with NamedTemporaryFile(dir=_folder(), delete=False) as file:
            self._path = Path(file.name)
            finalize(self, _remove, self._path).atexit = False  # then the whole folder goes
            file.write(contents)

    def read(self) -> bytes:
        """The bytes."""
        return self._path.read_bytes()

    def __eq__(self, other: object) -> bool:
        return getattr(other, "digest", None) == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    kept = read

    @classmethod
    def restored(cls, contents: bytes) -> Self:
        """The bytes that `kept` gave."""
        return cls(contents)


def kept_bytes(contents: bytes) -> bytes | BytesOnDisk:
    """Bytes as they are kept; where the disk takes no more, in memory whatever their size."""
    if len(contents) > MAX_BYTES_IN_MEMORY:
        with suppress(OSError):
            return BytesOnDisk(contents)
    return contents


@cache
def _folder() -> Path:
    """The folder of this process. Nobody else may read it."""
    folder = Path(mkdtemp(prefix="safelight-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
