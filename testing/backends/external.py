"""A server of the user's own in the place of the fake: `--safelight-url`. It has a URL and a key, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self
from urllib.parse import urlsplit

import pytest

from safelight.contracts.wording import listed, printable, shown
from safelight.mockserver.model.addresses import is_this_machine
from safelight.mockserver.model.keys import FAKE_KEY, FORM
from safelight.traffic.expectations import JUDGED

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The environment variable that has the key.
KEY_VARIABLE: Final = "SAFELIGHT_API_KEY"

#: Options of a marker that ask no server for anything.
HARMLESS: Final = frozenset({"virtual_time", *JUDGED})


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is, and the key for it."""

    url: str = field(repr=False)
    api_key: str = field(repr=False)
    #: Its name or address.
    host: str

    def __str__(self) -> str:
        """Without what a URL may hold beside the place: people write keys and passwords there."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{printable(parts.path)}"


def server_at(url: str, environment: Mapping[str, str]) -> Server:
    """The server that a URL means. Raises `ValueError` with a sentence."""
    host = _host_of(url)
    if not host:
        raise ValueError(f"{shown(url)} is no URL of a server: give http://127.0.0.1:8123/v1/index.php")
    key = environment.get(KEY_VARIABLE, FAKE_KEY if is_this_machine(host) else "")
    key = key.strip()
    if not key:
        raise ValueError(f"{host} wants a key: set {KEY_VARIABLE}")
    if not FORM.fullmatch(key):
        raise ValueError(f"{KEY_VARIABLE} holds no key: a header carries 1 to 200 visible ASCII characters")
    return Server(url, key, host)


def _host_of(url: str) -> str:
    """The host of an HTTP URL, or nothing."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # or it says that this is none
    except ValueError:
        return ""
    return parts.hostname or "" if parts.scheme in {"http", "https"} else ""


class ExternalBackend:
    """A server of the user's own. A test that asks for more than `url` and `api_key` is skipped, and says what for."""

    is_fake = False

    def __init__(self, server: Server) -> None:
        self.url, self.api_key = server.url, server.api_key
        self._server = server

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to end."""

    def failure(self) -> str:
        """Nothing: virtual time is the fake's."""
        return ""

    slowness = failure

    def fake(self, member: str) -> NoReturn:
        """Skip the test."""
        __tracebackhide__ = True
        not_here(f"safelight.{member}", self._server)

    in_process = fake


def skip_what_needs_the_fake(options: Mapping[str, Any], server: Server) -> None:
    """Skip a test whose markers ask for what only the fake can do."""
    powers = [name for name in options if name not in HARMLESS]
    if powers:
        not_here(listed(powers), server)


def not_here(what: str, server: Server) -> NoReturn:
    """Skip a test that asks for what only the fake can do."""
    __tracebackhide__ = True
    sentence = f"{what}: only the fake can do that, and this run is against {server}"
    raise pytest.skip.Exception(sentence, _use_item_location=True)  # the test is left out, and not this line
