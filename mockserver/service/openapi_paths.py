"""A path for each operation beside the real entry points, and the OpenAPI documents: for tools that need both."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Final

from safelight.contracts.dialects import PATHS
from safelight.contracts.openapi import openapi
from safelight.mockserver.model.messages import HEADERS, Refused, Reply, Request
from safelight.mockserver.operations import operations

if TYPE_CHECKING:
    from safelight.mockserver.operations import Call
    from safelight.mockserver.service.service import Service

_PREFIX: Final = "/v1/"

#: Path -> does each operation have a path in the document that is served there?
DOCUMENTS: Final = {"/openapi.json": True, "/openapi.one-path.json": False}


def published(request: Request) -> Request:
    """The request as the service would get it: with the operation of its path in the query, where the last counts."""
    name = request.path.removeprefix(_PREFIX)
    if _PREFIX + name != request.path or name not in operations():
        return request
    return request._replace(path=PATHS["published"], query=f"{request.query}&endpoint={name}")


def describe(service: Service, call: Call) -> None:
    """Stage: reply with one of the `DOCUMENTS`."""
    request = call.home
    if request.method not in ("GET", "HEAD"):
        raise Refused(405, "Method not allowed: a document takes GET or HEAD", {"allow": "GET, HEAD"})
    call.reply = Reply(200, _text(service.public_url or "/", paths=DOCUMENTS[request.path]), headers=HEADERS)


@cache
def _text(server: str, *, paths: bool) -> bytes:
    return json.dumps(openapi(paths=paths, server=server), ensure_ascii=False).encode()
