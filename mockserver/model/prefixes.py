"""Prefixes of paths: the fake answers under `/s/NAME` as it does at the root, as an API does behind a gateway."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from safelight.mockserver.model.messages import Request

_PREFIX: Final = re.compile(r"/s/[\w.~-]{1,100}(?=/)", re.ASCII)


def without_prefix(request: Request) -> Request:
    """The request as it would be at the root. Absolute URLs of its answer have the prefix."""
    found = _PREFIX.match(request.path)
    if not found:
        return request
    return request._replace(path=request.path[found.end() :], origin=request.origin + found[0])
