"""Who may control a fake: programs on this machine, or whoever has the token; no page that another site served.

Names of hosts and origins of pages can be allowed beside these.
"""

import hmac
from collections.abc import Collection, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from safelight.contracts.wording import shown
from safelight.mockserver.model.addresses import is_this_machine
from safelight.mockserver.model.messages import Refused, Reply, Request

#: The header that brings the token.
TOKEN: Final = "x-safelight-token"  # noqa: S105 - its name
#: The header that brings the fingerprint of a session, of which the sender has no key.
SESSION: Final = "x-safelight-session"
#: What browsers say of requests that no other site's page has made.
_OWN: Final = frozenset({"same-origin", "none"})
#: What they say of a request with which somebody goes to a page: it fills a window, and is in no frame.
_VISIT: Final[Mapping[str, str]] = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
#: What a page of an allowed origin may send and read: everything. A browser takes `*` for all headers but one.
_READABLE: Final[Mapping[str, str]] = {"vary": "origin", "access-control-expose-headers": "*"}
_SENDABLE: Final[Mapping[str, str]] = {
    "access-control-allow-methods": "*",
    "access-control-allow-headers": "*, authorization",
}


def check_access(
    request: Request, token: str | None, hosts: Collection[str] = (), origins: Collection[str] = ()
) -> None:
    """Raises `Refused` where the request may not control the fake; with a token, each has to bring it."""
    check_sender(request, token, hosts, origins)
    if token is None:
        return
    if TOKEN not in request.headers:
        raise Refused(
            HTTPStatus.UNAUTHORIZED, f"No token was sent: this fake is controlled with one, as header {TOKEN}"
        )
    if not hmac.compare_digest(request.headers[TOKEN].encode(), token.encode()):
        raise Refused(HTTPStatus.UNAUTHORIZED, f"The token in {TOKEN} is not the one of this fake")


def preflight(request: Request, origins: Collection[str]) -> Reply | None:
    """The answer to a browser that asks whether a page of an allowed origin may send a request."""
    asks = request.method == "OPTIONS" and "access-control-request-method" in request.headers
    return Reply(HTTPStatus.OK, b"", "text/plain", _SENDABLE) if asks and _is_allowed(request, origins) else None


def readable(reply: Reply, request: Request, origins: Collection[str]) -> Reply:
    """The reply, as a page of an allowed origin may read it."""
    if not _is_allowed(request, origins):
        return reply
    allowed = {"access-control-allow-origin": request.headers["origin"], **_READABLE}
    return reply._replace(headers={**reply.headers, **allowed})


def _is_allowed(request: Request, origins: Collection[str]) -> bool:
    return request.headers.get("origin") in origins


def check_visitor(
    request: Request, token: str | None, hosts: Collection[str] = (), origins: Collection[str] = ()
) -> None:
    """Raises `Refused` where the request may not see the page. It holds nothing: a link on any site may lead to it.

    The site that has the link can neither read nor frame what comes, and gets no hold of its window.
    """
    if not _is_visit(request):
        check_sender(request, token, hosts, origins)
    elif token is None:
        _check_host(request, hosts)


def _is_visit(request: Request) -> bool:
    sent = request.headers
    return request.method == "GET" and "origin" not in sent and all(sent.get(name) == _VISIT[name] for name in _VISIT)


def check_sender(request: Request, token: str | None, hosts: Collection[str], origins: Collection[str]) -> None:
    """Raises `Refused` for a page of another site; where no token is wanted, for a host that is not this one too."""
    _check_origin(request, origins)
    if token is None:
        _check_host(request, hosts)


def _check_origin(request: Request, origins: Collection[str]) -> None:
    """A browser says where a page comes from that makes a request: in every POST, PUT and DELETE at least."""
    if _is_allowed(request, origins):
        return
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
    if site not in _OWN or (origin is not None and origin not in _own_origins(request)):
        where = "A page of another site" if origin is None else f"A page of {shown(origin)}"
        raise Refused(
            HTTPStatus.FORBIDDEN,
            f"{where} wants to control this fake, and no page of another origin may, unless --control-origin allows it",
        )


def _own_origins(request: Request) -> Collection[str]:
    """What a browser calls the origin of the page: as the fake was called, or as its public URL says."""
    public = urlsplit(request.origin)
    return f"{public.scheme}://{public.netloc}", f"http://{request.headers.get('host', '')}"


def _check_host(request: Request, hosts: Collection[str]) -> None:
    """A name that leads here and stands for another machine is how a page gets round its origin: DNS rebinding."""
    host, name = request.headers.get("host", ""), ""
    with suppress(ValueError):
        name = urlsplit(f"//{host}").hostname or ""
    if not is_this_machine(name) and name.rstrip(".").casefold() not in hosts:
        raise Refused(
            HTTPStatus.FORBIDDEN,
            f"The host {shown(host)} is not this machine: call it 127.0.0.1 or localhost, "
            "allow the name with --control-host, or set a token",
        )
