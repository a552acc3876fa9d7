"""Requests of the API in the name of a session: for whoever has no key, such as the page."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from safelight.contracts import operations
from safelight.contracts.dialects import PATHS
from safelight.contracts.wording import did_you_mean, listed, shown
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import Refused, Reply, Request


@route("POST", "/send", body="send", enters=True)
def send_request(asked: ControlCall) -> Mapping[str, Any]:
    """Send a request of the API with the key of the session, and give its answer. It counts as any client's."""
    asked.looked_at  # noqa: B018 - refuses where there is no session, which a request of the API would not
    service, request = asked.service, _request(asked)
    with service.in_flight:
        reply = service.handle(request)
        reply.deliver()
        reply.end(reply.wire.size if reply.wire else len(reply.body))
    return _form(reply)


def _request(asked: ControlCall) -> Request:
    name, parameters = asked.body["operation"], asked.body.get("parameters", {})
    if name not in operations():
        near = did_you_mean(name, operations()) or f": there are {listed(operations())}"
        raise Refused(400, f"Invalid request: {shown(name)} is no operation{near}")
    method, headers = operations()[name].method, {"x-api-key": asked.own_key, "user-agent": "safelight-page"}
    if method == "GET":
        query, body = {"endpoint": name, **parameters}, b""
    else:
        query, body = {"endpoint": name}, json.dumps(parameters).encode()
        headers["content-type"] = "application/json"
    return Request(method, PATHS["published"], urlencode(query), headers, body, asked.request.origin)


def _form(reply: Reply) -> Mapping[str, Any]:
    """What the client got: nothing where a fault cut it off before the answer."""
    if reply.wire and reply.wire.is_silent:
        return {"status": 0, "wire": reply.wire.name, "answer": None}
    text = reply.body.decode("utf-8", "replace")
    answer: Any = text
    with suppress(ValueError):
        answer = json.loads(text)
    return {"status": reply.status, "wire": reply.wire.name if reply.wire else "", "answer": answer}
