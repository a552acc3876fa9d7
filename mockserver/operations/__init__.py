"""The operations, one module each. The decorator registers; `operations()` imports every module of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.contracts import Phase
    from safelight.mockserver.messages import Request
    from safelight.mockserver.session import Session


class Call(NamedTuple):
    """A request that keeps the contract, as its operation gets it. A tuple, because one is made for every request."""

    session: Session
    request: Request
    #: The JSON body of a POST, the query's parameters of a GET.
    document: Mapping[str, Any]


class Answer(NamedTuple):
    """What an operation answers: the envelope's data, and which task it is about. A tuple, as above."""

    data: Mapping[str, Any]
    task_id: str | None = None
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One value of `endpoint`: its HTTP method, and the function that answers."""

    name: str
    method: str
    answer: Callable[[Call], Answer]

    @property
    def schema(self) -> str:
        """The name of its request's schema."""
        return f"{self.name}.request"


_REGISTRY: Final[dict[str, Operation]] = {}


def operation(method: str) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    """Register the function under its own name, which is the value of `endpoint`."""

    def register(function: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        _REGISTRY[function.__name__] = Operation(function.__name__, method, function)
        return function

    return register


@cache
def operations() -> Mapping[str, Operation]:
    """Name -> operation, for every module of this folder."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return dict(sorted(_REGISTRY.items()))
