"""Advice: what is legal in a request, but has no effect or is hardly what was meant. It is never an error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final

from safelight.contracts.locations import pointer
from safelight.contracts.operations import without_effect
from safelight.contracts.recognizers import sentence_on
from safelight.contracts.rules import Provenance
from safelight.contracts.schemas import Schema, known
from safelight.contracts.wording import did_you_mean, either, named

#: Members of any request that its schema does not list: they say who asks, and for what.
_ADDRESS: Final = frozenset({"endpoint", "api_key"})


@dataclass(frozen=True, slots=True)
class Advice:
    """A part of a request that will change nothing, or that is not what it stands for, and why."""

    pointer: str
    message: str
    provenance: Provenance


def advice(
    document: object, schema_name: str = "image_generation.request", *, max_advice: int | None = None
) -> list[Advice]:
    """What in this request has no effect, or is not what it stands for, in the request's order; up to `max_advice`."""
    if not isinstance(document, Mapping) or document.keys() <= _always_in_effect(schema_name):
        return []
    return list(islice(_advice(document, known(schema_name)), max_advice))


@cache
def _always_in_effect(schema_name: str) -> frozenset[str]:
    """The members that there is never advice about."""
    parameters = known(schema_name).get("properties", {}).items()
    return _ADDRESS | {name for name, stated in parameters if not _ADVISED & stated.keys()}


#: The keywords of parameters that there may be advice about.
_ADVISED: Final = frozenset({"x-effective-for", "x-recognized"})


def _advice(document: Mapping[Any, Any], stated: Schema) -> Iterator[Advice]:
    parameters = stated.get("properties", {})
    idle = without_effect(stated, document)
    yield from _on((), document, stated["x-recognized"]) if "x-recognized" in stated else ()
    for name in document:
        if name not in parameters:
            if name not in _ADDRESS:
                yield _unknown(name, parameters)
        elif name in idle:
            yield _without_effect(name, stated, document)
        elif table := parameters[name].get("x-recognized"):
            yield from _on([name], document[name], table)


def _on(path: Iterable[object], value: object, table: str) -> Iterator[Advice]:
    """Advice on a value that is legal, and recognised as something else than what it stands for."""
    if message := sentence_on(path, value, table, is_legal=True):
        yield Advice(pointer(path), message, Provenance.ASSUMED)


def _unknown(name: object, parameters: Mapping[str, Any]) -> Advice:
    message = f"{named([name])} is no parameter and is ignored{did_you_mean(name, parameters)}"
    return Advice(pointer([name]), message, Provenance.ASSUMED)


def _without_effect(name: str, stated: Schema, document: Mapping[Any, Any]) -> Advice:
    choice, parameter = stated["x-choice"], stated["properties"][name]
    chosen = document.get(choice, stated["properties"][choice]["default"])
    stated_by = parameter["x-provenance"]
    provenance = stated_by if isinstance(stated_by, str) else stated_by.get("x-effective-for", stated_by["*"])
    where = either(parameter["x-effective-for"])
    message = f"{name} has no effect with the {choice} {named([chosen])}: only with {where}"
    return Advice(pointer([name]), message, Provenance(provenance))
