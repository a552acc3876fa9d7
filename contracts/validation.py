"""Documents against schemas: every violation, with its rule and a sentence that a person can act on."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from safelight.contracts.checks import breaches, check_of
from safelight.contracts.keywords import KEYWORDS, missing
from safelight.contracts.locations import pointer, root
from safelight.contracts.parsing import parse
from safelight.contracts.recognizers import sentence_on
from safelight.contracts.rules import Violation, rules_at
from safelight.contracts.schemas import known
from safelight.contracts.shortcuts import ARE_TAKEN, accept_of
from safelight.contracts.wording import named

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.contracts.checks import Breach, Check
    from safelight.contracts.schemas import Schema
    from safelight.contracts.shortcuts import Accept


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


def violations(schema_name: str, document: Any, *, max_violations: int | None = None) -> list[Violation]:
    """As `problems`, for a parsed value alone; no more than `max_violations`, 1 or more, are looked for."""
    if ARE_TAKEN and _accept(schema_name)(document):
        return []
    found = breaches(_check(schema_name), document, max_breaches=max_violations)
    if not found:
        return []
    seen = cache(partial(_recognized, known(schema_name), document))
    return list(dict.fromkeys(_violation(breach, seen) for breach in found))


def _recognized(stated: Schema, document: Any, name: object) -> str:
    """A sentence on the parameter of this name, or on the document where it has none, if it is something known."""
    is_there = isinstance(document, dict) and name in document
    table = (stated.get("properties", {}).get(name, {}) if is_there else stated).get("x-recognized")
    return sentence_on([name] if is_there else [], document[name] if is_there else document, table)


@cache
def _check(schema_name: str) -> Check:
    known(schema_name)
    return check_of(root(schema_name))


@cache
def _accept(schema_name: str) -> Accept:
    known(schema_name)
    return accept_of(root(schema_name))


def _violation(breach: Breach, seen: Callable[[object], str]) -> Violation:
    location, path = breach.location, breach.path
    rule = rules_at()[location.schema, location.pointer][breach.keyword, breach.part]
    if message := seen(path[0] if path else ""):
        return Violation(rule.id, pointer(path[:1]), message, rule.provenance)
    return Violation(rule.id, pointer(path), f"{named(path)} {sentence(breach)}", rule.provenance)


def sentence(breach: Breach) -> str:
    """What is wrong: the rest of a sentence that begins with the name of the value."""
    if breach.keyword in KEYWORDS:
        stated = KEYWORDS[breach.keyword]
        return stated.sentence(breach.location.node[stated.words or breach.keyword], breach.value)
    return breach.clause or missing(breach.part, breach.value)
