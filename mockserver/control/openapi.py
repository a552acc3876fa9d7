"""The control routes as an OpenAPI 3.1 document: made from the registry and the schemas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.openapi import KEYS, embedded
from safelight.mockserver.control.access import TOKEN
from safelight.mockserver.control.bodies import schemas
from safelight.mockserver.control.routes import NAMED, PREFIX, Route, routes

if TYPE_CHECKING:
    from collections.abc import Iterator

Node = dict[str, Any]

_JSON: Final = "application/json"

_ABOUT: Final = (
    "What tests steer a fake with that runs as `safelight serve`. A server with a token wants it in each request; "
    "the key says whose session is meant."
)

#: The envelope of an answer, around any data.
_SUCCESS: Final[Node] = {
    "type": "object",
    "required": ["success", "data", "error"],
    "properties": {"success": {"const": True}, "data": {"type": "object"}, "error": {"type": "null"}},
}

_FAILURE: Final[Node] = {
    "type": "object",
    "required": ["success", "data", "error"],
    "properties": {
        "success": {"const": False},
        "data": {"type": "null"},
        "error": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}},
    },
}


def document() -> Node:
    """The document, a copy of one's own."""
    paths: dict[str, Node] = {}
    for one in routes():
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one)
    made = {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "Control of a Safelight fake", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {"success": _SUCCESS, "failure": _FAILURE, **_schemas()},
            "securitySchemes": {**KEYS, "token": {"type": "apiKey", "in": "header", "name": TOKEN}},
        },
    }
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]


def _operation(one: Route) -> Node:
    keys: list[Node] = [{name: []} for name in KEYS] if one.is_own else [{}]
    with_token = [{**key, "token": []} for key in keys]
    parameters = [*_places(one), *_query(one)]
    return {
        "operationId": one.name,
        "summary": one.says,
        "security": [*keys, *with_token],
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": _body(one.body)} if one.body else {}),
        "responses": {
            "200": {"description": "It is so.", "content": {_JSON: {"schema": _success(one)}}},
            "default": {"description": "Why it is not.", "content": {_JSON: {"schema": _ref("failure")}}},
        },
    }


def _success(one: Route) -> Node:
    """A format, or a document like this one, is in no envelope."""
    is_enveloped = one.query is None and one.is_own
    return _ref("success") if is_enveloped else {"type": "object"}


def _places(one: Route) -> Iterator[Node]:
    for name in NAMED.findall(one.path):
        yield {"name": name[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}


def _query(one: Route) -> Iterator[Node]:
    stated = embedded(one.query, schemas())["properties"] if one.query else {}
    for name, schema in stated.items():
        yield {"name": name, "in": "query", "description": schema["title"], "schema": schema}


def _body(name: str) -> Node:
    is_needed = bool({"required", "minProperties"} & schemas()[name].keys())
    return {"required": is_needed, "content": {_JSON: {"schema": _ref(name)}}}


def _ref(name: str) -> Node:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> Node:
    used = {one.query for one in routes()} | {"nothing"}
    return {name: embedded(name, schemas()) for name in schemas() if name not in used}
