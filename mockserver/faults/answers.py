"""Faults of the answer itself: HTTP arrives, and what it carries is wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from safelight.mockserver.faults import fault
from safelight.mockserver.messages import failure

if TYPE_CHECKING:
    from safelight.mockserver.messages import Reply


@fault
class Http:
    """Answer with this HTTP status, 400 to 599, and the envelope of an error."""

    status: int = 500

    def __post_init__(self) -> None:
        if not 400 <= self.status <= 599:  # noqa: PLR2004 - the errors of HTTP
            raise ValueError(f"{self.status} is no HTTP status of an error: give 400 to 599")

    def strike(self, reply: Reply) -> Reply:  # noqa: ARG002 - the protocol's signature
        """An error in the place of whatever it was."""
        known = self.status in list(HTTPStatus)
        return failure(self.status, HTTPStatus(self.status).phrase if known else f"HTTP status {self.status}")


@fault
class Garbled:
    """Cut the body in half: JSON that no parser takes, or half a picture."""

    def strike(self, reply: Reply) -> Reply:
        """The first half of it, and nothing says that there was more."""
        return reply._replace(body=reply.body[: len(reply.body) // 2])
