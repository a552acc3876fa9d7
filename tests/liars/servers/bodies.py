"""Defects about bodies that are no JSON object."""

import json
import re
from contextlib import suppress
from typing import Any

from liars.servers.changes import CRASH, document, is_submit, valid
from liars.servers.server import BadServer, defect
from safelight.mockserver.model.messages import Reply, Request


def _is_posted(request: Request) -> bool:
    return request.method == "POST" and is_submit(request)


def _parsed(request: Request) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(request.body or b"")
    return None


@defect("S34")
def accepts_half_a_document(server: BadServer, request: Request) -> Reply:
    """Takes JSON whose end is missing."""
    body = (request.body or b"").strip()
    is_half = _is_posted(request) and body[:1] == b"{" and _parsed(request) is None
    return server.ask(valid(request) if is_half else request)


@defect("S34")
def accepts_what_is_no_json(server: BadServer, request: Request) -> Reply:
    """Takes a body that is a plain text or a form."""
    body = (request.body or b"").strip()
    is_text = _is_posted(request) and body[:1] not in (b"", b"{", b"[") and _parsed(request) is None
    return server.ask(valid(request) if is_text else request)


@defect("S34")
def accepts_a_list_of_requests(server: BadServer, request: Request) -> Reply:
    """Takes an array in the place of the object."""
    return server.ask(valid(request) if _is_posted(request) and isinstance(_parsed(request), list) else request)


@defect("S34")
def accepts_nan(server: BadServer, request: Request) -> Reply:
    """Takes NaN and Infinity for numbers."""
    has_nan = _is_posted(request) and re.search(rb":\s*-?(NaN|Infinity)\b", request.body or b"")
    return server.ask(valid(request) if has_nan and document(request) else request)


@defect("S34")
def accepts_a_name_twice(server: BadServer, request: Request) -> Reply:
    """Takes the last of two members of one name."""
    if not _is_posted(request) or not document(request):
        return server.ask(request)
    body = request.body or b""
    has_two = json.loads(body, object_pairs_hook=len) > len(document(request))
    return server.ask(request._replace(body=json.dumps(document(request)).encode()) if has_two else request)


@defect("S34")
def accepts_10_mb(server: BadServer, request: Request) -> Reply:
    """Takes a body of any length."""
    return server.ask(valid(request) if _is_posted(request) and request.body is None else request)


@defect("S34", "S14")
def crashes_on_a_deep_document(server: BadServer, request: Request) -> Reply:
    """Answers arrays or objects within each other, 90 deep, with 500."""
    is_deep = max((request.body or b"").count(bracket) for bracket in (b"[", b"{")) > 90
    return CRASH if is_deep else server.ask(request)


@defect("S34", "S14")
def crashes_on_another_content_type(server: BadServer, request: Request) -> Reply:
    """Answers a body with another content type than JSON with 500."""
    kind = request.headers.get("content-type", "")
    return CRASH if _is_posted(request) and "json" not in kind else server.ask(request)


@defect("S34", "S14")
def crashes_on_an_empty_body(server: BadServer, request: Request) -> Reply:
    """Answers a submit without a body with 500."""
    is_empty = _is_posted(request) and request.body == b"" and request.headers.get("x-api-key")
    return CRASH if is_empty else server.ask(request)
