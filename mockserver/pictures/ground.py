"""The ground: an input picture that is drawn over, opened as if its sender meant harm."""

import threading
import warnings
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any, Final

from PIL import ExifTags, Image

#: Pillow reads more, and some of that runs other programs.
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
#: A picture with more of them is not opened.
MOST_PIXELS: Final = 40_000_000
#: Nor is one with a longer side, or with more scans, each of which a JPEG decoder goes over the whole picture in.
LONGEST_SIDE: Final = 20_000
MOST_SCANS: Final = 100
#: BMP's run lengths, which Pillow decodes in Python, byte by byte.
RUNS: Final = (1, 2)
#: What shows where an input is transparent.
BACKING: Final = 255

#: What makes a picture upright, for each orientation in EXIF data.
TURNS: Final[Mapping[Any, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: Filters of warnings belong to the whole process, so that one thread at a time changes them.
_QUIET: Final = threading.Lock()


def ground_of(data: bytes) -> Image.Image | None:
    """The first frame as tones, upright, or None for what is no picture, is not whole, or is too large."""
    if data.count(b"\xff\xda") > MOST_SCANS:
        return None
    with _QUIET, warnings.catch_warnings(action="ignore"):
        try:
            return _tones(data)
        except Exception:  # noqa: BLE001 - whatever is wrong here, a client gets the published envelope
            return None


def fitted(size: tuple[int, int], longest: int | None) -> tuple[int, int]:
    """`size`, scaled down so that no side is longer than `longest`, and none is gone."""
    width, height = size
    scale = min(1, (longest or max(size)) / max(size))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _tones(data: bytes) -> Image.Image | None:
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        if (
            image.width * image.height > MOST_PIXELS
            or max(image.size) > LONGEST_SIDE
            or image.info.get("compression") in RUNS
        ):
            return None
        image.load()
        return _upright(_opaque(image), image)


def _opaque(image: Image.Image) -> Image.Image:
    """One plane of tones, on the backing where the image is transparent."""
    if image.mode.startswith("I"):  # 16 bits, of which Pillow would cut off the upper ones
        return image.convert("I").point(lambda tone: tone * (1 / 256) + 0).convert("L")
    if not image.has_transparency_data:
        return image.convert("L")
    clear = image.convert("RGBA")
    tones = Image.new("L", image.size, BACKING)
    tones.paste(clear.convert("L"), mask=clear.getchannel("A"))
    return tones


def _upright(tones: Image.Image, image: Image.Image) -> Image.Image:
    """`tones`, turned as the EXIF data of `image` say, if they can be read."""
    turn = None
    with suppress(Exception):
        turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    return tones if turn is None else tones.transpose(turn)
