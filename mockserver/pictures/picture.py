"""What is to be drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Picture:
    """`width` x `height` pixels, from `seed` (0 or more) and the prompt in `request`, which keeps the contract."""

    width: int
    height: int
    seed: int
    task_id: str
    request: Mapping[str, Any]
