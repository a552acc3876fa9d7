"""Redirects: where one leads, and which requests one has caused.

A redirect marks the URL to which it leads, so that it is followed once: to a plan both requests are one. The one that
leads into a loop leaves that out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from safelight.mockserver.model.second_origin import at_second_origin

if TYPE_CHECKING:
    from safelight.mockserver.model.messages import Request

#: The parameter of a query that says it.
_MARK: Final = "redirected=1"


def is_redirected(request: Request) -> bool:
    """A redirect has caused this request."""
    return request.query.endswith(_MARK) and request.query.split("&")[-1] == _MARK


def before_redirect(request: Request) -> Request:
    """The request as it was before a redirect."""
    if not is_redirected(request):
        return request
    return request._replace(query=request.query.removesuffix(_MARK).removesuffix("&"))


def _loop(request: Request) -> str:
    return f"{request.origin}{request.path}?{request.query}".rstrip("?")


def _here(request: Request) -> str:
    url = _loop(before_redirect(request))
    return f"{url}{'&' if '?' in url else '?'}{_MARK}"


#: Where a redirect leads -> the URL to which a request is sent.
TARGETS: Final[Mapping[str, Callable[[Request], str]]] = {
    "here": _here,
    "elsewhere": lambda request: at_second_origin(_here(request), request.origin),
    "loop": _loop,
}
