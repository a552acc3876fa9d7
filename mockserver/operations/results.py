"""What comes of a task that is done: a file, drawn when it is first fetched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from safelight.mockserver.model.keys import fingerprint
from safelight.mockserver.operations import operations

if TYPE_CHECKING:
    from safelight.mockserver.model.task import Task
    from safelight.mockserver.pictures import Picture


from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.mockserver.pictures import Picture


@dataclass(frozen=True, slots=True)
class ResultKind:
    """A kind of file: how it is called and drawn, and the fields in which a poll says where it is."""

    suffix: str
    media_type: str
    fields: tuple[str, ...]
    draw: Callable[[Picture], bytes]


def _picture(picture: Picture) -> bytes:
    from safelight.mockserver.pictures import draw  # noqa: PLC0415 - Pillow is needed when a picture is

    return draw(picture)


def draw_plain(picture: Picture) -> bytes:
    """A picture of one tone."""
    from safelight.mockserver.pictures import draw_plain  # noqa: PLC0415 - as above

    return draw_plain(picture)


def _film(picture: Picture) -> bytes:
    from safelight.mockserver.pictures import film  # noqa: PLC0415 - as above

    return film(picture)


PICTURE: Final = ResultKind(".png", "image/png", ("image_url",), _picture)

#: Nobody says which field it is; clients read `video_url`, then `image_url`.
VIDEO: Final = ResultKind(".webm", "video/webm", ("video_url", "image_url"), _film)


UPLOADS: Final = "/uploads/"


@lru_cache(4_096)
def picture_path(key: str, task_id: str, suffix: str = PICTURE.suffix) -> str:
    """Where the file of this name is served."""
    return f"{UPLOADS}{fingerprint(key)}/{quote(task_id, safe='')}{suffix}"


def upload_path(key: str, task: Task) -> str:
    """Where what comes of a task is served."""
    return picture_path(key, task.id, result_of(task).suffix)


def result_of(task: Task) -> ResultKind:
    """What comes of a task."""
    result = operations()[task.operation].result
    assert result is not None, f"tasks of {task.operation} come to nothing: give its operation a result"
    return result
