"""What comes of finished tasks, at `/uploads/<fingerprint of the key>/<task id>.png`; no key is needed to fetch it."""

from __future__ import annotations

from functools import cached_property
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from safelight.contracts import Phase, pictures, workflows
from safelight.contracts.operations import defaults, effective, longest_side
from safelight.contracts.secrets import NO_KEYS, with_keys
from safelight.mockserver.model.messages import HEADERS, Refused, Reply, Request
from safelight.mockserver.operations.results import PICTURE, UPLOADS, draw_plain, result_of, upload_path
from safelight.mockserver.sessions.session import Session
from safelight.traffic.redaction import redacted_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from safelight.mockserver.model.task import Task
    from safelight.mockserver.pictures import Gallery, Picture
    from safelight.mockserver.storage.store import Store


#: Pixels of a side where nobody says how large a picture is.
_DEFAULT_SIDE_PIXELS: Final = 1024

#: Characters of a picture within a request that are kept as its description.
_MAX_IMAGE_CHARACTERS: Final = 100

#: An edit of an edit and so on: after so many the next one is of a drawn picture, so that none takes long.
_MAX_EDITS: Final = 16


class Uploads:
    """The files of all sessions, drawn when they are first fetched."""

    def __init__(self, store: Store, *, plain: bool = False, max_bytes: int | None = None) -> None:
        self._store = store
        #: Bytes of files that are kept; None: as many as usual.
        self._max_bytes = max_bytes
        #: Pictures are of one tone, which takes a tenth of the time.
        self._is_plain = plain
        #: One picture at a time: each step of Pillow keeps the interpreter to itself, and among several nobody else
        #: would get it for long.
        self._drawing = Lock()

    def owner(self, request: Request) -> str:
        """The name of the session whose file a path means, or `Refused`."""
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "Method not allowed: an upload takes GET or HEAD", {"allow": "GET, HEAD"})
        if self._at(request.path) is None:
            raise NO_SUCH_FILE
        return _parts(request.path)[0]

    def task(self, session: Session, request: Request) -> Task:
        """The task whose file a path means, within the transaction of its session, or `Refused`."""
        task = session.find(_parts(request.path)[1])
        if task is None:
            raise NO_SUCH_FILE
        return task

    def reply(self, session: Session, task: Task) -> Reply:
        """The file of a task that is done."""
        headers = {**HEADERS, "cache-control": "public, max-age=3600"}
        return Reply(200, self._file(session, task), result_of(task).media_type, headers)

    def _at(self, path: str) -> tuple[Session, Task] | None:
        name, task_id = _parts(path)
        state = self._store.look(name)
        session = Session(state) if state else None
        task = session and session.find(task_id)
        return (session, task) if session and task and upload_path(session.key, task) == _file_in(path) else None

    def _file(self, session: Session, task: Task) -> bytes:
        """The file of a task, from the gallery once it was drawn."""
        draw = draw_plain if self._is_plain and result_of(task) is PICTURE else result_of(task).draw

        def drawn() -> bytes:
            picture = self._picture(session, task)  # which may have to draw another one first
            with self._drawing:
                return draw(picture)

        return self._gallery.file((session.data.identity, task.number), drawn)

    def _picture(self, session: Session, task: Task) -> Picture:
        """What is to be drawn: the size of the request times the scale of its workflow; or the picture that was sent.

        Without the key of its session, wherever the request may hold it: anybody may fetch it.
        """
        from safelight.mockserver.pictures import Picture  # noqa: PLC0415 - Pillow is needed when a picture is

        parameters = effective(task.operation, task.request, task.workflow)
        width, height = (
            ceil(int(parameters.get(side, _DEFAULT_SIDE_PIXELS)) * _scale(task)) for side in ("width", "height")
        )
        return Picture(
            width,
            height,
            seed=task.seed,
            task_id=task.id,
            request=_description(task, session.key),
            ground=self._ground(task, parameters.get("image")),
            longest=longest_side(task.operation),
        )

    def _ground(self, task: Task, image: str | None) -> bytes | None:
        """The picture that was sent, or that the fake has drawn itself. Nothing is fetched from anywhere."""
        if image is None:
            return None
        if not pictures.is_url(image):
            return pictures.decoded(image)
        if (source := self._source(image)) and self._generation(task) % _MAX_EDITS:
            return self._file(*source)
        return None

    def _source(self, image: object) -> tuple[Session, Task] | None:
        """The finished task whose picture a URL means, whatever name of this machine stands in it."""
        found = self._at(_path(image)) if isinstance(image, str) else None
        is_there = found and result_of(found[1]) is PICTURE and found[0].state(found[1]).phase is Phase.DONE
        return found if is_there else None

    def _generation(self, task: Task) -> int:
        """How many edits lie between a task and what was drawn; 0 where they go in a circle, as ids can be foretold."""
        seen = {task}
        while source := self._source(task.request.get("image")):
            _, task = source
            if task in seen:
                return 0
            seen.add(task)
        return len(seen) - 1

    @cached_property
    def _gallery(self) -> Gallery:
        from safelight.mockserver.pictures import Gallery  # noqa: PLC0415 - as above

        return Gallery() if self._max_bytes is None else Gallery(limit=self._max_bytes)


NO_SUCH_FILE: Final = Refused(404, "No such picture: the URL is not one that a task was answered with")


#: Parts of the path of a file: uploads, the session, the file.
_FILE_PARTS: Final = 3


def _file_in(path: str) -> str:
    """The path of a file without what follows it, another name: PHP ignores that too."""
    file, _, other = path.rpartition("/")
    return file if other and file.count("/") == _FILE_PARTS else path


def _parts(path: str) -> tuple[str, str]:
    """The name of the session and the id of the task in a path."""
    name, _, file = _file_in(path).removeprefix(UPLOADS).partition("/")
    return name, unquote(file.rpartition(".")[0])


def _scale(task: Task) -> float:
    return workflows()[task.workflow].scale if task.workflow in workflows() else 1


def _description(task: Task, key: str) -> Mapping[str, Any]:
    """The request as it is written into a picture: with what was left out, and of a picture in it the beginning."""
    own = {"workflow": task.workflow} if task.workflow in workflows() else {}
    description: dict[str, Any] = redacted_value(
        {**own, **defaults(task.operation, task.workflow), **task.request}, with_keys(NO_KEYS, key)
    )
    image = description.get("image", "")
    if len(image) > _MAX_IMAGE_CHARACTERS:
        description["image"] = f"{image[:_MAX_IMAGE_CHARACTERS]}… ({len(image):,} characters)"
    return description


def _path(url: str) -> str:
    """The path of a file in a URL, whatever stands before it."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return path[path.find(UPLOADS) :] if UPLOADS in path else ""
