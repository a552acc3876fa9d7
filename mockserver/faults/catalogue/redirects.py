"""Faults that lead a client away: a redirect where an answer was due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from safelight.mockserver.faults.catalogue import fault
from safelight.mockserver.faults.catalogue.checks import check_known
from safelight.mockserver.model.messages import HEADERS, Reply
from safelight.mockserver.model.second_origin import at_second_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.mockserver.model.messages import Request

_STATUSES: Final = ("301", "302", "303", "307", "308")


def _here(request: Request) -> str:
    return f"{request.origin}{request.path}?{request.query}".rstrip("?")


#: Where it leads -> the target of a request there.
_PLACES: Final[Mapping[str, Callable[[Request], str]]] = {
    "here": _here,
    "elsewhere": lambda request: at_second_origin(_here(request)),
}


@fault
class Redirect:
    """Redirect to the same target, with 301, 302, 303, 307 or 308: `elsewhere`, at another origin, or `here`."""

    status: int = 307
    where: str = "elsewhere"

    def __post_init__(self) -> None:
        check_known(str(self.status), _STATUSES, "HTTP status of a redirect")
        check_known(self.where, _PLACES, "place to redirect to")

    def strike(self, reply: Reply) -> Reply:
        """The way there in the place of whatever it was."""
        assert reply.request is not None
        headers = {**HEADERS, "location": _PLACES[self.where](reply.request)}
        return Reply(self.status, b"", "text/html", headers)
