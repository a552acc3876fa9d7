"""Who may steer: programs on this machine, or whoever has the token. No page in a browser that another site served."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from safelight.contracts.wording import shown
from safelight.mockserver.model.addresses import is_this_machine
from safelight.mockserver.model.messages import Refused

if TYPE_CHECKING:
    from safelight.mockserver.model.messages import Request

#: The header that brings the token.
TOKEN: Final = "x-safelight-token"  # noqa: S105 - its name

#: What browsers say of requests that no other site's page has made.
_OWN: Final = frozenset({"same-origin", "none"})


def check_access(request: Request, token: str | None) -> None:
    """Raises `Refused` where the request may not steer; with a token, all of them have to bring it."""
    _check_origin(request)
    if token is None:
        _check_host(request)
    elif TOKEN not in request.headers:
        raise Refused(
            HTTPStatus.UNAUTHORIZED, f"No token was sent: this fake is controlled with one, as header {TOKEN}"
        )
    elif not hmac.compare_digest(request.headers[TOKEN].encode(), token.encode()):
        raise Refused(HTTPStatus.UNAUTHORIZED, f"The token in {TOKEN} is not the one of this fake")


def _check_origin(request: Request) -> None:
    """A browser says where a page comes from that makes a request: in every POST, PUT and DELETE at least."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
    if site not in _OWN or (origin is not None and origin != request.origin):
        where = "A page of another site" if origin is None else f"A page of {shown(origin)}"
        raise Refused(HTTPStatus.FORBIDDEN, f"{where} wants to steer this fake, and no page of another origin may")


def _check_host(request: Request) -> None:
    """A name that leads here and stands for another machine is how a page gets round its origin: DNS rebinding."""
    host = request.headers.get("host", "")
    if not is_this_machine(_name(host)):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            f"The host {shown(host)} is not this machine: call it 127.0.0.1 or localhost, or set a token",
        )


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
