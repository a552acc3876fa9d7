"""What control routes are sent, held against schemas of their own. They are no part of the service's contract."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, cast

from safelight.contracts import parse
from safelight.contracts.validation import sentence
from safelight.contracts.wording import counted, did_you_mean, listed, named, shown
from safelight.mockserver.model.messages import Refused, parameters
from safelight.mockserver.sessions.schemas import session_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from safelight.mockserver.model.messages import Request

#: Beside what a schema knows: one of the ways to bring a key.
_KEY: Final = "api_key"

#: Mistakes that one answer names.
_MOST: Final = 5

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
    parsed = parse(request.body, most=_MOST)
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
    errors = list(_validator(schema).iter_errors(document))
    sentences = [words for error in errors for words in _sentences(error)]
    if sentences:
        raise Refused(400, f"Invalid request: {'; '.join(sentences[:_MOST])}")
    found: Document = document
    return found


@cache
def _validator(schema: str) -> Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - costs a tenth of a second
    from referencing import Registry  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

    resources = [(f"{name}.json", DRAFT202012.create_resource(contents)) for name, contents in schemas().items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    validator: Validator = Draft202012Validator(schemas()[schema], registry=registry)
    return validator


def _sentences(error: ValidationError) -> Iterator[str]:
    path, keyword = tuple(error.absolute_path), str(error.validator)
    if keyword == "required":  # jsonschema has an error for each, and does not say for which
        absent = error.message.split("'")[1]
        yield f"{named((*path, absent))} {sentence(keyword, absent, error.instance)}"
    elif keyword == "additionalProperties":
        yield from _unknown(error)
    elif keyword in ("minProperties", "maxProperties"):
        schema: Any = error.schema
        seen = counted(len(cast("Document", error.instance)), "member")
        yield f"{named(path)} has {seen}: give {listed(schema['properties'], 'or')}"
    else:
        word = _OWN.get(keyword)
        words = word(error.validator_value, error.instance) if word else None
        yield f"{named(path)} {words or sentence(keyword, error.validator_value, error.instance)}"


def _unknown(error: ValidationError) -> Iterator[str]:
    schema: Any = error.schema
    known = list(schema["properties"])
    for name in error.instance if isinstance(error.instance, dict) else ():
        if name not in known:
            near = did_you_mean(name, known) or (f"; there are {listed(known)}" if known else "; nothing is taken here")
            yield f"{named((*error.absolute_path, name))} is not known{near}"


#: What the contract's schemas do not use.
_OWN: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "exclusiveMinimum": lambda limit, value: f"is {shown(value)}; it must be above {limit}",
    "maxItems": lambda limit, value: f"has {len(value)} items; the most is {limit}",
}
