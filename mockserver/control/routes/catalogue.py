"""What can be asked of this fake, and what can go wrong: for forms and completion."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from safelight.contracts import operations, schema
from safelight.mockserver.control.routes import ControlCall, route
from safelight.mockserver.faults.catalogue import faults, first_line, form, written
from safelight.traffic.request_kinds import WORDS


@route("GET", "/operations", is_own=False)
def get_operations(_: ControlCall) -> Mapping[str, Any]:
    """List the operations of the API, each with the JSON Schema of its request."""
    found = [
        {"name": one.name, "method": one.method, "price": one.price, "request": schema(one.request)}
        for one in operations().values()
    ]
    return {"operations": found}


@route("GET", "/faults", is_own=False)
def get_faults(_: ControlCall) -> Mapping[str, Any]:
    """List the kinds of requests that a fault rule can be about, and the faults with what they do."""
    return {"kinds": [*WORDS, *operations()], "faults": [_fault(made) for made in faults().values()]}


def _fault(made: type[Any]) -> Mapping[str, Any]:
    return {"form": form(made), "does": first_line(made), "example": written(made()), "settings": len(fields(made))}
