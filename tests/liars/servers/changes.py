"""Requests and replies with something in them changed: what defects are made of."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from safelight.contracts.operations import operations
from safelight.mockserver.model.messages import Reply, Request, encoded, failure, parameters

#: In the place of a value: the member is left out.
GONE: Final = object()

#: The cheapest request that is valid, for a defect that takes one that is not.
VALID: Final = {"prompt": "a lamp"}

PNG: Final = "image/png"


def endpoint(request: Request) -> str:
    """The operation that a request names."""
    return parameters(request.query).get("endpoint", "")


def is_submit(request: Request) -> bool:
    """It is for an operation that is paid for, and may be refused."""
    return endpoint(request) in operations() and operations()[endpoint(request)].is_submit


def task_id(request: Request) -> str:
    """The id that a poll asks for."""
    return parameters(request.query).get("task_id", "")


def is_poll(request: Request) -> bool:
    """It asks for the state of a task."""
    return endpoint(request) == "task_status"


def with_query(request: Request, **changes: Any) -> Request:
    """The request with other parameters in its query."""
    kept = [(name, value) for name, value in parse_qsl(request.query, keep_blank_values=True) if name not in changes]
    added = [(name, value) for name, value in changes.items() if value is not GONE]
    return request._replace(query=urlencode([*kept, *added]))


def with_header(request: Request, **changes: Any) -> Request:
    """The request with other headers, named with _ for -."""
    return request._replace(headers=_changed(request.headers, {n.replace("_", "-"): v for n, v in changes.items()}))


def document(request: Request) -> dict[str, Any]:
    """The parameters in the body of a submit; none where it is no JSON object."""
    try:
        found = json.loads(request.body or b"")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def with_document(request: Request, **changes: Any) -> Request:
    """The request with other parameters in its body."""
    return request._replace(body=json.dumps(_changed(document(request), changes)).encode())


def valid(request: Request) -> Request:
    """The request with a body that is valid, in the place of one that cannot be read."""
    return request._replace(body=json.dumps(VALID).encode())


def data(reply: Reply) -> dict[str, Any]:
    """The data of a success; empty where it is none."""
    if reply.media_type != "application/json" or reply.status != 200:
        return {}
    return json.loads(reply.body).get("data") or {}


def with_data(reply: Reply, **changes: Any) -> Reply:
    """A success with other data; an error stays as it is."""
    found = data(reply)
    return with_body(reply, data=_changed(found, changes)) if found else reply


def with_body(reply: Reply, **changes: Any) -> Reply:
    """The reply with other members in its envelope."""
    return reply._replace(body=encoded(_changed(json.loads(reply.body), changes)))


def with_reply_header(reply: Reply, name: str, value: str) -> Reply:
    """The reply with one more header."""
    return reply._replace(headers={**reply.headers, name: value})


def message(reply: Reply) -> str:
    """What an error says."""
    return str(json.loads(reply.body)["error"]["message"])


def with_message(reply: Reply, text: str) -> Reply:
    """An error that says something else."""
    return with_body(reply, error={"message": text})


def refused(text: str) -> Reply:
    """The answer to what is wrong in a request."""
    return failure(400, text)


CRASH: Final = failure(500, "Internal error")


def _changed(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not GONE}
