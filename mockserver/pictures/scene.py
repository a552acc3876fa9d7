"""The scene that pictures and films show, and its PNG.

Until the end a picture is one 8-bit plane of tones, which makes it fast: the scene lays them, the caption makes some
places darker and some lighter, and a palette turns them into colours.
"""

import json
from dataclasses import dataclass, replace
from io import BytesIO
from math import ceil
from random import Random
from typing import Final

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from safelight.mockserver.pictures.caption import write_caption
from safelight.mockserver.pictures.ground import cutout, fitted, ground_of
from safelight.mockserver.pictures.paper import paper
from safelight.mockserver.pictures.picture import Picture, chunks

#: Six colours each, from dark to light.
PALETTES: Final = tuple(
    line.split()[1:]
    for line in """
    safelight 120306 3d0a10 8c1c13 d8432a f59a57 fde8c8
    amber     140a03 4a2208 9c4f0c e08e1b f7c95c fff3d1
    selenium  17121c 3a2b43 6d4f66 a9808a dcb9ad f8ece0
    cyanotype 04121f 0c2f4f 16598a 4b93bd a5cfdf f3f6ee
    seaglass  06181a 0d3d40 1d7470 59ab96 b1d8b7 f6f4dc
    dusk      1a1033 44206b 8e2f7c d95b6e f7a072 fdeccb
    forest    0b1510 1f3a28 4b6b3a 94a04c d9c97a f8f2d8
    silver    0d0e10 2d3136 5d646b 969da2 cfd2d1 f7f5ef
    reef      0d1b2a 264653 2a7d7f e76f51 f4b266 fdf0d5
    rose      1b0a14 4f1533 9b2a55 da6387 f3a9b4 fdeeea
    aurora    0a0f2c 1b2a6b 2b62a8 3fa7b5 9fe0b0 f9fbe0
    ochre     10131c 2b3550 7a4e48 c97b4a eab873 fbf1da
    """.strip().splitlines()
)


@dataclass(frozen=True, slots=True)
class Scene:
    """The picture as it really is (its size, and a ground only if it has one), the tones, and their 256 colours."""

    picture: Picture
    tones: Image.Image
    colours: bytes


def draw(picture: Picture) -> bytes:
    """The PNG. Its pixels depend on size, ground, seed, prompt and workflow; the task id is in the text chunks only."""
    scene = scene_of(picture)
    out, info = BytesIO(), PngInfo()
    for keyword, text in chunks(scene.picture).items():
        info.add_text(keyword, text)
    captioned(scene, scene.tones).save(out, "PNG", compress_level=1, pnginfo=info)
    return out.getvalue()


def captioned(scene: Scene, tones: Image.Image) -> Image.Image:
    """A view of the scene, with the caption over it, in its colours."""
    write_caption(tones, scene.picture)
    tones.putpalette(scene.colours)
    return tones


def scene_of(picture: Picture, room: float = 1.0) -> Scene:
    """The ground, cut, where there is one, and paper where not; `room` times as large as the picture."""
    random = random_of(picture)
    ground = ground_of(picture.ground) if picture.ground else None
    width, height = fitted(ground.size, picture.longest) if ground else (picture.width, picture.height)
    picture = replace(picture, width=width, height=height, ground=picture.ground if ground else None)
    size = ceil(width * room), ceil(height * room)
    if ground:
        tones = cutout(ground.resize(size, Image.Resampling.BICUBIC, reducing_gap=2), random)
    else:
        tones = paper(*size, random)
    return Scene(picture, tones, _ramp(random.choice(PALETTES)))


def random_of(picture: Picture) -> Random:
    """What is by chance in a picture depends on its seed and prompt."""
    prompt = picture.request.get("prompt")
    text = prompt if isinstance(prompt, str) else json.dumps(prompt)
    return Random(f"{picture.seed:x} {text}".encode("utf-8", "surrogatepass"))


def _ramp(colours: list[str]) -> bytes:
    """256 colours, RGB after RGB, through those given."""
    keys = [bytes.fromhex(colour) for colour in colours]
    found = bytearray()
    for i in range(256):
        place, part = divmod(i * (len(keys) - 1), 255)
        pairs = zip(keys[place], keys[min(place + 1, len(keys) - 1)], strict=True)
        found += bytes(a + (b - a) * part // 255 for a, b in pairs)
    return bytes(found)
