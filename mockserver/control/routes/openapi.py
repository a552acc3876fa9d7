"""The control routes as an OpenAPI 3.1 document: made from the registry and the schemas."""

import json
from collections.abc import Iterator
from typing import Final

from safelight.contracts.components import Node, component, components, reference
from safelight.contracts.openapi import KEYS
from safelight.mockserver.control.access import TOKEN
from safelight.mockserver.control.bodies import schemas
from safelight.mockserver.control.routes import NAMED, PREFIX, ControlCall, Route, route, routes
from safelight.mockserver.model.messages import Reply

_JSON: Final = "application/json"

_ABOUT: Final = (
    "What tests control a fake with that runs as `safelight serve`. A server with a token wants it in each request; "
    "the key says whose session is meant."
)


#: An object of any members: without the second keyword openapi-typescript takes it for one of none.
_ANY: Final[Node] = {"type": "object", "additionalProperties": True}


def _envelope(is_success: bool, data: Node, error: Node) -> Node:  # noqa: FBT001 - the value of the first member
    members = {"success": {"const": is_success}, "data": data, "error": error}
    return {"type": "object", "required": list(members), "properties": members}


#: The envelopes around any data and any error.
_ENVELOPES: Final[Node] = {
    "success": _envelope(True, _ANY, {"type": "null"}),
    "failure": _envelope(
        False,
        {"type": "null"},
        {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}},
    ),
}


@route("GET", "/openapi.json", is_own=False)
def get_openapi(asked: ControlCall) -> Reply:
    """Give this document."""
    return Reply(200, json.dumps(document(asked.service.public_url or "/"), ensure_ascii=False).encode())


def document(server: str = "/") -> Node:
    """The document, a copy of one's own."""
    paths: dict[str, Node] = {}
    for one in routes():
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one)
    made = {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "Control of a Safelight fake", "version": "1", "description": _ABOUT},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": components({**schemas(), **_ENVELOPES}, paths),
            "securitySchemes": {**KEYS, "token": {"type": "apiKey", "in": "header", "name": TOKEN}},
        },
    }
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]


def _operation(one: Route) -> Node:
    keys: list[Node] = [{name: []} for name in KEYS] if one.is_own else [{}]
    with_token = [{**key, "token": []} for key in keys]
    parameters = list(_parameters(one))
    has_formats = any(stated["name"] == "format" for stated in parameters)
    success = _ANY if has_formats or not one.is_own else reference("success")
    content = {_JSON: {"schema": success}} if one.media_type == _JSON else {one.media_type: {}}
    return {
        "operationId": one.handler.__name__,
        "summary": str(one.handler.__doc__).partition("\n")[0],
        "security": [*keys, *with_token],
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": _body(one.body)} if one.body else {}),
        "responses": {
            # A format, or a document like this one, is in no envelope.
            "200": {"description": "It is so.", "content": content},
            "default": {"description": "Why it is not.", "content": {_JSON: {"schema": reference("failure")}}},
        },
    }


def _parameters(one: Route) -> Iterator[Node]:
    for name in NAMED.findall(one.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    stated = component(one.query, schemas())["properties"] if one.query else {}
    for name, schema in stated.items():
        yield {"name": name, "in": "query", "description": schema.pop("description"), "schema": schema}


def _body(name: str) -> Node:
    is_needed = bool({"required", "minProperties"} & schemas()[name].keys())
    return {"required": is_needed, "content": {_JSON: {"schema": reference(name)}}}
