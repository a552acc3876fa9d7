"""Stage: what a path is for, and the request as it would be at the published entry point."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from safelight.contracts.dialects import PATHS
from safelight.mockserver.model.prefixes import without_prefix
from safelight.mockserver.model.redirects import before_redirect, is_redirected
from safelight.mockserver.model.second_origin import at_first_origin
from safelight.mockserver.operations.results import UPLOADS
from safelight.mockserver.service.action_entry import at_published_entry
from safelight.mockserver.service.openapi_paths import DOCUMENTS, published

if TYPE_CHECKING:
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service


_PUBLISHED: Final = PATHS["published"]


class Place(StrEnum):
    """What answers at a path."""

    OPERATION = "operation"
    FILE = "file"
    DOCUMENT = "document"


def locate(service: Service, call: Call) -> Place:
    """What the path of a request is for. Another origin, a redirect, a prefix and an own path lead home."""
    call.is_redirected = is_redirected(call.request)
    if call.request.path == _PUBLISHED and not call.is_redirected:  # as most requests are: at home
        return Place.OPERATION
    home = call.home = without_prefix(before_redirect(at_first_origin(call.request)))
    if home.path.startswith(UPLOADS):
        return Place.FILE
    if service.has_openapi_paths:
        if home.path in DOCUMENTS:
            return Place.DOCUMENT
        call.home = published(home)
    call.home = at_published_entry(service, call)
    return Place.OPERATION
