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
    return list(islice(_notices(document, known(schema_name)), most))


@cache
def _always_in_effect(schema_name: str) -> frozenset[str]:
    """The members of which there is never anything to say: most requests have no others."""
    parameters = known(schema_name).get("properties", {}).items()
    return _ADDRESS | {name for name, stated in parameters if "x-effective-for" not in stated}


def _notices(document: Mapping[Any, Any], stated: Mapping[str, Any]) -> Iterator[Notice]:
    parameters = stated.get("properties", {})
    choice = _Choice(stated["x-choice"], parameters, document) if "x-choice" in stated else None
    for name in document:
        if name not in parameters:
            if name not in _ADDRESS:
                yield _unknown(name, parameters)
        elif choice and choice.leaves_out(parameters[name]):
            yield _without_effect(name, choice, parameters[name])


class _Choice:
    """The parameter that decides which others have an effect, and what a document has there."""

    def __init__(self, name: str, parameters: Mapping[str, Any], document: Mapping[Any, Any]) -> None:
        self.name = name
        self.value = document.get(name, parameters[name]["default"])
        self._is_known = self.value in parameters[name]["enum"]

    def leaves_out(self, parameter: Mapping[str, Any]) -> bool:
        """The parameter has no effect with what was chosen."""
        return self._is_known and self.value not in parameter.get("x-effective-for", (self.value,))


def _unknown(name: object, parameters: Mapping[str, Any]) -> Notice:
    message = f"{named([name])} is no parameter and is ignored{did_you_mean(name, parameters)}"
    return Notice(pointer([name]), message, Provenance.ASSUMED)


def _without_effect(name: str, choice: _Choice, stated: Mapping[str, Any]) -> Notice:
    where = either(stated["x-effective-for"])
    says = stated["x-provenance"]
    who = says if isinstance(says, str) else says.get("x-effective-for", says["*"])
    message = f"{name} has no effect with the {choice.name} {named([choice.value])}: only with {where}"
    return Notice(pointer([name]), message, Provenance(who))
