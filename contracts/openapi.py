"""The contract as an OpenAPI 3.1 document: made from the operations and the schemas, in one of two forms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts.components import Node, any_of, component, components, reference
from safelight.contracts.dialects import PATHS
from safelight.contracts.examples import examples
from safelight.contracts.operations import Operation, operations
from safelight.contracts.schemas import VERSION, VERSION_HEADER, known, schemas
from safelight.contracts.wording import either, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_JSON: Final = "application/json"

_HEADERS: Final = {VERSION_HEADER: {"$ref": f"#/components/headers/{VERSION_HEADER}"}}

#: The operation that polls a task, and the parameter that it takes from a submit's answer.
_POLL: Final = {"operationId": "task_status", "parameters": {"task_id": "$response.body#/data/id"}}

#: The ways in which a request brings its key; the first that is there counts.
KEYS: Final[Mapping[str, Node]] = {
    "header": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "query": {"type": "apiKey", "in": "query", "name": "api_key"},
}

_ABOUT: Final[Mapping[bool, str]] = {
    False: "The service as it is: one path, and the operation in the query parameter endpoint. "
    "OpenAPI cannot say which parameters, body and answer go with which endpoint; the schemas can.",
    True: "A path for each operation, as tools want it. The service has one path, /v1/index.php?endpoint=NAME; "
    "these paths are answered by `safelight serve --openapi-paths`.",
}


class _Error(NamedTuple):
    """Why an operation answers with an error."""

    status: int
    says: str
    of: Callable[[Operation], bool]


#: What each operation can come to.
_ERRORS: Final = (
    _Error(400, "A parameter is missing or malformed.", lambda one: bool(_stated(one))),
    _Error(401, "The key is missing, unknown or revoked.", lambda _: True),
    _Error(402, "The balance is insufficient, and nothing is queued.", lambda one: one.is_submit),
    _Error(404, "No task of this key has this id (assumed).", lambda one: "task_id" in _stated(one)),
    _Error(413, "The body is too large (assumed).", lambda one: one.is_submit),
    _Error(500, "An internal error.", lambda _: True),
    _Error(502, "The engine failed, and the credits are returned.", lambda one: one.is_submit),
)

#: What comes of naming the operation in the query.
_ENTRY_ERRORS: Final = (
    _Error(404, "The endpoint is unknown, or missing (assumed).", lambda _: True),
    _Error(405, "The endpoint takes another method.", lambda _: True),
)


def openapi(*, paths: bool = False, server: str = "/") -> Node:
    """The document, a copy of one's own: one path as the service has it, or with `paths` one for each operation.

    What its paths begin with is the `server`.
    """
    found = _paths() if paths else {PATHS["published"]: _entry()}
    document = {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "The contract of an image-generation API", "version": VERSION, "description": _ABOUT[paths]},
        "servers": [{"url": server}],
        "security": [{name: []} for name in KEYS],
        "paths": found,
        "components": {
            "schemas": components(schemas(), found),
            "headers": {VERSION_HEADER: _version_header()},
            "securitySchemes": KEYS,
        },
    }
    return json.loads(json.dumps(document))  # type: ignore[no-any-return]


def _paths() -> Node:
    return {f"/v1/{one.name}": {one.method.lower(): _operation(one)} for one in operations().values()}


def _operation(one: Operation) -> Node:
    request = known(one.request)
    return {
        "operationId": one.name,
        "summary": request["title"].partition(":")[0],
        "description": request["description"],
        **{word: request[word] for word in ("x-price",) if word in request},
        **(_body([one]) if one.is_submit else {"parameters": list(_own_parameters(one))}),
        "responses": _responses([one], _ERRORS, _links(one)),
    }


def _links(one: Operation) -> Node:
    """What is asked next when a task was answered with: by a submit, and by each poll before the last."""
    return {"links": {"poll": _POLL}} if one.is_submit or one.name == _POLL["operationId"] else {}


def _own_parameters(one: Operation) -> Iterator[Node]:
    request = known(one.request)
    for name, stated in _stated(one).items():
        is_required = name in request.get("required", ())
        yield _parameter(name, stated.pop("description"), stated, required=is_required) | _examples([one], name)


def _entry() -> Node:
    by_method: dict[str, list[Operation]] = {}
    for one in operations().values():
        by_method.setdefault(one.method, []).append(one)
    return {method.lower(): _method(ones) for method, ones in sorted(by_method.items())}


def _method(ones: Sequence[Operation]) -> Node:
    names = [one.name for one in ones]
    bodies = [one for one in ones if one.is_submit]
    endpoint = _parameter("endpoint", "The operation.", {"type": "string", "enum": names}, required=True)
    return {
        "summary": either(names),
        "parameters": [endpoint, *_shared_parameters(one for one in ones if not one.is_submit)],
        **(_body(bodies) if bodies else {}),
        "responses": _responses(ones, [*_ERRORS, *_ENTRY_ERRORS]),
    }


def _shared_parameters(ones: Iterable[Operation]) -> Iterator[Node]:
    """Those of several operations: none is always needed, so none is required."""
    users: dict[str, list[Operation]] = {}
    for one in ones:
        for name in _stated(one):
            users.setdefault(name, []).append(one)
    for name, takers in users.items():
        stated = _stated(takers[0])[name]
        needing = [one.name for one in takers if name in known(one.request).get("required", ())]
        whose = f"required by {listed(needing)}" if needing else f"of {listed(one.name for one in takers)}"
        description = f"{stated.pop('description')}: {whose}."
        yield _parameter(name, description, stated, required=False) | _examples(takers, name)


def _stated(one: Operation) -> Mapping[str, Any]:
    """Parameter -> what the contract says of it."""
    stated: Mapping[str, Any] = component(one.request, schemas())["properties"]
    return stated


def _parameter(name: str, description: str, schema: Node, *, required: bool) -> Node:
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


def _body(ones: Sequence[Operation]) -> Node:
    body = {"schema": any_of([reference(one.request) for one in ones]), **_examples(ones)}
    return {"requestBody": {"required": True, "content": {_JSON: body}}}


def _examples(ones: Iterable[Operation], member: str = "") -> Node:
    """The golden examples of what keeps the contract, or what one member has in them."""
    found = {
        f"{one.name}.{each.name}": each.document for one in ones for each in examples(one.request) if not each.rule
    }
    if member:
        found = {name: document[member] for name, document in found.items() if member in document}
    return {"examples": {name: {"value": value} for name, value in found.items()}}


def _responses(ones: Sequence[Operation], errors: Iterable[_Error], success: Node | None = None) -> Node:
    """The answers by status."""
    answer = any_of([_success(one) for one in ones])
    reasons: dict[int, list[str]] = {}
    for error in errors:
        if any(map(error.of, ones)):
            reasons.setdefault(error.status, []).append(error.says)
    return {
        "200": {"description": "The envelope of a success.", **_answer(answer), **(success or {})},
        **{str(status): {"description": " ".join(found), **_error()} for status, found in sorted(reasons.items())},
    }


def _error() -> Node:
    return _answer(reference("error"))


def _success(one: Operation) -> Node:
    """Any answer of an operation is an error if `success` is false, or else this."""
    found: Node = component(one.response, schemas())["else"]
    return found


def _answer(schema: Node) -> Node:
    return {"headers": _HEADERS, "content": {_JSON: {"schema": schema}}}


def _version_header() -> Node:
    says = "The version of the contract that the server keeps. Safelight's fake sends it."
    return {"description": says, "schema": {"type": "string"}}
