"""Documents against schemas: every violation, with its rule and a sentence a person can act on.

jsonschema walks the schemas; the keywords that constrain are tested and worded here, because its own
messages write out the whole value, which a client may have made very large.
"""

from __future__ import annotations

from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.constraints import CONSTRAINTS
from safelight.contracts.parsing import parse
from safelight.contracts.predicates import BREAKS, is_number, tests
from safelight.contracts.rules import Violation, pointer, rule_at
from safelight.contracts.schemas import known, schemas
from safelight.contracts.wording import counted, did_you_mean, either, kind, named, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator


def problems(schema_name: str, document: object) -> list[Violation]:
    """Every violation of the schema, in a stable order; an empty list where there is none.

    `document` is a parsed JSON value, or bytes as they stood on the wire: these are parsed strictly first.
    Raises `UnknownSchema`, and nothing else whatever the document.
    """
    if not isinstance(document, bytes | bytearray):
        return violations(schema_name, document)
    known(schema_name)
    parsed = parse(bytes(document))
    return [*parsed.violations, *(violations(schema_name, parsed.document) if parsed.is_complete else ())]


def violations(schema_name: str, document: Any, *, most: int | None = None) -> list[Violation]:
    """As `problems`, for a parsed value alone; `most` bounds how many are looked for."""
    errors = islice(_validator(schema_name).iter_errors(document), most)
    return list(dict.fromkeys(_violation(error) for error in errors))


@cache
def _validator(schema_name: str) -> Validator:
    """One validator a schema, made once: making it costs forty times a validation."""
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 - costs a tenth of a second
    from referencing import Registry  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

    resources = [(f"{name}.json", DRAFT202012.create_resource(contents)) for name, contents in schemas().items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    # Left alone, jsonschema takes whatever Python calls a number, a Decimal or a complex one too.
    types = Draft202012Validator.TYPE_CHECKER.redefine("number", lambda _, value: is_number(value))
    strict: Any = validators.extend(Draft202012Validator, _keywords(), type_checker=types)  # type: ignore[no-untyped-call]
    validator: Validator = strict(known(schema_name), registry=registry)
    return validator


def _keywords() -> dict[str, Any]:
    """What replaces or joins jsonschema's keywords. Each yields errors that name the part that was broken."""
    limits = {keyword: partial(_limit, breaks) for keyword, breaks in BREAKS.items()}
    members = {"properties": _properties, "propertyNames": _names, "additionalProperties": _additional}
    return {**limits, **members, "type": _types, "required": _required, "x-constraints": _promises}


def _error(part: str, message: str = "", path: Iterable[str | int] = ()) -> ValidationError:
    from jsonschema import ValidationError  # noqa: PLC0415 - as above

    return ValidationError(message, path=path, validator_value=part)


def _limit(
    breaks: Callable[[Any, Any], bool], _: Validator, limit: Any, value: Any, __: object
) -> Iterator[ValidationError]:
    if breaks(value, limit):
        yield _error("")


def _types(validator: Validator, allowed: Any, value: Any, _: object) -> Iterator[ValidationError]:
    # Nearly every type is a single one, and nearly every value is tested for its type.
    if isinstance(allowed, str):
        is_allowed = validator.is_type(value, allowed)
    else:
        is_allowed = any(validator.is_type(value, name) for name in allowed)
    if not is_allowed:
        yield _error("")


def _properties(validator: Any, properties: Mapping[str, Any], value: Any, _: object) -> Iterator[ValidationError]:
    for name in properties if isinstance(value, dict) else ():
        if name in value:
            yield from _within(validator, properties[name], value[name], name)


def _names(validator: Any, schema: Any, value: Any, _: object) -> Iterator[ValidationError]:
    keeps = tests()[id(schema)]
    for name in value if isinstance(value, dict) else ():
        if not keeps(name):
            yield from _within(validator, schema, name, name)


def _additional(validator: Any, schema: Any, value: Any, parent: Mapping[str, Any]) -> Iterator[ValidationError]:
    """In the document's order; jsonschema's own goes through a set, another order in each process."""
    keeps, listed = tests()[id(schema)], parent.get("properties", ())
    for name in value if isinstance(value, dict) else ():
        if name not in listed and not keeps(value[name]):
            yield from _within(validator, schema, value[name], name)


def _within(validator: Any, schema: Any, value: Any, name: str) -> Iterator[ValidationError]:
    """What jsonschema's `descend` does, with a validator that is kept: to make one costs more than to use it.

    A subschema stands in one file and lives as long as the process, so its identity is key enough.
    """
    kept = _VALIDATORS.get(id(schema))
    if kept is None:
        kept = _VALIDATORS[id(schema)] = validator.evolve(schema=schema)
    for error in kept.iter_errors(value):
        error.path.appendleft(name)
        yield error


_VALIDATORS: Final[dict[int, Any]] = {}


def _required(_: Validator, names: Sequence[str], value: Any, __: object) -> Iterator[ValidationError]:
    for name in names if isinstance(value, dict) else ():
        if name not in value:
            yield _error(name, path=(name,))


def _promises(_: Validator, names: Sequence[str], value: Any, __: object) -> Iterator[ValidationError]:
    for name in names:
        for path, seen in CONSTRAINTS[name](value):
            yield _error(name, seen, path)


def sentence(keyword: str, limit: Any, value: Any) -> str:
    """What is wrong with a value that a keyword's limit forbids: the rest of a sentence that begins with its name."""
    return _SENTENCES[keyword](limit, value)


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _violation(error: ValidationError) -> Violation:
    rule = rule_at()[id(error.schema), str(error.validator), str(error.validator_value)]
    path = tuple(error.absolute_path)
    wrong = error.message or sentence(rule.keyword, rule.limit, error.instance)
    return Violation(rule.id, pointer(path), f"{named(path)} {wrong}", rule.provenance)


#: JSON Schema's names of types, as sentences want them.
_TYPES: Final = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "object": "an object",
    "array": "an array",
    "boolean": "a boolean",
    "null": "null",
}


def _other_type(allowed: Any, value: Any) -> str:
    seen, what = shown(value), kind(value)
    seen = seen if seen.startswith(what) else f"{seen}, {what}"
    return f"is {seen}; it must be {either(_TYPES[name] for name in _as_list(allowed))}"


def _missing(name: str, members: Any) -> str:
    near = nearest(name, (other for other in members if isinstance(other, str)))
    return f"is missing{near and f'; {named([near])} was sent'}"


def _none_of(allowed: Any, value: Any) -> str:
    return f"is {shown(value)}; it must be {either(allowed)}{did_you_mean(value, allowed)}"


def _length(thing: str, bound: str) -> Callable[[Any, Any], str]:
    def sentence(limit: int, value: Sequence[Any]) -> str:
        seen = f"has {counted(len(value), thing)}" if value else "is empty"
        return f"{seen}; the {bound} is {counted(limit, thing)}"

    return sentence


#: Keyword -> the rest of the sentence whose subject is the value's name, from the limit and the value.
_SENTENCES: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "type": _other_type,
    "const": lambda limit, value: f"is {shown(value)}; it must be {shown(limit)}",
    "enum": _none_of,
    "pattern": lambda limit, value: f"is {shown(value)}, which does not fit {limit}",
    "minLength": _length("character", "least"),
    "maxLength": _length("character", "most"),
    "minimum": lambda limit, value: f"is {shown(value)}; the least is {limit}",
    "maximum": lambda limit, value: f"is {shown(value)}; the most is {limit}",
    "minItems": _length("item", "least"),
    "maxItems": _length("item", "most"),
    "minProperties": _length("member", "least"),
    "required": _missing,
}
