"""The second origin at which the fake answers: the other name of this machine, and a prefix of paths.

Redirects and results lead there, so that the fake sees clients that send their key along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from safelight.contracts import Advice, Provenance
from safelight.traffic.exchange import SECOND_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from safelight.mockserver.model.messages import Request

#: The name of a host -> that of the other one. Whoever came by another name stands on this machine, or goes nowhere.
_OTHER_HOSTS: Final = {"localhost": "127.0.0.1", "127.0.0.1": "localhost", "::1": "localhost"}

_LEAKED: Final = Advice("", "the key was sent to another origin, where a redirect had led", Provenance.ASSUMED)


def at_second_origin(url: str, origin: str = "") -> str:
    """The same target at the second origin. The first one may end with a path, which is that of its public URL."""
    parts, begin = urlsplit(url), urlsplit(origin).path
    host = _OTHER_HOSTS.get(parts.hostname or "", "localhost")
    path = parts.path.removeprefix(begin)
    path = begin + (path if path.startswith(f"{SECOND_ORIGIN}/") else SECOND_ORIGIN + path)
    return parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host, path=path).geturl()


def at_first_origin(request: Request) -> Request:
    """The request as it would be at the first origin."""
    if not request.path.startswith(f"{SECOND_ORIGIN}/"):
        return request
    return request._replace(path=request.path.removeprefix(SECOND_ORIGIN))


def advice(request: Request, key: str) -> Sequence[Advice]:
    """Advice where a key was sent to the second origin."""
    return [_LEAKED] if request.path.startswith(f"{SECOND_ORIGIN}/") and key else ()
