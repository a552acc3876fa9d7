"""What is to be drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Picture:
    """`width` x `height` pixels, from `seed` (0 or more) and the prompt in `request`, which keeps the contract.

    With a `ground`, an encoded picture, that one is edited: it keeps its own size, scaled down so that no side is
    longer than `longest`. What does not open as a picture is no ground.
    """

    width: int
    height: int
    seed: int
    task_id: str
    request: Mapping[str, Any]
    ground: bytes | None = field(default=None, repr=False)
    longest: int | None = None
