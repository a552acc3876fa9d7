"""A task: one accepted submit, as a value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safelight.contracts.compact import compact
from safelight.mockserver.model.chance import Chance
from safelight.mockserver.model.kept_bytes import BytesElsewhere, BytesOnDisk, kept_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.contracts import Axis, Timeline
    from safelight.mockserver.model.credits import Credits


@dataclass(slots=True, unsafe_hash=True)
class Task:
    """One accepted submit. What becomes of it is a function of its timeline.

    Nothing changes one; it is not frozen, as it would take twice as long to make.
    """

    id: str
    #: The how-manieth task of its session, from 1.
    number: int
    operation: str
    workflow: str
    #: The parameters that were submitted, as JSON: a text takes a quarter of the memory of what it says.
    body: bytes | BytesElsewhere
    timeline: Timeline
    axis: Axis
    #: When it was submitted, in seconds of the session's clock.
    submitted: float
    #: Credits taken.
    price: Credits

    @property
    def size(self) -> int:
        """Bytes of the parameters: what keeping them costs."""
        return len(self.body) if isinstance(self.body, bytes) else self.body.size

    @property
    def seed(self) -> int:
        """The seed its picture is drawn from: the one of the request, or one that follows from its id."""
        wanted = int(self.request.get("seed", -1))
        return Chance(self.id).bits(32) if wanted < 0 else wanted

    @property
    def request(self) -> Mapping[str, Any]:
        """The parameters that were submitted."""
        found: Mapping[str, Any] = json.loads(self.body if isinstance(self.body, bytes) else self.body.read())
        return found


def parameters_as_json(parameters: Mapping[str, Any]) -> bytes | BytesOnDisk:
    """Parameters as a task keeps them."""
    return kept_bytes(compact(parameters).encode())
