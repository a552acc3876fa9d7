"""Pictures with a ground: the input is edited, keeps its size up to a limit, and harms nobody."""

import json
import random
import struct
import zlib
from dataclasses import replace
from io import BytesIO
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat
from PIL.PngImagePlugin import PngImageFile

from safelight.mockserver.pictures import Picture, chunks, draw, fitted
from safelight.mockserver.pictures.ground import FORMATS, MAX_PIXELS, ground_of

Size = tuple[int, int]

ORIENTATION: Final = 0x0112
#: How a picture lies in a file that says with this orientation how it was seen.
STORED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
GRADIENT: Final = Image.linear_gradient("L").resize((64, 40))  # dark above, light below


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def edited(ground: bytes, seed: int = 7, longest: int | None = None) -> Picture:
    return Picture(30, 20, seed, "t-1", {"prompt": "make it night"}, ground=ground, longest=longest)


def opened(png: bytes) -> PngImageFile:
    image = Image.open(BytesIO(png))
    assert isinstance(image, PngImageFile)
    image.load()
    return image


def tones(ground: bytes) -> Image.Image:
    found = ground_of(ground)
    assert found is not None
    assert found.mode == "L"
    return found


def fails(ground: bytes) -> bool:
    """Whether it is no ground: the picture is the one that is drawn without."""
    return ground_of(ground) is None and draw(edited(ground)) == draw(replace(edited(ground), ground=None))


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_edited(kind: str) -> None:
    image = opened(draw(edited(encoded(GRADIENT.convert("RGB"), kind))))
    assert image.size == (64, 40)


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_each_mode_becomes_tones(mode: str, kind: str) -> None:
    found = tones(encoded(GRADIENT.convert("RGB").convert(mode), kind))
    top, bottom = (ImageStat.Stat(found.crop((0, y, 64, y + 10))).mean[0] for y in (0, 30))
    assert (top < 80, bottom > 170) == (True, True)


def test_16_bits_become_8() -> None:
    assert tones(encoded(Image.new("I;16", (2, 2), 40_000))).getpixel((0, 0)) == 40_000 // 256


def test_a_photograph_for_print_is_edited() -> None:
    assert tones(encoded(GRADIENT.convert("RGB").convert("CMYK"), "JPEG")).size == (64, 40)


@pytest.mark.parametrize(
    "png",
    [
        encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 0))),
        encoded(Image.new("LA", (8, 8), (0, 0))),
        encoded(Image.new("P", (8, 8)), transparency=bytes(256)),
        encoded(Image.new("L", (8, 8)), transparency=0),
        encoded(Image.new("RGB", (8, 8)), transparency=(0, 0, 0)),
    ],
)
def test_what_is_transparent_is_white(png: bytes) -> None:
    assert tones(png).getextrema() == (255, 255)


def test_the_first_frame_counts() -> None:
    frames = [Image.new("L", (8, 8), tone) for tone in (200, 100, 0)]
    assert tones(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])).getextrema() == (200, 200)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_ground_is_upright(orientation: int, kind: str) -> None:
    """What a camera held in any way writes down is shown as it was seen."""
    seen = Image.new("L", (64, 40))
    seen.paste(255, (0, 0, 16, 40))
    seen.paste(128, (0, 0, 16, 10))
    stored = seen.transpose(STORED[orientation]) if orientation in STORED else seen
    found = tones(encoded(stored, kind, exif=turned(orientation)))
    assert found.size == seen.size
    assert ImageStat.Stat(ImageChops.difference(found, seen)).mean[0] < 4


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01"])
def test_exif_data_that_nobody_can_read_turn_nothing(exif: bytes) -> None:
    assert tones(encoded(GRADIENT, "JPEG", exif=exif)).size == GRADIENT.size


