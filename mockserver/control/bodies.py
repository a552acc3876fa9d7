"""What control routes are sent, held against schemas of their own. They are no part of the service's contract."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts import parse
from safelight.contracts.checks import breaches, check_of
from safelight.contracts.locations import root
from safelight.contracts.validation import sentence
from safelight.contracts.wording import counted, did_you_mean, listed, named
from safelight.mockserver.model.messages import Refused, parameters
from safelight.mockserver.sessions.schemas import session_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.contracts.checks import Breach, Check
    from safelight.mockserver.model.messages import Request

#: Beside what a schema knows: one of the ways to bring a key.
_KEY: Final = "api_key"

#: Mistakes that one answer names.
_MAX_MISTAKES: Final = 5

Document = dict[str, Any]


@cache
def schemas() -> Mapping[str, Document]:
    """Name -> schema: every file of the folder `schemas`, and that of a session, which is made from its settings."""
    folder = files("safelight.mockserver.control") / "schemas"
    found = {file.name.removesuffix(".json"): file for file in folder.iterdir() if file.name.endswith(".json")}
    read = {name: json.loads(found[name].read_text("utf-8")) for name in sorted(found)}
    return {**read, "session": session_schema()}


def body_of(request: Request, schema: str | None) -> Document:
    """The JSON object in a request's body, or `Refused` with what is wrong. Without a schema none is expected."""
    if request.body is None:
        raise Refused(413, "Request body too large: it is over the limit of this server")
    if schema is None or not request.body.strip():
        return _checked({}, schema)
    parsed = parse(request.body, max_violations=_MAX_MISTAKES)
    if parsed.violations:
        raise Refused(400, f"Invalid request: {'; '.join(found.message for found in parsed.violations)}")
    return _checked(parsed.document, schema)


def query_of(request: Request, schema: str | None) -> Document:
    """The parameters of a request's query, or `Refused`. Without a schema none but the key is known."""
    return _checked(dict(parameters(request.query)), schema or "nothing")


def _checked(document: Any, schema: str | None) -> Document:
    if isinstance(document, dict):
        document.pop(_KEY, None)
    if schema is None:
        return {}
    found = breaches(_check(schema), document, max_breaches=_MAX_MISTAKES)
    if found:
        raise Refused(400, f"Invalid request: {'; '.join(map(_mistake, found))}")
    return document  # type: ignore[no-any-return]


@cache
def _check(schema: str) -> Check:
    return check_of(root(schema, schemas()))


def _mistake(breach: Breach) -> str:
    known: list[str] = list(breach.location.node.get("properties", ()))
    match breach.keyword:
        case "additionalProperties":
            name = breach.path[-1]
            near = did_you_mean(name, known) or (f"; there are {listed(known)}" if known else "; nothing is taken here")
            wrong = f"is not known{near}"
        case "minProperties" | "maxProperties":
            wrong = f"has {counted(len(breach.value), 'member')}: give {listed(known, 'or')}"
        case _:
            wrong = sentence(breach)
    return f"{named(breach.path)} {wrong}"
