"""The routes, a module for each subject. The decorator registers; `routes()` imports every module of this folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from safelight.contracts.wording import listed, nearest, shown
from safelight.mockserver.model.keys import FORM, WAYS
from safelight.mockserver.model.messages import Refused, Reply
from safelight.mockserver.storage.store import NoSession

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator, Mapping, Sequence

    from safelight.mockserver.model.task import Task
    from safelight.mockserver.service.service import Service
    from safelight.mockserver.sessions.session import Session

#: What each path begins with.
PREFIX: Final = "/_safelight"


class ControlCall(NamedTuple):
    """A request that keeps its schema, as its handler gets it."""

    service: Service
    #: Empty where the request brings none.
    key: str
    #: It brought the token of this fake.
    has_token: bool
    #: What stands in the place of the names in the route's path.
    places: Mapping[str, str]
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
            raise Refused(404, f"No session has this key: PUT {PREFIX}/session opens one") from None

    @property
    def task(self) -> Task:
        """The task that the path names, or `Refused`."""
        task_id = self.places["task_id"]
        task = self.session.find(task_id)
        if task is None:
            raise Refused(404, f"No task {shown(task_id)}: it was never issued to this key")
        return task


#: Answers with the data of a success, or with a whole reply where an answer is in no envelope; perhaps later.
Handler = Callable[["ControlCall"], "Mapping[str, Any] | Reply | Awaitable[Mapping[str, Any]]"]


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path: the function that answers, and the schemas of what it takes."""

    method: str
    #: Below `PREFIX`; a name in braces stands for any text.
    path: str
    handler: Handler
    body: str | None
    query: str | None
    #: It is about the session of a key, whose transaction its function runs in.
    is_own: bool
    #: Its function enters the transaction by itself, or opens the session.
    enters: bool

    @property
    def name(self) -> str:
        """That of its function."""
        return self.handler.__name__

    @property
    def says(self) -> str:
        """The first line of its function's documentation."""
        return (self.handler.__doc__ or "").partition("\n")[0]

    def places(self, path: Sequence[str]) -> Mapping[str, str] | None:
        """What stands in the place of its names, where it is the route of these segments of a path."""
        own = self.path.split("/")
        if len(own) != len(path):
            return None
        pairs = list(zip(own, path, strict=True))
        if any(name != text and not (NAMED.fullmatch(name) and text) for name, text in pairs):
            return None
        return {name[1:-1]: text for name, text in pairs if NAMED.fullmatch(name)}


#: A segment of a route's path that stands for any.
NAMED: Final = re.compile(r"\{\w+\}")

_REGISTRY: Final[list[Route]] = []


def route(
    method: str,
    path: str,
    *,
    body: str | None = None,
    query: str | None = None,
    is_own: bool = True,
    enters: bool = False,
) -> Callable[[Handler], Handler]:
    """Register the function for a method of a path; `body` and `query` are the names of their schemas."""

    def register(function: Handler) -> Handler:
        _REGISTRY.append(Route(method, path, function, body, query, is_own, enters))
        return function

    return register


@cache
def routes() -> Sequence[Route]:
    """All of them, for every module of this folder."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(sorted(_REGISTRY, key=lambda one: (one.path, one.method)))


def found(method: str, path: Sequence[str]) -> tuple[Route, Mapping[str, str]]:
    """The route for a method of a path in segments, and what stands in the place of its names; or `Refused`."""
    fitting = [(one, places) for one in routes() if (places := one.places(path)) is not None]
    if not fitting:
        whole = "/".join(path)
        near = nearest(whole, dict.fromkeys(one.path for one in routes()))
        hint = f"did you mean {PREFIX}{near}?" if near else f"{PREFIX}/openapi.json says which there are"
        raise Refused(404, f"There is nothing at {shown(PREFIX + whole)}; {hint}")
    for one, places in fitting:
        if one.method == method:
            return one, places
    takes = [one.method for one, _ in fitting]
    message = f"Method not allowed: {PREFIX}{fitting[0][0].path} takes {listed(takes, 'or')}, not {shown(method)}"
    raise Refused(405, message, {"allow": ", ".join(takes)})
