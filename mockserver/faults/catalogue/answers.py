"""Faults of the whole answer: HTTP arrives, and it is another answer than the one that was due."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus
from time import time
from typing import TYPE_CHECKING, Final

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.checks import check_error, check_header, check_media_type, check_status
from safelight.mockserver.model.messages import Reply, encoded, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What a gateway says in the place of the service behind it.
GATEWAY_PAGE: Final = """<html>\r
<head><title>{0}</title></head>\r
<body>\r
<center><h1>{0}</h1></center>\r
<hr><center>gateway</center>\r
</body>\r
</html>\r
"""

#: Seconds from now to the date that `throttle date` gives.
_LATER: Final = 2


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in list(HTTPStatus) else f"HTTP status {status}"


@fault
class Http:
    """Answer with this HTTP status, 400 to 599, and the envelope of an error."""

    status: int = 500

    def __post_init__(self) -> None:
        check_error(self.status)

    def strike(self, reply: Reply) -> Reply:  # noqa: ARG002 - the protocol's signature
        """An error in the place of whatever it was."""
        return failure(self.status, _phrase(self.status))


@fault
class Refuse:
    """Answer with this HTTP status, 400 to 599, and the envelope of an error with this message."""

    status: int = 400
    message: str = "Invalid request"

    def __post_init__(self) -> None:
        check_error(self.status)

    def strike(self, reply: Reply) -> Reply:  # noqa: ARG002 - the protocol's signature
        """An error in the place of whatever it was."""
        return failure(self.status, self.message)


@fault
class Throttle:
    """Answer with 429 and `Retry-After`: seconds, `date` (in two seconds), `none`, or nonsense such as `soon`."""

    after: str = "2"

    def __post_init__(self) -> None:
        check_header(self.after, "value of Retry-After")

    def strike(self, reply: Reply) -> Reply:  # noqa: ARG002 - the protocol's signature
        """An error in the place of whatever it was."""
        return failure(429, _phrase(429), _RETRY_AFTER.get(self.after, lambda: {"retry-after": self.after})())


#: The words that stand for something else -> what the headers say.
_RETRY_AFTER: Final[Mapping[str, Callable[[], dict[str, str]]]] = {
    "none": dict,
    "date": lambda: {"retry-after": formatdate(time() + _LATER, usegmt=True)},
}


@fault
class Unsuccessful:
    """Answer with the envelope of an error, and HTTP status 200."""

    message: str = "Generation failed"

    def strike(self, reply: Reply) -> Reply:  # noqa: ARG002 - the protocol's signature
        """An error in the place of whatever it was."""
        return failure(200, self.message)


@fault
class Body:
    """Answer with this HTTP status, this text and this media type, whatever they are."""

    status: int = 200
    text: str = "OK"
    media_type: str = "application/json"

    def __post_init__(self) -> None:
        check_status(self.status)
        check_media_type(self.media_type)

    def strike(self, reply: Reply) -> Reply:
        """The text in the place of whatever it was."""
        return reply._replace(status=self.status, body=self.text.encode(), media_type=self.media_type)


@fault
class Html:
    """Answer with this HTTP status and a gateway's HTML page."""

    status: int = 502

    def __post_init__(self) -> None:
        check_status(self.status)

    def strike(self, reply: Reply) -> Reply:
        """The page in the place of whatever it was."""
        page = GATEWAY_PAGE.format(f"{self.status} {_phrase(self.status)}")
        return reply._replace(status=self.status, body=page.encode(), media_type="text/html")


@fault
class Empty:
    """Answer with this HTTP status and no body."""

    status: int = 200

    def __post_init__(self) -> None:
        check_status(self.status, has_body=False)

    def strike(self, reply: Reply) -> Reply:
        """The headers of what it was."""
        return reply._replace(status=self.status, body=b"")


@fault
class NoData:
    """Answer with `data: null` beside `success: true`."""

    def strike(self, reply: Reply) -> Reply:
        """The envelope of a success, with nothing in it."""
        if reply.media_type != "application/json":
            return reply
        return reply._replace(status=200, body=encoded({"success": True, "data": None, "error": None}))


@fault
class Garbled:
    """Cut the body in half: JSON that no parser takes, or half a picture."""

    def strike(self, reply: Reply) -> Reply:
        """The first half of it, and nothing says that there was more."""
        return reply._replace(body=reply.body[: len(reply.body) // 2])
