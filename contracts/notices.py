"""What is legal in a request but has no effect: worth a word, never an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final

from safelight.contracts.rules import Provenance, pointer
from safelight.contracts.schemas import known
from safelight.contracts.wording import did_you_mean, either, named

#: Members of any request that its schema does not list: they say who asks, and for what.
_ADDRESS: Final = frozenset({"endpoint", "api_key"})


@dataclass(frozen=True, slots=True)
class Notice:
    """A part of a request that will change nothing, and why."""

    pointer: str
    message: str
    provenance: Provenance


def notices(
    document: object, schema_name: str = "image_generation.request", *, most: int | None = None
) -> list[Notice]:
    """What in this request has no effect, in the request's order; `most` bounds how many are looked for."""
    if not isinstance(document, Mapping) or document.keys() <= _always_in_effect(schema_name):
        return []
    return list(islice(_notices(document, known(schema_name).get("properties", {})), most))


@cache
def _always_in_effect(schema_name: str) -> frozenset[str]:
    """The members of which there is never anything to say: most requests have no others."""
    parameters = known(schema_name).get("properties", {}).items()
    return _ADDRESS | {name for name, stated in parameters if "x-effective-for" not in stated}


def _notices(document: Mapping[Any, Any], parameters: Mapping[str, Any]) -> Iterator[Notice]:
    choice = parameters.get("workflow", {"enum": ()})
    workflow = document.get("workflow", choice.get("default"))
    is_known = workflow in choice["enum"]
    for name in document:
        stated = parameters.get(name)
        if stated is None:
            if name not in _ADDRESS:
                yield _unknown(name, parameters)
        elif is_known and workflow not in stated.get("x-effective-for", choice["enum"]):
            yield _without_effect(name, workflow, stated)


def _unknown(name: object, parameters: Mapping[str, Any]) -> Notice:
    message = f"{named([name])} is no parameter and is ignored{did_you_mean(name, parameters)}"
    return Notice(pointer([name]), message, Provenance.ASSUMED)


def _without_effect(name: str, workflow: str, stated: Mapping[str, Any]) -> Notice:
    where = either(stated["x-effective-for"])
    says = stated["x-provenance"]
    who = says if isinstance(says, str) else says.get("x-effective-for", says["*"])
    message = f"{name} has no effect with the workflow {named([workflow])}: only with {where}"
    return Notice(pointer([name]), message, Provenance(who))
