"""The routes, a module for each subject. The decorator registers; `routes()` imports every module of this folder."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from safelight.contracts.wording import listed, nearest, shown
from safelight.mockserver.model.keys import FORM, WAYS
from safelight.mockserver.model.messages import Refused, Reply, Request, Stream
from safelight.mockserver.model.modules import import_all
from safelight.mockserver.model.task import Task
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.session import Session
from safelight.mockserver.storage.store import NoSession

#: What each path begins with.
PREFIX: Final = "/_safelight"

NO_SESSION: Final = Refused(404, f"No session has this key: PUT {PREFIX}/session opens one")


class ControlCall(NamedTuple):
    """A request that keeps its schema, as its handler gets it."""

    service: Service
    request: Request
    #: Empty where the request brings none.
    key: str
    #: The keys that no answer may hold.
    secrets: AbstractSet[str]
    #: It brought the token of this fake.
    has_token: bool
    path_parameters: Mapping[str, str]
    body: Mapping[str, Any]
    query: Mapping[str, str]
    #: The session of the key, where the route is about one.
    entered: Session | None = None

    @property
    def own_key(self) -> str:
        """The key, or `Refused` where there is none that can be one."""
        if not self.key:
            raise Refused(HTTPStatus.UNAUTHORIZED, f"No key was sent: neither {listed(WAYS, 'nor')}")
        if not FORM.fullmatch(self.key):
            raise Refused(400, "What was sent is no API key: a header carries 1 to 200 visible ASCII characters")
        return self.key

    @property
    def session(self) -> Session:
        """The session of the key, within its transaction."""
        assert self.entered is not None
        return self.entered

    @contextmanager
    def entering(self) -> Iterator[Session]:
        """The session of the key, within its transaction while the block runs; or `Refused`."""
        try:
            with self.service.sessions.enter(self.own_key) as session:
                yield session
        except NoSession:
            raise NO_SESSION from None

    @property
    def looked_at(self) -> Session:
        """The session of the key as it is now, to be read alone, which keeps nobody waiting; or `Refused`."""
        state = self.service.sessions.look(self.own_key)
        if state is None:
            raise NO_SESSION
        return Session(state)

    @property
    def task(self) -> Task:
        """The task that the path names, or `Refused`."""
        return self.task_of(self.session)

    def task_of(self, session: Session) -> Task:
        """The task of this session that the path names, or `Refused`."""
        task_id = self.path_parameters["task_id"]
        task = session.find(task_id)
        if task is None:
            raise Refused(404, f"No task {shown(task_id)}: it was never issued to this key")
        return task


#: Answers with the data of a success, or with a whole reply where an answer is in no envelope; perhaps later.
Handler = Callable[[ControlCall], Mapping[str, Any] | Reply | Stream | Awaitable[Mapping[str, Any] | Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path: the function that answers, and the schemas of what it takes."""

    method: str
    #: Below `PREFIX`; a name in braces stands for any text.
    path: str
    handler: Handler
    #: The names of the schemas of body and query.
    body: str | None = None
    query: str | None = None
    #: It is about the session of a key, whose transaction its function runs in.
    is_own: bool = True
    #: Its function enters the transaction by itself, opens the session, or only looks at it.
    enters: bool = False
    #: What it answers with.
    media_type: str = "application/json"

    def path_parameters(self, path: str) -> Mapping[str, str] | None:
        """The texts that stand for the names, where this is the route of the path."""
        match = re.fullmatch(NAMED.sub(r"(?P<\1>[^/]+)", self.path), path)
        return match and {name: unquote(text) for name, text in match.groupdict().items()}

    def handled(self, asked: ControlCall) -> Any:
        """What the function answers, within the transaction of the session that it is about."""
        if not self.is_own or self.enters:
            return self.handler(asked)
        with asked.entering() as session:
            return self.handler(asked._replace(entered=session))


#: A segment of a route's path that stands for any.
NAMED: Final = re.compile(r"\{(\w+)\}")

_REGISTRY: Final[list[Route]] = []


def route(method: str, path: str, **options: Any) -> Callable[[Handler], Handler]:
    """Register the function for a method of a path; the options are the other fields of `Route`."""

    def register(function: Handler) -> Handler:
        _REGISTRY.append(Route(method, path, function, **options))
        return function

    return register


@cache
def routes() -> Sequence[Route]:
    """All of them, for every module of this folder."""
    import_all(__name__, __path__)
    return tuple(sorted(_REGISTRY, key=lambda one: (one.path, one.method)))


def found(method: str, path: str) -> tuple[Route, Mapping[str, str]]:
    """The route for a method of a path below `PREFIX`, and its path parameters; or `Refused`."""
    fitting = {one.method: (one, given) for one in routes() if (given := one.path_parameters(path)) is not None}
    if method in fitting:
        return fitting[method]
    if fitting:
        near = next(iter(fitting.values()))[0].path
        message = f"Method not allowed: {PREFIX}{near} takes {listed(fitting, 'or')}, not {shown(method)}"
        raise Refused(405, message, {"allow": ", ".join(fitting)})
    whole = unquote(path)
    similar = nearest(whole, dict.fromkeys(one.path for one in routes()))
    hint = f"did you mean {PREFIX}{similar}?" if similar else f"{PREFIX}/openapi.json says which there are"
    raise Refused(404, f"There is nothing at {shown(PREFIX + whole)}; {hint}")
