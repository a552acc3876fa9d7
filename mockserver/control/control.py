"""Control beside the API: the options of a server's control, and the reply to each request."""

import logging
from dataclasses import dataclass, field
from http import HTTPStatus
from inspect import iscoroutinefunction
from typing import Final

from starlette.concurrency import run_in_threadpool

from safelight.mockserver.control.access import check_access
from safelight.mockserver.control.bodies import body_of, query_of
from safelight.mockserver.control.routes import PREFIX, ControlCall, found
from safelight.mockserver.model.keys import FORM, sent_key
from safelight.mockserver.model.messages import Refused, Reply, Request, failure, success
from safelight.mockserver.service.service import Service
from safelight.mockserver.storage.store import NoSession
from safelight.traffic.redaction import redacted, redacted_value

_LOG: Final = logging.getLogger("safelight")


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
        """A request for this path, which came in at this host and port, is for a control route."""
        return path.startswith(f"{PREFIX}/") and self.port in (None, server[1] if server else None)

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
        route, path_parameters = found(method, request.path.removeprefix(PREFIX))
        body, query = body_of(request, route.body), query_of(request, route.query)
        asked = ControlCall(service, key, self.token is not None, path_parameters, body, query)
        # What only waits has no need of a worker, of which there are few.
        if iscoroutinefunction(route.handler):
            answer = await route.handler(asked)
        else:
            answer = await run_in_threadpool(route.handled, asked)
        return answer if isinstance(answer, Reply) else success(redacted_value(dict(answer), key))
