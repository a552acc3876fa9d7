"""Where a server is: the URL of its entry point, read once."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, urlsplit

from safelight.contracts.wording import echoed


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry point of a server."""

    #: As it was given.
    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """It is on this machine."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """The host is this machine, by its name or address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


_PORTS: Final = {"http": 80, "https": 443}


def entry(url: str) -> Entry:
    """The entry point that a URL names. Raises `ValueError` with a sentence."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{echoed(url)} is no URL: {error}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{echoed(url)} is no URL of a server: write all of it, https://HOST/v1/index.php")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL holds a user or a password: leave it out, the key comes from SAFELIGHT_API_KEY")
    if parts.query or parts.fragment:
        raise ValueError(f"{echoed(url)} has a query: the URL ends with the path, the checks add ?endpoint=...")
    if any(not sign.isprintable() or sign.isspace() for sign in url):
        raise ValueError(f"{echoed(url)} is no URL: it holds a blank or a control character")
    if port == 0:
        raise ValueError(f"{echoed(url)} is no URL: no server is at port 0")
    try:
        host = parts.hostname.encode("idna" if not parts.hostname.isascii() else "ascii").decode()
    except UnicodeError:
        raise ValueError(f"{echoed(url)} is no URL: its host is none") from None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    return Entry(url, parts.scheme, host, port or _PORTS[parts.scheme], path)
