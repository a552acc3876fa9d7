"""What is answered before a server reads on: the head of a request as it takes it, and its answer as one text."""

from __future__ import annotations

from functools import lru_cache
from http.client import responses
from typing import TYPE_CHECKING, Final, NamedTuple

from safelight.mockserver.model.messages import HEADERS, Reply, http_date

if TYPE_CHECKING:
    from collections.abc import Sequence


class Head(NamedTuple):
    """What a server reads of a request before its body."""

    method: str
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]
    scheme: str
    #: Host and port at which it came in.
    server: tuple[str, int | None] | None


_JSON: Final = "application/json"


def plain(reply: Reply) -> bytes | None:
    """An answer as it stands on the wire, where that is what most are: JSON, and no headers but those of all."""
    if reply.wire or reply.headers is not HEADERS or reply.media_type != _JSON:
        return None
    return b"%s%d\r\n\r\n%s" % (_head(reply.status, http_date(reply.date)), len(reply.body), reply.body)


@lru_cache(64)
def _head(status: int, date: str) -> bytes:
    """All up to the length of the body. Kept, as many answers go out within a second."""
    named = {**Reply(status, b"", date=0).all_headers, "date": date}
    lines = [f"HTTP/1.1 {status} {responses.get(status, '')}", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "content-length: "]).encode("latin-1")
