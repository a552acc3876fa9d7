"""The engines that carry tasks out, and the ids that they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from safelight.mockserver.model.chance import Chance

#: A new id, from chance and from a serial number that no other task of the session has.
NewId = Callable[[Chance, int], str]


@dataclass(frozen=True, slots=True)
class Engine:
    """What carries tasks out: its name, how the service calls it, and which ids it gives."""

    name: str
    title: str
    new_id: NewId


#: The bits of a UUID that are the same in all of version 4, and how they are set.
_FIXED: Final = 0xF << 76 | 0x3 << 62
_VERSION: Final = 0x4 << 76 | 0x2 << 62


def _uuid(chance: Chance, _: int) -> str:
    """A random UUID. As `str(UUID(int=..., version=4))`, which takes three times as long."""
    digits = f"{chance.bits(128) & ~_FIXED | _VERSION:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _ten_digits(_: Chance, serial: int) -> str:
    """Each serial number gives another id: the factor shares no divisor with the number of ids there are."""
    return str(10**9 + serial * 2_654_435_761 % (9 * 10**9))


_COMFYUI: Final = Engine("comfyui", "ComfyUI", _uuid)


_RR3: Final = Engine("rr3", "RR3", _ten_digits)


_GROK: Final = Engine("grok", "Grok", lambda chance, _: f"grok_{chance.bits(96):024x}")


#: Name -> engine. A workflow's variant is the name of its engine.
ENGINES: Final[Mapping[str, Engine]] = {engine.name: engine for engine in (_COMFYUI, _RR3, _GROK)}
