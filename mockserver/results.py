"""What comes of a task that is done: a file, drawn when it is first fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from safelight.mockserver.pictures import Picture


@dataclass(frozen=True, slots=True)
class Result:
    """A kind of file: how it is called and drawn, and the fields in which a poll says where it is."""

    suffix: str
    media_type: str
    fields: tuple[str, ...]
    draw: Callable[[Picture], bytes]


def _picture(picture: Picture) -> bytes:
    from safelight.mockserver.pictures import draw  # noqa: PLC0415 - Pillow is needed when a picture is

    return draw(picture)


def _film(picture: Picture) -> bytes:
    from safelight.mockserver.pictures import film  # noqa: PLC0415 - as above

    return film(picture)


PICTURE: Final = Result(".png", "image/png", ("image_url",), _picture)

#: Nobody says which field it is; clients read `video_url`, then `image_url`.
VIDEO: Final = Result(".webm", "video/webm", ("video_url", "image_url"), _film)
