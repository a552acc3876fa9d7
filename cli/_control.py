"""Control over HTTP as options of `serve`: on for this machine, for others with a token."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from safelight.cli._unusable import Unusable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from safelight.mockserver.control.control import Control

_PORT: Final = click.IntRange(0, 65535)

#: Where control listens that has a port of its own.
_HOME: Final = "127.0.0.1"


def _token(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"[!-~]{1,200}", text):
        raise click.BadParameter("a token is 1 to 200 visible ASCII characters, as it has to fit into a header")
    return text


_OPTIONS: Final = (
    click.option("--no-control", is_flag=True, help="Nobody steers it over HTTP, under /_safelight/."),
    click.option(
        "--control-token",
        metavar="TEXT",
        envvar="SAFELIGHT_CONTROL_TOKEN",
        callback=_token,
        help="Whoever steers it has to send this; other machines may then.",
    ),
    click.option("--control-port", type=_PORT, metavar="PORT", help="Steer it at this port alone, from this machine."),
)


def control_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the settings of control."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


class Controlled(NamedTuple):
    """What control there is, and the socket of its own port, if it has one."""

    control: Control | None
    bound: socket.socket | None = None

    @property
    def url(self) -> str:
        """Where it is controlled, if that is at a port of its own."""
        return f"http://{_HOME}:{self.control.port}/_safelight" if self.control and self.bound else ""


def control_of(bound: socket.socket, options: Mapping[str, Any]) -> Controlled:
    """The control that the options ask for, of a server on this socket, or `Unusable`."""
    from safelight.mockserver.control.control import Control
    from safelight.mockserver.transports.server import CannotListen, listen

    token, port = options["control_token"], options["control_port"]
    is_at_home = ip_address(bound.getsockname()[0].partition("%")[0]).is_loopback
    if options["no_control"] or (port is None and token is None and not is_at_home):
        return Controlled(None)
    if port is None:
        return Controlled(Control(token))
    try:
        own = listen(_HOME, port)
    except CannotListen as error:
        raise Unusable(f"--control-port: {error}") from None
    return Controlled(Control(token, own.getsockname()[1]), own)
