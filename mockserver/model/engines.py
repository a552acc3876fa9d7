"""The engines that carry tasks out, and the ids that they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

#: A new id, from chance and from a serial number that no other task of the session has.
NewId = Callable[[Random, int], str]


@dataclass(frozen=True, slots=True)
class Engine:
    """What carries tasks out: its name, how the service calls it, and which ids it gives."""

    name: str
    title: str
    new_id: NewId


def _ten_digits(_: Random, serial: int) -> str:
    """Each serial number gives another id: the factor shares no divisor with the number of ids there are."""
    return str(10**9 + serial * 2_654_435_761 % (9 * 10**9))


_COMFYUI: Final = Engine("comfyui", "ComfyUI", lambda random, _: str(UUID(int=random.getrandbits(128), version=4)))


_RR3: Final = Engine("rr3", "RR3", _ten_digits)


_GROK: Final = Engine("grok", "Grok", lambda random, _: f"grok_{random.getrandbits(96):024x}")


#: Name -> engine. A workflow's variant is the name of its engine.
ENGINES: Final[Mapping[str, Engine]] = {engine.name: engine for engine in (_COMFYUI, _RR3, _GROK)}