def test_a_wrong_animation_is_no_warning() -> None:
    png, chunk = encoded(GRADIENT), b"acTL" + bytes(8)
    start = len(b"\x89PNG\r\n\x1a\n") + 25
    bad = struct.pack(">I", 8) + chunk + struct.pack(">I", zlib.crc32(chunk))
    assert tones(png[:start] + bad + png[start:]).size == GRADIENT.size


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_cut_off_is_no_ground(kind: str) -> None:
    whole = encoded(GRADIENT.convert("RGB"), kind)
    assert [end for end in (1, 10, 30, len(whole) // 2, len(whole) - 30) if not fails(whole[:end])] == []


@pytest.mark.parametrize(
    "data",
    [b"a lamp", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0\n", encoded(GRADIENT, "TIFF")],
    ids=["text", "png", "gif", "postscript", "tiff"],
)
def test_what_is_no_picture_is_no_ground(data: bytes) -> None:
    assert fails(data)


@pytest.mark.parametrize("size", [(MAX_PIXELS + 1, 1), (8_001, 5_000), (10_000, 9_500), (20_000, 10_001)])
def test_too_many_pixels_are_no_ground(size: Size) -> None:
    """From 90 million on Pillow warns, and from 179 on it refuses."""
    assert fails(encoded(Image.new("1", size)))


@pytest.mark.parametrize("kind", FORMATS)
def test_damage_does_no_harm(kind: str) -> None:
    whole, chance = encoded(GRADIENT.convert("RGB"), kind), random.Random(kind)
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(min(120, len(data)))] = chance.randrange(256)
        found = ground_of(bytes(data))
        assert found is None or found.mode == "L"


@pytest.mark.parametrize(
    ("size", "longest", "fit"),
    [
        ((64, 40), None, (64, 40)),
        ((64, 40), 64, (64, 40)),
        ((64, 40), 2_000, (64, 40)),
        ((64, 40), 32, (32, 20)),
        ((41, 63), 20, (13, 20)),
        ((3_000, 1), 100, (100, 1)),
        ((1, 1), 1, (1, 1)),
    ],
)
def test_an_edited_picture_has_the_size_of_its_ground_up_to_a_limit(size: Size, longest: int | None, fit: Size) -> None:
    assert opened(draw(edited(encoded(Image.new("L", size, 90)), longest=longest))).size == fit


@given(st.tuples(st.integers(1, 50_000), st.integers(1, 50_000)), st.integers(1, 5_000))
def test_what_is_fitted_keeps_its_form(size: Size, longest: int) -> None:
    fit = fitted(size, longest)
    assert max(fit) == min(longest, max(size))
    assert all(abs(to - side * max(fit) / max(size)) <= 1 for side, to in zip(size, fit, strict=True))


def test_text_and_caption_name_the_real_size() -> None:
    picture = edited(encoded(GRADIENT.resize((640, 400))), longest=320)
    real = replace(picture, width=320, height=200)
    text = opened(draw(picture)).text
    assert text == chunks(real)
    assert (json.loads(text["safelight"])["width"], "Size: 320x200" in text["parameters"]) == (320, True)
    assert draw(picture) == draw(real)


def test_the_same_edited_picture_has_the_same_bytes() -> None:
    ground = encoded(GRADIENT)
    assert draw(edited(ground)) == draw(edited(bytes(bytearray(ground))))


def test_another_seed_or_ground_is_another_picture() -> None:
    flipped = GRADIENT.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    pictures = [edited(encoded(GRADIENT)), edited(encoded(GRADIENT), seed=8), edited(encoded(flipped))]
    assert len({opened(draw(picture)).convert("RGB").tobytes() for picture in pictures}) == len(pictures)


@pytest.mark.parametrize("seed", range(5))
def test_the_input_is_recognised(seed: int) -> None:
    """Light stays light and dark stays dark, in few steps."""
    disc = Image.radial_gradient("L")
    shown = opened(draw(edited(encoded(disc), seed))).convert("L")
    middle, corner = (ImageStat.Stat(shown.crop((x, x, x + 20, x + 20))).mean[0] for x in (118, 0))
    assert middle + 100 < corner


def scans(count: int) -> bytes:
    """A progressive JPEG with its last scan so many times: each is decoded over the whole picture."""
    out = BytesIO()
    Image.new("L", (64, 64), 90).save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * count + whole[-2:]


def bitmap(width: int, data: bytes, compression: int) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, 1, 1, 8, compression, len(data), 0, 0, 256, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + 1024 + len(data), 0, 0, 54 + 1024) + head + bytes(1024) + data


def long_png(width: int) -> bytes:
    out = BytesIO()
    Image.new("1", (width, 1)).save(out, "PNG")
    return out.getvalue()


#: Small files that take long to decode, and the nearest that do not.
BOMBS: Final[dict[str, tuple[bytes, bool]]] = {
    "a few scans": (scans(5), True),
    "many scans": (scans(101), False),
    "a plain bitmap": (bitmap(4, bytes(4), 0), True),
    "a bitmap of runs": (bitmap(4, b"\x04\x05\x00\x01", 1), False),
    "a long picture": (long_png(20_000), True),
    "a longer one": (long_png(20_001), False),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_small_and_takes_long_is_no_ground(name: str) -> None:
    data, is_ground = BOMBS[name]
    assert (ground_of(data) is not None) is is_ground
