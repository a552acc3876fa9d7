"""Bad servers: each is the fake with one defect, which is a function between a client and the fake."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from safelight.mockserver.model.clock import Clock, RealClock
from safelight.mockserver.model.keys import FAKE_KEY, fingerprint
from safelight.mockserver.model.ledger import Entry
from safelight.mockserver.model.messages import Reply, Request
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.openapi_paths import DOCUMENTS, published
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.sessions.session import Session
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import in_thread

#: The second key that every server knows, for what is about two of them.
OTHER_KEY: Final = "sk-" + 12 * "07e4"

#: Credits of each key: none runs out.
RICH: Final = 10**9

#: How tasks go, where a defect says nothing else. In seconds: readers at one time see one state.
QUICK: Final[Mapping[str, Any]] = {"queued": 0.03, "running": 0.06}

#: What a request comes to: the fake is asked, or not.
Answering = Callable[["BadServer", Request], Reply]


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with one bad server."""

    #: Its own, and its server's.
    name: str
    #: What the server does, in a sentence.
    sentence: str
    #: Ids of the checks that have to catch it.
    checks: tuple[str, ...]
    answer: Answering
    #: How its tasks go: options of `task_profile`.
    tasks: Mapping[str, Any] = field(default_factory=dict)


#: Name -> defect.
DEFECTS: Final[dict[str, Defect]] = {}

#: None: the server is the fake itself.
GOOD: Final = Defect("good", "", (), lambda server, request: server.ask(request))


def defect(*checks: str, **tasks: Any) -> Callable[[Answering], Answering]:
    """Register a defect, with the checks that have to catch it; its docstring says what the server does."""

    def register(answer: Answering) -> Answering:
        add(answer.__name__.replace("_", "-"), str(answer.__doc__), checks, answer, **tasks)
        return answer

    return register


def add(name: str, sentence: str, checks: tuple[str, ...], answer: Answering, **tasks: Any) -> None:
    """Register one of a family of defects that differ in a value."""
    assert name not in DEFECTS, f"two defects are called {name}"
    DEFECTS[name] = Defect(name, sentence, checks, answer, tasks)


class BadServer(Service):
    """The service that the defect stands in front of. It answers at a path for each operation too."""

    def __init__(
        self,
        defect: Defect,
        key: str = FAKE_KEY,
        *,
        clock: Callable[[], Clock] = RealClock,
        tasks: Mapping[str, Any] = QUICK,
    ) -> None:
        settings = Settings(task_profile(**(defect.tasks or tasks)), balance=RICH)
        super().__init__(settings=settings, keys=[key, OTHER_KEY], seed=1, openapi_paths=True, clock=clock)
        self.defect, self.key = defect, key
        #: Requests that came.
        self.requests = 0
        #: What a defect counts.
        self.counts: Counter[str] = Counter()
        #: What a defect remembers.
        self.kept: dict[str, Any] = {}

    def handle(self, request: Request) -> Reply:
        """Answer with the defect; a path for an operation is read as its endpoint first. Documents have no defects."""
        if request.path in DOCUMENTS:
            return self.ask(request)
        home = published(request)
        if home is not request:
            name = home.query.rpartition("=")[2]
            home = home._replace(query=f"endpoint={name}&{request.query}".rstrip("&"))
        self.requests += 1
        return self.defect.answer(self, home)

    def ask(self, request: Request) -> Reply:
        """What the fake answers."""
        return super().handle(request)

    def count(self, *what: object) -> int:
        """How often this was counted, with this time."""
        name = " ".join(map(str, what))
        self.counts[name] += 1
        return self.counts[name]

    def session(self, key: str | None = None) -> Session:
        """The session of a key as it is now."""
        state = self.sessions.store.look(fingerprint(key or self.key))
        assert state is not None
        return Session(state)

    def paid(self) -> list[Entry]:
        """What was taken for tasks, of either key."""
        return [entry for key in (self.key, OTHER_KEY) for entry in self.session(key).ledger if entry.credits < 0]


@dataclass(frozen=True, slots=True)
class Running:
    """A bad server on a socket."""

    #: The entry point.
    url: str
    server: BadServer

    @property
    def tasks(self) -> int:
        """Paid tasks that were created."""
        return len(self.server.paid())

    @property
    def credits(self) -> float:
        """Credits that were taken for them."""
        return float(-sum(entry.credits for entry in self.server.paid()))


@contextmanager
def bad_server(
    name: str, *, port: int = 0, key: str | None = None, tasks: Mapping[str, Any] = QUICK
) -> Iterator[Running]:
    """The server with this defect while the block runs, or the `good` one. Its key is SAFELIGHT_API_KEY, or the fake's.

    `tasks` say how tasks go, where the defect does not.
    """
    found = GOOD if name == GOOD.name else DEFECTS[name]
    server = BadServer(found, key or os.environ.get("SAFELIGHT_API_KEY") or FAKE_KEY, tasks=tasks)
    with in_thread(create_app(server), port=port) as served:
        yield Running(served.url, server)
