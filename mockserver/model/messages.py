"""A request and a reply as values: what every transport hands to the core, and gets back from it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from math import floor
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl

from safelight.contracts.compact import compact
from safelight.contracts.schemas import VERSION, VERSION_HEADER
from safelight.mockserver.model.clock import machine_date

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from safelight.mockserver.model.wire import Wire

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

#: What each reply says: which version of the contract it keeps.
HEADERS: Final[Mapping[str, str]] = MappingProxyType({VERSION_HEADER: VERSION})


class Request(NamedTuple):
    """One request as it came in. A tuple, because one is made for every request."""

    method: str
    #: As on the wire, percent-encoding included.
    path: str
    #: What stands behind the `?`, undecoded.
    query: str = ""
    #: Names in lower case.
    headers: Mapping[str, str] = _NO_HEADERS
    #: None: larger than the transport lets in, and not read.
    body: bytes | None = b""
    #: Scheme and authority by which the client reached us, or the public URL: what absolute URLs start with.
    origin: str = "http://localhost"


@lru_cache(256)
def parameters(query: str) -> Mapping[str, str]:
    """The parameters of a query; the last of a name counts, as in PHP. Kept, as a client asks the same each time."""
    if _PLAIN_QUERY.fullmatch(query):
        return dict([part.split("=") for part in query.split("&")])
    return dict(parse_qsl(query, keep_blank_values=True))


#: A query in which nothing is encoded or left out.
_PLAIN_QUERY: Final = re.compile(r"[\w.~-]+=[\w.~-]*(?:&[\w.~-]+=[\w.~-]*)*", re.ASCII)


class Reply(NamedTuple):
    """One reply as it goes out. The transport adds Content-Length. A tuple, as above."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = HEADERS
    #: What happens below HTTP instead.
    wire: Wire | None = None
    #: What it answers, where a fault has to know.
    request: Request | None = None
    #: When it is sent, in seconds since the epoch, as its client reads the date; None: as this process does.
    date: float | None = None
    #: To be called when it is on its way to a client that is there, or what is done instead.
    on_delivery: Callable[[], object] | None = None
    #: To be called with the number of bytes that were sent, once no more will be: of what happens below HTTP.
    on_end: Callable[[int], object] | None = None

    def end(self, sent: int) -> None:
        """Say that so many bytes were sent, and no more will be."""
        if self.on_end:
            self.on_end(sent)

    @property
    def all_headers(self) -> Mapping[str, str]:
        """What it says of itself, in the order in which it is sent."""
        always = {"date": http_date(self.date), "cache-control": "no-store"}
        return {**always, **self.headers, "content-type": self.media_type}

    def deliver(self) -> None:
        """Say that it is on its way."""
        if self.on_delivery:
            self.on_delivery()


class Stream(NamedTuple):
    """A reply whose body comes in pieces, one after another: what it is but for its body, and the pieces."""

    head: Reply
    pieces: AsyncGenerator[bytes, None]


def http_date(seconds: float | None) -> str:
    """A date as headers have it; None: now."""
    return _http_date(floor(machine_date() if seconds is None else seconds))


@lru_cache(16)
def _http_date(seconds: int) -> str:
    """Kept, as many answers go out within a second."""
    return formatdate(seconds, usegmt=True)


def success(data: Mapping[str, Any], date: float | None = None) -> Reply:
    """The envelope of a success around its data, at this date. By position, as one is made for most requests."""
    body = b'{"success":true,"data":%b,"error":null}' % compact(data).encode()
    return Reply(200, body, "application/json", HEADERS, None, None, date)


def failure(status: int, message: str, headers: Mapping[str, str] | None = None) -> Reply:
    """The envelope of an error around its message."""
    envelope = {"success": False, "data": None, "error": {"message": message}}
    return Reply(status, encoded(envelope), headers={**HEADERS, **headers} if headers else HEADERS)


def in_dialect(reply: Reply, errors: str) -> Reply:
    """The reply with its error as this dialect writes it. What is no envelope of an error stays as it is."""
    rewrite = _ERRORS.get(errors)
    if rewrite is None or reply.media_type != "application/json" or not reply.body.startswith(_NO_SUCCESS):
        return reply
    try:
        message = json.loads(reply.body)["error"]["message"]
    except (ValueError, TypeError, KeyError, RecursionError):  # it was garbled, or is in this dialect already
        return reply
    return reply._replace(body=encoded({"success": False, "data": None, **rewrite(message)}))


#: How the envelope of an error begins, whatever its status.
_NO_SUCCESS: Final = b'{"success":false,'

#: Dialect -> what an error has beside `success` and `data`. Another one is as published.
_ERRORS: Final[Mapping[str, Callable[[str], Mapping[str, Any]]]] = {
    "string": lambda message: {"error": message},
    "message": lambda message: {"message": message},
}


def encoded(envelope: Mapping[str, Any]) -> bytes:
    """An envelope as it goes out."""
    return compact(envelope).encode()


#: What a service answers that failed in the middle.
CRASHED: Final = failure(500, "Internal error")


@dataclass(eq=False)
class Refused(Exception):
    """The request is answered with an error, and nothing has happened."""

    status: int
    message: str
    headers: Mapping[str, str] | None = None
    #: The task of the request, where it named one.
    task_id: str | None = None

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"
