"""A recorded task: what was submitted, and the timeline that its server gave it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.compact import compact
from safelight.traffic.exchange import abridged_text
from safelight.traffic.redaction import redacted_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safelight.contracts import Timeline

#: Recorded tasks of a session.
MAX_RECORDED_TASKS: Final = 1_000


@dataclass(frozen=True, slots=True)
class RecordedTask:
    """The course of one task, for the tasks of a session that are like it."""

    operation: str
    #: A digest of what was submitted.
    parameters: str
    timeline: Timeline


def parameters_digest(parameters: Mapping[str, Any]) -> str:
    """What tells parameters from others, whether a recording has their long texts and keys or not."""
    plain = {name: abridged_text(redacted_value(value)) for name, value in sorted(parameters.items())}
    return sha256(compact(plain).encode("utf-8", "surrogatepass")).hexdigest()


def recorded_timeline(
    recorded: Sequence[RecordedTask], operation: str, parameters: Mapping[str, Any], counted: Callable[[str], int]
) -> Timeline | None:
    """The timeline of a submit: of the tasks with its parameters, else of its operation, one after the other.

    After the last comes the first again. None: no task of the operation was recorded. `counted` counts by a name.
    """
    of_operation = [task for task in recorded if task.operation == operation]
    digest = parameters_digest(parameters) if of_operation else ""
    same = [task for task in of_operation if task.parameters == digest]
    alike, name = (same, f"recorded {operation} {digest}") if same else (of_operation, f"recorded {operation}")
    return alike[(counted(name) - 1) % len(alike)].timeline if alike else None
