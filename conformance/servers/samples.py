"""Valid requests that the checks start from, the cheapest and smallest of their kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from safelight.contracts.operations import operations
from safelight.contracts.schemas import known

#: An id that has the form of one, and belongs to nobody.
NEVER_ISSUED: Final = "00000000-0000-4000-8000-000000000000"

#: The prompt of a task that is paid for.
PROMPT: Final = "a lighthouse at dusk"

#: The smallest picture there is, for edits.
_PICTURE: Final = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

_VALUES: Final = {"prompt": PROMPT, "image": _PICTURE}


@cache
def minimal(operation: str) -> Mapping[str, Any]:
    """The smallest valid request of a submit: what its schema requires."""
    stated = known(operations()[operation].request)
    names = dict.fromkeys([*stated.get("required", ()), *_conditional(stated)])
    return {name: _VALUES[name] for name in names}


def _conditional(stated: Mapping[str, Any]) -> list[str]:
    """What is required of a request that says nothing else."""
    branch = stated.get("else", {}) if "if" in stated else {}
    return list(branch.get("required", ()))
