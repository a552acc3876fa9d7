"""The servers that are compared, each in a process of its own: `python benchmarks/servers.py bare`, or `fake`."""

import sys

from growth import fill
from stalls import CROWD_KEY, LIVING
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from safelight.mockserver.control.control import Control
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.model.settings import Settings
from safelight.mockserver.service.service import Service
from safelight.mockserver.sessions.opening import task_profile
from safelight.mockserver.transports.asgi import create_app
from safelight.mockserver.transports.server import AppServer, entry_of, listen


async def _hello(_: Request) -> JSONResponse:
    return JSONResponse({"success": True, "data": {"status": "queued"}, "error": None})


def bare() -> Starlette:
    """One route that does nothing: what Starlette on this server costs by itself."""
    return Starlette(routes=[Route("/v1/index.php", _hello, methods=["GET", "POST"])])


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
    bound = listen("127.0.0.1", 0)
    app = {"bare": bare, "fake": fake, "crowded": crowded}[sys.argv[1]]()
    AppServer(app, bound, ready=lambda: print(entry_of(bound), flush=True)).run()
