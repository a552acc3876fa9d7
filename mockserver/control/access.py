"""Who may control a fake: programs on this machine, or whoever has the token; no page that another site served."""

import hmac
from contextlib import suppress
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from safelight.contracts.wording import shown
from safelight.mockserver.model.addresses import is_this_machine
from safelight.mockserver.model.messages import Refused, Request

#: The header that brings the token.
TOKEN: Final = "x-safelight-token"  # noqa: S105 - its name
#: The header that brings the fingerprint of a session, of which the sender has no key.
SESSION: Final = "x-safelight-session"
#: What browsers say of requests that no other site's page has made.
_OWN: Final = frozenset({"same-origin", "none"})


def check_access(request: Request, token: str | None) -> None:
    """Raises `Refused` where the request may not control the fake; with a token, each has to bring it."""
    check_sender(request, token)
    if token is None:
        return
    if TOKEN not in request.headers:
        raise Refused(
            HTTPStatus.UNAUTHORIZED, f"No token was sent: this fake is controlled with one, as header {TOKEN}"
        )
    if not hmac.compare_digest(request.headers[TOKEN].encode(), token.encode()):
        raise Refused(HTTPStatus.UNAUTHORIZED, f"The token in {TOKEN} is not the one of this fake")


def check_sender(request: Request, token: str | None) -> None:
    """Raises `Refused` for a page of another site; where no token is wanted, for a host that is not this one too."""
    _check_origin(request)
    if token is None:
        _check_host(request)


def _check_origin(request: Request) -> None:
    """A browser says where a page comes from that makes a request: in every POST, PUT and DELETE at least."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
    if site not in _OWN or (origin is not None and origin != request.origin):
        where = "A page of another site" if origin is None else f"A page of {shown(origin)}"
        raise Refused(HTTPStatus.FORBIDDEN, f"{where} wants to steer this fake, and no page of another origin may")


def _check_host(request: Request) -> None:
    """A name that leads here and stands for another machine is how a page gets round its origin: DNS rebinding."""
    host, name = request.headers.get("host", ""), ""
    with suppress(ValueError):
        name = urlsplit(f"//{host}").hostname or ""
    if not is_this_machine(name):
        raise Refused(
            HTTPStatus.FORBIDDEN,
            f"The host {shown(host)} is not this machine: call it 127.0.0.1 or localhost, or set a token",
        )
