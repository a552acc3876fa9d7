"""The routes as an OpenAPI 3.1 document."""

from __future__ import annotations

import json

from safelight.mockserver.control.openapi import document
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.model.messages import Reply


@route("GET", "/openapi.json", is_own=False)
def get_openapi(_: ControlCall) -> Reply:
    """Give this document."""
    return Reply(200, json.dumps(document(), ensure_ascii=False).encode())
