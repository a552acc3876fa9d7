"""The ground: an input picture, opened as if its sender meant harm, and cut from paper, in steps with a shadow."""

import threading
import warnings
from contextlib import suppress
from io import BytesIO
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageOps

#: Pillow reads more, and some of that runs other programs.
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
#: A picture with more pixels is not opened.
MAX_PIXELS: Final = 40_000_000
#: Nor is one with a side of more pixels, or with more scans, for each of which a JPEG decoder walks the whole picture.
MAX_SIDE: Final = 20_000
MAX_SCANS: Final = 100
#: BMP's run lengths, which Pillow decodes in Python, byte by byte.
RUNS: Final = (1, 2)
#: The darkest and the lightest paper.
DARK: Final = 26
LIGHT: Final = 238
#: How steep the edge of a step is: 1 is a ramp without steps.
BITE: Final = 5
#: How far a shadow falls, as a part of the longer side.
REACH: Final = 1 / 240
#: What shows where an input is transparent.
BACKING: Final = 255
#: Filters of warnings belong to the whole process, so that one thread at a time changes them.
_QUIET: Final = threading.Lock()


def ground_of(data: bytes) -> Image.Image | None:
    """The first frame as tones, upright, or None for what is no picture, is not whole, or is too large."""
    if data.count(b"\xff\xda") > MAX_SCANS:
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
        is_large = image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE
        if is_large or image.info.get("compression") in RUNS:
            return None
        image.load()
        tones = _opaque(image)
        with suppress(Exception):  # EXIF data that cannot be read turn nothing
            ImageOps.exif_transpose(tones, in_place=True)
        return tones


def _opaque(image: Image.Image) -> Image.Image:
    """One plane of tones, on the backing where the image is transparent."""
    if image.mode.startswith("I"):  # 16 bits, of which Pillow would cut off the upper ones
        return image.convert("I").point(lambda tone: tone * (1 / 256) + 0).convert("L")
    if not image.has_transparency_data:
        return image.convert("L")
    clear = image.convert("RGBA")
    tones = clear.convert("L")
    tones.paste(BACKING, mask=ImageChops.invert(clear.getchannel("A")))
    return tones


def cutout(tones: Image.Image, random: Random) -> Image.Image:
    """The picture without its caption, as tones; number of steps and side of the shadow are by chance."""
    reach = max(tones.size) * REACH
    steps, aside = random.randint(5, 8), random.choice((-1, 1))
    smooth = ImageOps.autocontrast(tones, cutoff=1).filter(ImageFilter.GaussianBlur(reach / 3))
    layers = smooth.point(_stairs(steps))
    return ImageChops.subtract(layers, _shadow(layers, reach, aside))


def _stairs(steps: int) -> list[int]:
    """A table from tones to papers: flat at each step, steep but smooth in between."""
    table = []
    for tone in range(256):
        step, part = divmod(tone * (steps - 1) / 255, 1)
        rise = part**BITE / (part**BITE + (1 - part) ** BITE)
        table.append(round(DARK + (step + rise) * (LIGHT - DARK) / (steps - 1)))
    return table


def _shadow(layers: Image.Image, reach: float, aside: int) -> Image.Image:
    """How much darker each place is, because lighter paper, which lies higher, is near it, up and to one side."""
    right, down = -aside * round(reach), -round(reach)
    cast = layers.filter(ImageFilter.GaussianBlur(reach))
    moved = cast.crop((right, down, right + layers.width, down + layers.height))
    return ImageChops.subtract(moved, layers).point([shade * 7 // 10 for shade in range(256)])
