"""Control beside the API: the options of a server's control, and the reply to each request."""

import logging
from collections.abc import Awaitable, Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from inspect import isawaitable
from typing import Any, Final

from safelight.contracts.secrets import redacted, with_keys
from safelight.contracts.wording import shown
from safelight.mockserver.control.access import SESSION, check_access, check_sender, check_visitor, preflight, readable
from safelight.mockserver.control.bodies import body_of, query_of
from safelight.mockserver.control.dashboard import HOME, file_at, is_home
from safelight.mockserver.control.routes import PREFIX, ControlCall, found
from safelight.mockserver.model.keys import FINGERPRINT, FORM, sent_key
from safelight.mockserver.model.messages import Refused, Reply, Request, Stream, failure, success
from safelight.mockserver.service.effort import Effort
from safelight.mockserver.service.service import Service
from safelight.mockserver.service.workers import in_worker
from safelight.mockserver.storage.store import NoSession, StoreGone
from safelight.traffic.redaction import redacted_value

_LOG: Final = logging.getLogger("safelight")


@dataclass(frozen=True, slots=True)
class Control:
    """The routes under `/_safelight/`. With a `token` each request has to bring it, from wherever it comes.

    With a `port` they answer there alone: the server then listens on it too. `hosts` are further names under which
    they may be called, and `origins` those of other sites' pages that may call them. With a `page` a browser finds at
    `/` what shows the sessions and controls them.
    """

    token: str | None = field(default=None, repr=False)
    port: int | None = None
    hosts: Collection[str] = ()
    origins: Collection[str] = ()
    page: bool = False

    def __post_init__(self) -> None:
        if self.token is not None and not FORM.fullmatch(self.token):
            raise ValueError("this is no token: a header carries 1 to 200 visible ASCII characters")

    def takes(
        self,
        method: str,
        path: str,
        query: bytes,
        headers: Mapping[str, str],
        server: tuple[str, int | None] | None,
    ) -> bool:
        """A request for this target, which came in at this host and port, is for a control route or the page."""
        is_ours = path.startswith(f"{PREFIX}/") or (self.page and is_home(method, path, query, headers))
        return is_ours and self.port in (None, server[1] if server else None)

    async def answer(self, service: Service, request: Request) -> Reply | Stream:
        """The reply to one request. It is in no journal, and no key is in it: all that is said goes out here.

        A worker makes it, from the first byte of the body to the last of the answer: no list keeps the loop.
        """
        if asked := preflight(request, self.origins):
            return readable(asked, request, self.origins)
        answer = await in_worker(Effort.CONTROL, partial(self._answer, service, request))
        # What only waits has no need of a worker, of which there are few.
        given = answer if isinstance(answer, Reply | Stream) else await answer
        if isinstance(given, Stream):
            return given._replace(head=readable(given.head, request, self.origins))
        return readable(given, request, self.origins)

    def _answer(self, service: Service, request: Request) -> Reply | Stream | Awaitable[Reply | Stream]:
        key = sent_key(request)[0]
        secrets = with_keys(service.sessions.secrets, key)
        try:
            with _refusals(request, secrets):
                if self.page and (file := file_at(request.path)):
                    check = check_visitor if request.path == HOME else check_sender
                    check(request, self.token, self.hosts, self.origins)
                    return file
                check_access(request, self.token, self.hosts, self.origins)
                key = key or _named_key(service, request)
                secrets = with_keys(secrets, key)
                answer = self._routed(service, request, key, secrets)
                return _waited(answer, request, secrets) if isawaitable(answer) else _reply(answer, secrets)
        except Refused as refused:
            return _failure(refused, secrets)

    def _routed(self, service: Service, request: Request, key: str, secrets: AbstractSet[str]) -> Any:
        """What the route's function answers, or `Refused`."""
        method = "GET" if request.method == "HEAD" else request.method
        route, path_parameters = found(method, request.path.removeprefix(PREFIX))
        body, query = body_of(request, route.body), query_of(request, route.query)
        asked = ControlCall(service, request, key, secrets, self.token is not None, path_parameters, body, query)
        return route.handled(asked)


def _named_key(service: Service, request: Request) -> str:
    """The key of the session whose fingerprint a request without a key brings: the page has no key."""
    name = request.headers.get(SESSION, "")
    state = service.sessions.store.look(name) if FINGERPRINT.fullmatch(name) else None
    if name and state is None:
        raise Refused(404, f"No session has the fingerprint {shown(name)}: {PREFIX}/sessions lists those there are")
    return state.key if state else ""


async def _waited(
    answer: Awaitable[Mapping[str, Any] | Reply], request: Request, secrets: AbstractSet[str]
) -> Reply | Stream:
    """The reply of a function that waits."""
    try:
        with _refusals(request, secrets):
            return _reply(await answer, secrets)
    except Refused as refused:
        return _failure(refused, secrets)


@contextmanager
def _refusals(request: Request, secrets: AbstractSet[str]) -> Iterator[None]:
    """Whatever goes wrong within the block becomes `Refused`."""
    try:
        yield
    except NoSession:
        raise Refused(404, "The session of this key was closed meanwhile") from None
    except StoreGone as gone:
        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"Service unavailable: {gone}") from None
    except ValueError as error:  # what a session, a plan or a clock refuses is worded for people
        raise Refused(400, f"Invalid request: {error}") from None
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - whatever is wrong here, a client gets the published envelope
        _LOG.exception("the fake failed to answer %s", redacted(f"{request.method} {request.path}", secrets))
        raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error") from None


def _reply(answer: Mapping[str, Any] | Reply | Stream, secrets: AbstractSet[str]) -> Reply | Stream:
    return answer if isinstance(answer, Reply | Stream) else success(redacted_value(dict(answer), secrets))


def _failure(refused: Refused, secrets: AbstractSet[str]) -> Reply:
    return failure(refused.status, redacted(refused.message, secrets), refused.headers)
