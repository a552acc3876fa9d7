"""The servers that are compared, each a process: `python benchmarks/servers.py fake`, `bare` or `asgi`."""

import json
import sys
from collections.abc import Callable

from growth import fill
from stalls import CROWD_KEY, LIVING
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from safelight.mockserver.control.control import Control
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import AppServer, entry_of, listen

_ANSWER = {"success": True, "data": {"status": "queued"}, "error": None}


async def _hello(request: Request) -> JSONResponse:
    if request.method == "POST":
        await request.json()
    return JSONResponse(_ANSWER)


def bare() -> Starlette:
    """One route that reads JSON and does nothing: what Starlette on this server costs by itself."""
    return Starlette(routes=[Route("/v1/index.php", _hello, methods=["GET", "POST"])])


def asgi() -> ASGIApp:
    """An application that reads the body and does nothing: what the server costs by itself."""
    body = json.dumps(_ANSWER).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def answer(_: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def fake() -> Starlette:
    """The fake with its journal and its validation. Its tasks run for ever, and are paid for."""
    return create_app(
        Service(keys=[FAKE_KEY], settings=Settings(task_profile(queued=0, running="never"), balance=10**12))
    )


def crowded() -> Starlette:
    """The fake, controlled, with a session of many living tasks, and one whose tasks are done at once."""
    api = Service(keys=[FAKE_KEY], settings=Settings(task_profile(queued=0, running="never"), balance=10**12))
    api.sessions.open("sk-painter", Settings(task_profile(queued=0, running=0), balance=10**12))
    fill(api.sessions.open(CROWD_KEY), LIVING)
    return create_app(api, control=Control())


if __name__ == "__main__":
    name, *port = sys.argv[1:]
    bound = listen("127.0.0.1", int(port[0]) if port else 0)
    made: dict[str, Callable[[], ASGIApp]] = {"bare": bare, "fake": fake, "asgi": asgi, "crowded": crowded}
    app = made[name]()
    AppServer(app, bound, ready=lambda: print(entry_of(bound), flush=True)).run()
