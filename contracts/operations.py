"""The operations of the API, each a value of `endpoint`: read off the schemas of their requests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.keywords import is_number
from safelight.contracts.schemas import Schema, known, schemas

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUEST: Final = ".request"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its HTTP method, and the credits that are taken for each accepted call."""

    name: str
    method: str
    price: int = 0

    @property
    def request(self) -> str:
        """The name of its request's schema: of the JSON body of a POST, of the query of a GET."""
        return self.name + _REQUEST

    @property
    def response(self) -> str:
        """The name of its answer's schema."""
        return f"{self.name}.response"

    @property
    def is_submit(self) -> bool:
        """It makes a task, and is paid for."""
        return self.price > 0


@cache
def operations() -> Mapping[str, Operation]:
    """Name -> operation, sorted by name."""
    stated = {name: schema for name, schema in schemas().items() if "x-method" in schema}
    found = {name.removesuffix(_REQUEST): schema for name, schema in stated.items()}
    return {name: Operation(name, schema["x-method"], schema.get("x-price", 0)) for name, schema in found.items()}


def longest_side(operation: str) -> int | None:
    """The most pixels of the longer side of its result, or None unless it is made from a picture that was sent."""
    side: int | None = known(operation + _REQUEST).get("x-longest-side")
    return side


def clamped(operation: str, document: Any) -> tuple[Any, list[str]]:
    """The document with each parameter that is over its maximum brought down to it, and the names of those."""
    stated = known(operation + _REQUEST)["properties"]
    members = document.items() if isinstance(document, dict) else ()
    found = {
        name: stated[name]["maximum"]
        for name, value in members
        if name in stated and "maximum" in stated[name] and is_number(value) and value > stated[name]["maximum"]
    }
    return ({**document, **found}, list(found)) if found else (document, [])


def effective(operation: str, document: Mapping[str, Any], choice: str | None = None) -> dict[str, Any]:
    """The parameters as they count: what is left out, or has no effect here, has its default if there is one."""
    idle = without_effect(known(operation + _REQUEST), document)
    return {**defaults(operation, choice), **{name: value for name, value in document.items() if name not in idle}}


def without_effect(stated: Schema, document: Mapping[Any, Any]) -> list[str]:
    """The parameters in a request that change nothing with what it chose, by its workflow or its mode."""
    choice = stated["properties"].get(stated.get("x-choice"))
    chosen = document.get(stated["x-choice"], choice["default"]) if choice else None
    if choice is None or chosen not in choice["enum"]:
        return []
    parameters = stated["properties"].items()
    return [
        name for name, each in parameters if name in document and chosen not in each.get("x-effective-for", (chosen,))
    ]


def defaults(operation: str, choice: str | None = None) -> dict[str, Any]:
    """Parameter -> the value it has when it is left out, where it has one; `choice` is a workflow that has its own."""
    found = {}
    for name, stated in known(operation + _REQUEST)["properties"].items():
        value = stated.get("x-defaults", {}).get(choice, stated.get("default"))
        if value is not None:
            found[name] = value
    return found
