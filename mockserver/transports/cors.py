"""CORS: pages of any origin may use the API from a browser. A preflight that is refused says why, in the envelope."""

from collections.abc import Callable, Iterator
from functools import partial

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safelight.contracts.wording import listed, shown
from safelight.mockserver.model.messages import failure, in_dialect


async def send_varying(send: Send, message: Message) -> None:
    """Say that an answer hangs on `Origin`: else a browser gives a page the picture that it has kept without one."""
    if message["type"] == "http.response.start":
        headers = MutableHeaders(scope=message)
        if "origin" not in headers.get("vary", "").lower():
            headers.add_vary_header("Origin")
    await send(message)


class EnvelopeCORS(CORSMiddleware):
    """Starlette's middleware for any origin; `errors` gives the dialect in which a refusal is written."""

    def __init__(self, app: ASGIApp, errors: Callable[[], str]) -> None:
        super().__init__(app, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
        self._errors = errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As Starlette's, of which older versions do not say that an answer hangs on `Origin`."""
        await super().__call__(scope, receive, partial(send_varying, send))

    def preflight_response(self, request_headers: Headers) -> Response:
        """Starlette's answer; a refusal in the envelope. Starlette before 0.51 leaves it to the browser to refuse."""
        answer = super().preflight_response(request_headers)
        reasons = list(self._reasons(request_headers))
        if answer.status_code == 200 and not reasons:  # noqa: PLR2004 - it is allowed
            return answer
        reasons = reasons or ["this page may not send it"]
        reply = in_dialect(failure(400, f"Preflight refused: {'; '.join(reasons)}"), self._errors())
        kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
        return Response(reply.body, reply.status, {**kept, **reply.headers}, reply.media_type)

    def _reasons(self, asked: Headers) -> Iterator[str]:
        method = asked["access-control-request-method"]
        if method not in self.allow_methods:
            yield f"no page may send the method {shown(method)}; it may send {listed(self.allow_methods, 'or')}"
        if "access-control-request-private-network" in asked:
            yield "a page of a public network may not reach this one: open the page from this machine"
