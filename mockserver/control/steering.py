"""Control beside the API: what a server is told about it, and the reply to each request."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool

from safelight.mockserver.control.access import check_access
from safelight.mockserver.control.bodies import body_of, query_of
from safelight.mockserver.control.routes import PREFIX, ControlCall, Route, found
from safelight.mockserver.model.keys import FORM, sent_key
from safelight.mockserver.model.messages import Refused, Reply, failure, success
from safelight.mockserver.storage.store import NoSession
from safelight.traffic.redaction import redacted, redacted_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.model.messages import Request
    from safelight.mockserver.service.service import Service

_LOG: Final = logging.getLogger("safelight")


#: How the paths of all routes begin.
_BEGIN: Final = f"{PREFIX}/"


@dataclass(frozen=True, slots=True)
class Control:
    """The routes under `/_safelight/`. With a `token` each request has to bring it, from wherever it comes.

    With a `port` they answer there alone: the server then listens on it too.
    """

    token: str | None = field(default=None, repr=False)
    port: int | None = None

    def __post_init__(self) -> None:
        if self.token is not None and not FORM.fullmatch(self.token):
            raise ValueError("this is no token: a header carries 1 to 200 visible ASCII characters")

    def takes(self, path: str, server: tuple[str, int | None] | None) -> bool:
        """A request for this path, which came in at this host and port, is one of these."""
        return path.startswith(_BEGIN) and self.port in (None, server[1] if server else None)

    async def answer(self, service: Service, request: Request) -> Reply:
        """The reply to one request. It is in no journal, and no key is in it."""
        key = sent_key(request)[0]
        try:
            return await self._answer(service, request, key)
        except Refused as refused:
            return failure(refused.status, redacted(refused.message, key), refused.headers)
        except NoSession:
            return failure(404, "The session of this key was closed meanwhile")
        except ValueError as error:  # what a session, a plan or a clock refuses is worded for people
            return failure(400, redacted(f"Invalid request: {error}", key))
        except Exception:  # noqa: BLE001 - whatever is wrong here, a client gets the published envelope
            _LOG.exception("the fake failed to answer %s", redacted(f"{request.method} {request.path}", key))
            return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error")

    async def _answer(self, service: Service, request: Request, key: str) -> Reply:
        check_access(request, self.token)
        method = "GET" if request.method == "HEAD" else request.method
        route, places = found(method, [unquote(part) for part in request.path.removeprefix(PREFIX).split("/")])
        body, query = body_of(request, route.body), query_of(request, route.query)
        asked = ControlCall(service, key, self.token is not None, places, body, query)
        handler: Any = route.handler
        # What only waits has no need of a worker, of which there are few.
        is_waiting = iscoroutinefunction(handler)
        answer = await (handler(asked) if is_waiting else run_in_threadpool(_handled, route, asked))
        return answer if isinstance(answer, Reply) else _enveloped(answer, key)


def _handled(route: Route, asked: ControlCall) -> Any:
    """What the function of a route answers, within the transaction of the session that it is about."""
    if not route.is_own or route.enters:
        return route.handler(asked)
    with asked.entering() as session:
        return route.handler(asked._replace(entered=session))


def _enveloped(data: Mapping[str, Any], key: str) -> Reply:
    return success(redacted_value(dict(data), key))
