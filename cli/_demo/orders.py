"""What the demo asks for: one picture of each workflow, and one that never will be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from safelight.contracts import workflows


@dataclass(frozen=True, slots=True)
class Order:
    """A picture to ask for: the name it goes by here, the document to submit, and why it will fail, if it will."""

    name: str
    document: Mapping[str, Any]
    doom: str | None = None


_BOATS: Final = "paper boats on a canal after the first rain of summer"

#: Workflow -> what is asked of it. With z-image `cfg` is legal and without effect: the journal says so.
_WISHES: Final[Mapping[str, Mapping[str, Any]]] = {
    "default": {"prompt": "a lighthouse whose beam is folded letters", "width": 768, "height": 1024},
    "anime": {"prompt": "a night train over flooded rice fields", "width": 512, "height": 640, "cfg": 7},
    "z-image": {"prompt": _BOATS, "width": 1024, "height": 768, "cfg": 4},
    "rr3": {"prompt": "a tide pool the size of a city", "width": 832, "height": 1216, "steps": 20},
    "grok": {"prompt": "a fox asleep in a crater of the moon at earthrise"},
}

#: For a workflow that is newer than this table.
_ANY_WISH: Final = {"prompt": "a map of a country that was drawn before it was found"}

_TEAPOT: Final = {"prompt": "a perfectly ordinary teapot, life size", "width": 768, "height": 640}


def orders() -> list[Order]:
    """One order for each workflow, in the contract's order, and the doomed one."""
    doomed = Order("doomed", _TEAPOT, doom="Upstream error: the engine ran out of memory")
    return [*(Order(name, {**_WISHES.get(name, _ANY_WISH), "workflow": name}) for name in workflows()), doomed]
