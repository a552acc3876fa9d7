"""A task: one accepted submit, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.contracts import Axis, Timeline
    from safelight.mockserver.model.credits import Credits


@dataclass(frozen=True, slots=True)
class Task:
    """One accepted submit. A value: what becomes of it is a function of its timeline."""

    id: str
    #: The how-manieth task of its session, from 1.
    number: int
    operation: str
    workflow: str
    #: The document that was submitted.
    request: Mapping[str, Any]
    #: The seed its picture is drawn from: the one asked for, or the one drawn.
    seed: int
    timeline: Timeline
    axis: Axis
    #: When it was submitted, in seconds of the session's clock.
    submitted: float
    #: Credits taken.
    price: Credits
    #: Bytes of the request: what keeping it costs.
    size: int = 0
