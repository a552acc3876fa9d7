"""Which addresses are those of this machine, and how HTTP clients are told to ask no proxy for them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The names of this machine under which the fake is reached. A proxy knows no way to it.
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

#: Where libraries look which hosts need no proxy: some in the first alone, some in the second, most in both.
_NO_PROXY: Final = ("no_proxy", "NO_PROXY")

#: What npm hands to its scripts, which axios and others read before the usual ones.
_OF_NPM: Final = ("npm_config_noproxy", "npm_config_no_proxy")


def is_this_machine(host: str) -> bool:
    """A loopback address, or a name that stands for one."""
    name = host.strip("[]").rstrip(".").casefold()
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_unspecified  # which connects to this machine too


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables with which HTTP clients ask no proxy for this machine; hosts that have none already stay so."""
    lower, upper = _NO_PROXY
    stated = {
        lower: environment.get(lower, environment.get(upper, "")),
        upper: environment.get(upper, environment.get(lower, "")),
        **{name: value for name, value in environment.items() if name.lower() in _OF_NPM},
    }
    return {name: _with_loopback(hosts) for name, hosts in stated.items()}


def _with_loopback(hosts: str) -> str:
    """A list of hosts with this machine; `*`, which is all of them, has to stand alone."""
    known = [host.strip() for host in hosts.split(",") if host.strip()]
    return hosts if "*" in known else ",".join([*known, *(host for host in _LOOPBACK if host not in known)])
