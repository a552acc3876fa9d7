"""What a run of the checks is asked for, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from safelight.contracts.dialects import REQUESTS
from safelight.contracts.operations import operations
from safelight.contracts.rules import rules

#: Seconds between polls, on this machine and elsewhere.
LOOPBACK_INTERVAL, USUAL_INTERVAL = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class Options:
    """Which requests are drawn, what counts, and how the server words its answers."""

    #: Submits of which tasks are paid for.
    operations: tuple[str, ...] = ("image_generation",)
    #: Generated requests for each rule.
    examples: int = 1
    seed: int = 0
    #: What is only assumed counts as much as what is published.
    is_strict: bool = False
    #: Seconds between polls, over which a task stays as it ended, and after which it is given up.
    interval: float = 2
    settle: float = 30
    deadline: float = 300
    #: Seconds in which ten polls are sent; None: no more than the rate allows, so they are not asked for.
    burst: float | None = 1
    vocabulary: str = "published"
    errors: str = "object"
    limits: str = "reject"
    requests: str = "published"

    @property
    def spared(self) -> frozenset[str]:
        """The ids of the rules that this server does not ask."""
        clamped = _maxima() if self.limits == "clamp" else frozenset[str]()
        return REQUESTS[self.requests].spared | clamped

    def prices(self) -> Mapping[str, float]:
        """Submit -> its credits."""
        return {operation.name: operation.price for operation in operations().values() if operation.is_submit}


def _maxima() -> frozenset[str]:
    return frozenset(
        rule.id for operation in operations().values() for rule in rules(operation.request) if rule.keyword == "maximum"
    )
