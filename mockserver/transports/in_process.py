"""The core without a socket, for httpx and its successor: one handler, behind a transport or behind a respx router."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from safelight.mockserver.model.messages import Request
from safelight.mockserver.model.wire import ERRORS, AnswerLost
from safelight.mockserver.service.service import Service


def handler(api: Service, library: ModuleType) -> Callable[[Any], Any]:
    """A function from the library's request, whose body is read, to its response. A lost answer is its own error."""

    def answer(request: Any) -> Any:
        reply = api.handle(_request(request))
        reply.deliver()
        if reply.wire and reply.wire.error:
            raise getattr(library, reply.wire.error)(str(AnswerLost(reply.wire)), request=request)
        headers = reply.all_headers
        if request.method == "HEAD":
            return library.Response(reply.status, headers={**headers, "content-length": str(len(reply.body))})
        return library.Response(reply.status, headers=headers, content=reply.body)

    return answer


def transport(api: Service, library: ModuleType) -> Any:
    """The core as a transport of httpx or httpx2, for its clients of both kinds. Raises `ValueError` for others."""
    if not all(hasattr(library, name) for name in ("MockTransport", "Response", *ERRORS)):
        raise ValueError(f"{library.__name__} has no transports: give httpx or httpx2, and to others the URL")
    return library.MockTransport(handler(api, library))


def _request(request: Any) -> Request:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = dict(reversed([(name.lower(), value) for name, value in request.headers.multi_items()]))
    scheme, host = request.url.scheme, request.headers.get("host", request.url.netloc.decode("ascii"))
    return Request(request.method, path, query, headers, request.content, f"{scheme}://{host}")
