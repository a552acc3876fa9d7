"""Pictures of finished tasks, at `/uploads/<fingerprint of the key>/<task id>.png`; no key is needed to fetch one."""

from __future__ import annotations

from functools import cached_property, lru_cache
from math import ceil
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from safelight.contracts import Phase, defaults, workflows
from safelight.mockserver.messages import Refused, Reply, Request
from safelight.mockserver.redaction import redacted_document
from safelight.mockserver.session import Session, fingerprint

if TYPE_CHECKING:
    from safelight.mockserver.pictures import Gallery, Picture
    from safelight.mockserver.store import Task

UPLOADS: Final = "/uploads/"

_SUFFIX: Final = ".png"


@lru_cache(4_096)
def picture_path(key: str, task_id: str) -> str:
    """Where the picture of a task is served."""
    return f"{UPLOADS}{fingerprint(key)}/{quote(task_id, safe='')}{_SUFFIX}"


class Uploads:
    """The pictures of all sessions, drawn when they are first fetched."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def open(self, session: Session) -> None:
        """Serve the pictures of this session."""
        self._sessions[fingerprint(session.key)] = session

    def close(self, session: Session) -> None:
        """Serve them no longer."""
        if self._sessions.get(fingerprint(session.key)) is session:
            del self._sessions[fingerprint(session.key)]

    def find(self, request: Request) -> tuple[Session, Task]:
        """Whose picture a path means, and of which task, or `Refused`."""
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "Method not allowed: a picture takes GET or HEAD", {"allow": "GET, HEAD"})
        owner, _, name = request.path.removeprefix(UPLOADS).partition("/")
        session = self._sessions.get(owner)
        task = session and session.find(unquote(name.removesuffix(_SUFFIX)))
        if not session or not task or picture_path(session.key, task.id) != request.path:
            raise Refused(404, "No such picture: the URL is not one that a task was answered with")
        return session, task

    def reply(self, session: Session, task: Task) -> Reply:
        """The picture of a task that is done, or `Refused`."""
        if session.state(task).phase is not Phase.DONE:
            raise Refused(404, "No such picture yet: its task is not done")
        png = self._gallery.png((session, task.number), picture_of(task, session.key))
        return Reply(200, png, "image/png", {"cache-control": "public, max-age=3600"})

    @cached_property
    def _gallery(self) -> Gallery:
        from safelight.mockserver.pictures import Gallery  # noqa: PLC0415 - Pillow is needed when a picture is

        return Gallery()


def picture_of(task: Task, key: str) -> Picture:
    """What is to be drawn for a task: the size asked for, times what its workflow makes of it.

    Without the key of its session, wherever the request may hold it: anybody may fetch a picture.
    """
    from safelight.mockserver.pictures import Picture  # noqa: PLC0415 - as above

    parameters = redacted_document({**defaults(task.operation, task.workflow), **task.request}, key)
    scale = workflows()[task.workflow].scale
    width, height = (ceil(int(parameters[side]) * scale) for side in ("width", "height"))
    return Picture(width, height, seed=task.seed, task_id=task.id, request=parameters)
