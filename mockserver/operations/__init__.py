"""The operations, one module each. The decorator registers; `operations()` imports every module of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight import contracts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from safelight.contracts import Phase
    from safelight.mockserver.model.messages import Request
    from safelight.mockserver.model.task_override import TaskOverride
    from safelight.mockserver.operations.results import ResultKind
    from safelight.mockserver.sessions.session import Session


class Call(NamedTuple):
    """A request that keeps the contract, as its operation gets it. A tuple, because one is made for every request."""

    session: Session
    request: Request
    #: The JSON body of a POST, the query's parameters of a GET.
    document: Mapping[str, Any]
    #: What the prompt says about its task.
    life: TaskOverride | None = None


class Answer(NamedTuple):
    """What an operation answers: the envelope's data, and which task it is about. A tuple, as above."""

    data: Mapping[str, Any]
    task_id: str | None = None
    phase: Phase | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One value of `endpoint`: what the contract says of it, the function that answers, and what comes of its tasks."""

    stated: contracts.Operation
    answer: Callable[[Call], Answer]
    result: ResultKind | None = None

    @property
    def name(self) -> str:
        """The value of `endpoint`."""
        return self.stated.name

    @property
    def method(self) -> str:
        """The HTTP method that it takes."""
        return self.stated.method

    @property
    def schema(self) -> str:
        """The name of its request's schema."""
        return self.stated.request


_REGISTRY: Final[dict[str, Endpoint]] = {}


def operation(*, result: ResultKind | None = None) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    """Register the function under its own name, which is the value of `endpoint`; `result` comes of a submit's task."""

    def register(function: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        stated = contracts.operations()[function.__name__]
        _REGISTRY[stated.name] = Endpoint(stated, function, result)
        return function

    return register


@cache
def operations() -> Mapping[str, Endpoint]:
    """Name -> operation, for every module of this folder."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return dict(sorted(_REGISTRY.items()))
