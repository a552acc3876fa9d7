"""The operations, one module each. The decorator registers; `operations()` imports every module of this folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight import contracts
from safelight.mockserver.model.modules import import_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from safelight.contracts import Advice, Phase, Violation
    from safelight.mockserver.faults.plan import Strike
    from safelight.mockserver.model.clock import Clock
    from safelight.mockserver.model.messages import Reply, Request
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.model.task_override import TaskOverride
    from safelight.mockserver.operations.results import ResultKind
    from safelight.mockserver.sessions.session import Session
    from safelight.traffic.exchange import Exchange


@dataclass(slots=True)
class Call:
    """One request on its way through the service: each stage adds what it decided, and nothing is decided twice."""

    #: As it came in.
    request: Request
    #: As it would be at the published entry point of the first origin.
    home: Request
    #: The clock of the session, or of the service where there is none.
    clock: Clock
    #: A redirect has caused it.
    is_redirected: bool = False
    #: The key that came, and in which way; both empty where none did.
    key: str = ""
    way: str = ""
    #: The name of the session whose journal keeps it, and that session's key; empty where there is none.
    session_name: str = ""
    session_key: str = ""
    #: The settings of the session when the request came.
    settings: Settings | None = None
    #: The time of the clock when the request came.
    began: float = 0.0
    is_revoked: bool = False
    operation: str | None = None
    endpoint: Endpoint = field(init=False)
    #: The JSON body of a POST, or the parameters of the query of a GET.
    document: Mapping[str, Any] = field(default_factory=dict)
    #: The document is what the body says, and no more.
    is_as_sent: bool = False
    violations: Sequence[Violation] = ()
    #: Says, once somebody looks at the exchange, what in the request has no effect, and what it was near.
    advice: Callable[[], Sequence[Advice]] = tuple
    #: What the prompt sets for its own task.
    override: TaskOverride | None = None
    #: The session, within its transaction.
    session: Session = field(init=False)
    #: The fault rule that strikes.
    strike: Strike | None = None
    task_id: str | None = None
    phase: Phase | None = None
    #: When it was carried out, in seconds of the session's clock, and seconds since the answer before about its task.
    at: float | None = None
    gap: float | None = None
    #: What the client reads as the date then; None: it has no session.
    date: float | None = None
    reply: Reply = field(init=False)
    #: The exchange as it was written down, where it was read already.
    exchange: Exchange | None = None


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
    import_all(__name__, __path__)
    return dict(sorted(_REGISTRY.items()))
