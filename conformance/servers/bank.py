"""The bank: tasks that were finished earlier, so that the checks that only read cost nothing.

It is a file of JSON, and holds no key: whose a task is, its digest says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from safelight.contracts.wording import echoed, kind, printable, shown

#: Bytes of a file, and tasks that are kept: the newest.
MAX_BYTES: Final = 1_000_000
MAX_TASKS: Final = 20


@dataclass(frozen=True, slots=True)
class Banked:
    """A finished task."""

    task_id: str
    operation: str
    #: What stands for its key.
    owner: str
    #: When it was finished, in seconds since 1970.
    finished: float


@dataclass(eq=False)
class NoBank(Exception):
    """A file that is no bank, or that of another server."""

    path: Path
    what: str

    def __str__(self) -> str:
        return printable(f"{self.path} is no bank of this server: {self.what}")


def owner_of(key: str) -> str:
    """What stands for a key in a bank."""
    return sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def read(path: Path, server: str) -> list[Banked]:
    """The tasks of a bank; none where there is no file yet. Raises `NoBank` with a sentence."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NoBank(path, f"it cannot be read: {error.strerror}") from None
    try:
        return _tasks(_document(text), server)
    except ValueError as error:
        raise NoBank(path, str(error)) from None


def _document(text: bytes) -> Any:
    if len(text) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 10**6} MB")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON; name a file that --bank has written, or one that is not there") from None


def _tasks(document: Any, server: str) -> list[Banked]:
    match document:
        case {"server": str(other), "tasks": list()} if other != server:
            raise ValueError(f"it is that of {echoed(other)}; give each server a file of its own")
        case {"server": _, "tasks": list(tasks)}:
            return [_task(one) for one in tasks]
    raise ValueError(f"it holds {kind(document)}, not server and tasks")


def _task(form: Any) -> Banked:
    try:
        found = Banked(**form)
    except TypeError:
        raise ValueError(f"{shown(form)} is no task of a bank") from None
    texts: tuple[object, ...] = (found.task_id, found.operation, found.owner)
    finished: object = found.finished
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(finished, int | float):
        raise ValueError(f"{shown(form)} is no task of a bank")
    return found


def write(path: Path, server: str, tasks: Iterable[Banked]) -> None:
    """Keep the newest tasks, each once. Raises `NoBank` with a sentence."""
    kept = sorted({task.task_id: task for task in tasks}.values(), key=lambda task: task.finished)[-MAX_TASKS:]
    document = {"server": server, "tasks": [asdict(task) for task in kept]}
    try:
        path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise NoBank(path, f"it cannot be written: {error.strerror}") from None
