"""From a picture's description to a film: two seconds of WebM that can be shown over and over.

VP8 is what lossy WebP is made of: each frame is a WebP of Pillow's without its wrapping, and a key frame.
"""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from math import cos, sin, tau
from random import Random
from typing import Final

from PIL import Image

from safelight.mockserver.pictures.picture import Picture, chunks
from safelight.mockserver.pictures.scene import Scene, captioned, random_of, scene_of
from safelight.mockserver.pictures.webm import webm

#: Frames of a film, and frames a second.
FRAMES: Final = 20
RATE: Final = 10
#: Pixels of the longer side of a film with a ground.
MAX_SIDE: Final = 2_048
#: How much larger than the frame the scene is that the camera moves over.
ROOM: Final = 1.125

Box = tuple[float, float, float, float]


def film(picture: Picture) -> bytes:
    """The WebM, with the size of the picture and its text as tags; a ground has sides of at most `MAX_SIDE`."""
    longest = min(picture.longest or MAX_SIDE, MAX_SIDE)
    scene = scene_of(replace(picture, longest=longest), ROOM)
    size = scene.picture.width, scene.picture.height
    frames = [_frame(scene, box, size) for box in _ride(scene.tones.size, random_of(picture))]
    return webm(frames, size, rate=RATE, tags=chunks(scene.picture))


def _ride(size: tuple[int, int], random: Random) -> Iterator[Box]:
    """What the camera sees in each frame: all of it, then less, off and on to one side, and at last all again."""
    aside, down = random.choice((-1, 1)), random.choice((-1, 1))
    for i in range(FRAMES):
        angle = tau * i / FRAMES
        away = (1 - 1 / ROOM) * (1 - cos(angle)) / 2
        left, top = (away * (1 + turn) / 2 for turn in (aside * sin(angle), down * cos(angle)))
        yield (left * size[0], top * size[1], (left + 1 - away) * size[0], (top + 1 - away) * size[1])


def _frame(scene: Scene, box: Box, size: tuple[int, int]) -> bytes:
    """A VP8 key frame: what is in `box`, with the caption over it."""
    out = BytesIO()
    image = captioned(scene, scene.tones.resize(size, Image.Resampling.BILINEAR, box))
    image.convert("RGB").save(out, "WEBP", quality=70, method=0)  # the quickest method
    webp = out.getvalue()  # after the RIFF header of 12 bytes one chunk: a name, a length, the frame
    assert webp[12:16] == b"VP8 ", "a lossy WebP without transparency has one chunk"
    return webp[20 : 20 + int.from_bytes(webp[16:20], "little")]
