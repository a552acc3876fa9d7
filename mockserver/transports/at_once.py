"""What is answered before a server reads on: the head of a request as it takes it, and its answer as one text.

A client sends the same lines of headers with each request. Those that the parser has read once are known, byte for
byte: of a request with such lines only the first is read, and the parser does not see it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from http.client import responses
from typing import TYPE_CHECKING, Final, NamedTuple

from safelight.mockserver.model.messages import HEADERS, Reply, http_date

if TYPE_CHECKING:
    from collections.abc import Mapping


class Head(NamedTuple):
    """What a server reads of a request before its body."""

    method: str
    target: bytes
    headers: Mapping[str, str]
    scheme: str
    #: Host and port at which it came in.
    server: tuple[str, int | None] | None


class Seen(NamedTuple):
    """A request that came in one piece, as far as it differs from connection to connection in nothing."""

    method: str
    target: bytes
    headers: Mapping[str, str]
    body: bytes


#: Lines of headers that are known, and bytes of a head that is looked at.
_MAX_KNOWN: Final = 256
_MAX_HEAD_BYTES: Final = 4_000

#: The first line of a request, and where its headers end.
_FIRST_LINE: Final = re.compile(rb"(GET|POST) (/[!\"$-~]*) HTTP/1\.1\r\n")
_END: Final = b"\r\n\r\n"


class KnownHeaders:
    """Lines of headers as they were sent -> what the parser read in them."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Mapping[str, str], int]] = {}

    def find(self, data: bytes) -> Seen | None:
        """The request that the data is, no less and no more, where its headers are known."""
        first, end = _FIRST_LINE.match(data), data.find(_END, 0, _MAX_HEAD_BYTES)
        known = self._known.get(data[first.end() : end]) if first else None
        if not first or known is None or end + len(_END) + known[1] != len(data):
            return None
        method, target = first.groups()
        return Seen(_METHODS[method], target, known[0], data[end + len(_END) :])

    def learn(self, data: bytes, headers: Mapping[str, str], body: bytes) -> None:
        """Know the headers of a request that was answered at once, where the data is that request and no more."""
        first, end = _FIRST_LINE.match(data), data.find(_END, 0, _MAX_HEAD_BYTES)
        if first and first.end() < end and data[end + len(_END) :] == body:
            if len(self._known) >= _MAX_KNOWN:
                self._known.pop(next(iter(self._known)))
            self._known[data[first.end() : end]] = headers, len(body)


_METHODS: Final = {b"GET": "GET", b"POST": "POST"}


_JSON: Final = "application/json"


def plain(reply: Reply, *, varies: bool = False) -> bytes | None:
    """An answer as it stands on the wire, where that is what most are: JSON, and no headers but those of all.

    With `varies` a page of another origin would get another one, as with `EnvelopeCORS`.
    """
    if reply.wire or reply.headers is not HEADERS or reply.media_type != _JSON:
        return None
    head, end = _head(reply.status, http_date(reply.date)), _VARIES if varies else _END
    return b"%s%d%s%s" % (head, len(reply.body), end, reply.body)


#: The last header of an answer, and the end of all.
_VARIES: Final = b"\r\nvary: Origin" + _END


@lru_cache(64)
def _head(status: int, date: str) -> bytes:
    """All up to the length of the body. Kept, as many answers go out within a second."""
    named = {**Reply(status, b"", date=0).all_headers, "date": date}
    lines = [f"HTTP/1.1 {status} {responses.get(status, '')}", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "content-length: "]).encode("latin-1")
