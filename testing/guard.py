"""The guard: while it is up, HTTP libraries connect to this machine alone, so that no test reaches a real service."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from safelight.mockserver.model.addresses import is_this_machine, without_proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator


@dataclass(eq=False)
class NotThisMachine(AssertionError):
    """A client is about to connect to another machine."""

    host: str

    def __str__(self) -> str:
        return (
            f"the client wants to connect to {self.host}, which is not this machine: a test that uses the fixture "
            f"safelight stays on it. Give the client safelight.url, mock {self.host}, or allow it with "
            f"--safelight-allow={self.host}"
        )


def _second(_: Any, host: Any, *__: Any, **___: Any) -> Any:
    return host


def _of_address(address: Any, *_: Any, **__: Any) -> Any:
    return address[0]


def _of_origin(_: Any, origin: Any, *__: Any, **___: Any) -> Any:
    return origin.host


def _of_request(_: Any, request: Any, *__: Any, **___: Any) -> Any:
    return request.url.host


def _of_connection(connection: Any, *_: Any, **__: Any) -> Any:
    return getattr(connection, "_tunnel_host", None) or connection.host


#: What httpx and httpx2 are built on, and their proxies.
_CORES: Final = ("httpcore", "httpcore2")
_PROXIES: Final = ("HTTPProxy", "AsyncHTTPProxy", "SOCKSProxy", "AsyncSOCKSProxy")

#: Where libraries connect, below whatever mocks of them replace: module, attribute, and how to tell the host from
#: what it is called with. httpx (and httpx2), requests (urllib3), aiohttp, urllib; and where they ask a proxy for a
#: host, since a proxy on this machine is the way to others.
_PLACES: Final[tuple[tuple[str, str, Callable[..., Any]], ...]] = (
    *((core, f"{kind}Backend.connect_tcp", _second) for core in _CORES for kind in ("Sync", "AnyIO", "Trio")),
    *((core, f"{kind}.create_connection", _of_origin) for core in _CORES for kind in _PROXIES),
    ("aiohttp.connector", "TCPConnector._create_connection", _of_request),
    ("urllib3.poolmanager", "ProxyManager.connection_from_host", _second),
    ("urllib.request", "Request.set_proxy", _of_connection),
    ("urllib3.util.connection", "create_connection", _of_address),
    ("http.client", "HTTPConnection.connect", _of_connection),
)

#: Hosts that are allowed, as often as somebody allows them; how many guards are up; what they replaced.
_ALLOWED: Final[Counter[str]] = Counter()
_REPLACED: Final[list[tuple[Any, str, Any]]] = []
_CHANGING: Final = Lock()

#: Variables of the environment that a guard sets, and what stood there.
_ENVIRONMENT: Final[dict[str, str | None]] = {}
_up = 0


@contextmanager
def guard(allowed: Collection[str] = ()) -> Iterator[None]:
    """While the block runs, no connection leaves this machine, but to the hosts `allowed`. Blocks may be nested."""
    global _up  # noqa: PLW0603 - the libraries are there once
    names = [name.casefold() for name in allowed]
    with _CHANGING:
        _ALLOWED.update(names)
        _up += 1
        if _up == 1:
            _install()
    try:
        yield
    finally:
        with _CHANGING:
            _ALLOWED.subtract(names)
            _up -= 1
            if not _up:
                _uninstall()


@cache
def places() -> list[tuple[Any, str, Callable[..., Any]]]:
    """The places of the libraries that are installed: who has the function, its name, and how to tell the host."""
    found = []
    for module, path, host_of in _PLACES:
        if find_spec(module.partition(".")[0]):
            *classes, name = path.split(".")
            owner: Any = import_module(module)
            for part in classes:
                owner = getattr(owner, part, None)
            if hasattr(owner, name):  # without trio, its backend has nothing; without socksio, there is none
                found.append((owner, name, host_of))
    return found


def _install() -> None:
    for name, hosts in without_proxy(os.environ).items():
        _ENVIRONMENT[name] = os.environ.get(name)
        os.environ[name] = hosts
    for owner, name, host_of in places():
        real = getattr(owner, name)
        _REPLACED.append((owner, name, real))
        setattr(owner, name, _guarded(real, host_of))


def _uninstall() -> None:
    while _ENVIRONMENT:
        name, before = _ENVIRONMENT.popitem()
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before
    while _REPLACED:
        owner, name, real = _REPLACED.pop()
        setattr(owner, name, real)


def _guarded(real: Callable[..., Any], host_of: Callable[..., Any]) -> Callable[..., Any]:
    def connect(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        host = host_of(*args, **kwargs)
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        if not is_this_machine(name) and _ALLOWED[name.casefold()] < 1:
            raise NotThisMachine(name)
        return real(*args, **kwargs)

    return connect
