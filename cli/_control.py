"""Control over HTTP of `serve`: on for this machine, for others with a token or under a name that is allowed."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.cli._unusable import Unusable
from safelight.mockserver.control.control import Control
from safelight.mockserver.transports.server import CannotListen, listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Mapping

#: Where control listens that has a port of its own.
_HOME: Final = "127.0.0.1"


class Controlled(NamedTuple):
    """What control there is, and the socket of its own port, if it has one."""

    control: Control | None
    bound: socket.socket | None = None

    @property
    def url(self) -> str:
        """Where it is controlled, if that is at a port of its own."""
        return f"http://{_HOME}:{self.control.port}/_safelight" if self.control and self.bound else ""


def control_of(bound: socket.socket, values: Mapping[str, Any]) -> Controlled:
    """The control that the settings ask for, of a server on this socket, or `Unusable`."""
    token, port = values["control_token"], values["control_port"]
    hosts, origins = values["control_host"] or (), _as_browsers_say(values["control_origin"] or ())
    is_at_home = ip_address(bound.getsockname()[0].partition("%")[0]).is_loopback
    if not values["control"] or (port is None and token is None and not hosts and not is_at_home):
        return Controlled(None)
    if port is None:
        return Controlled(Control(token, None, hosts, origins, page=values["page"]))
    try:
        own = listen(_HOME, port)
    except CannotListen as error:
        raise Unusable(f"--control-port: {error}") from None
    return Controlled(Control(token, own.getsockname()[1], hosts, origins, page=values["page"]), own)


def _as_browsers_say(origins: Iterable[str]) -> frozenset[str]:
    """The origins in lower case, and without a port that goes without saying."""
    usual = {"http": ":80", "https": ":443"}
    return frozenset(one.removesuffix(usual[one.partition(":")[0]]) for one in map(str.lower, origins))
