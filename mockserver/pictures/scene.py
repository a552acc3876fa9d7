"""The scene: what pictures and films show, before the caption is written on it."""

import json
from dataclasses import dataclass, replace
from math import ceil
from random import Random

from PIL import Image

from safelight.mockserver.pictures.cutout import cutout
from safelight.mockserver.pictures.ground import fitted, ground_of
from safelight.mockserver.pictures.palettes import PALETTES, ramp
from safelight.mockserver.pictures.paper import paper
from safelight.mockserver.pictures.picture import Picture


@dataclass(frozen=True, slots=True)
class Scene:
    """The picture as it really is (its size, and a ground only if it has one), the tones, and their 256 colours."""

    picture: Picture
    tones: Image.Image
    colours: bytes


def scene_of(picture: Picture, room: float = 1.0) -> Scene:
    """The ground, cut, where there is one, and paper where not; `room` times as large as the picture."""
    random = random_of(picture)
    ground = ground_of(picture.ground) if picture.ground else None
    picture = _in_size(picture, fitted(ground.size, picture.longest)) if ground else replace(picture, ground=None)
    size = ceil(picture.width * room), ceil(picture.height * room)
    tones = cutout(_scaled(ground, size), random) if ground else paper(*size, random)
    return Scene(picture, tones, ramp(random.choice(PALETTES)))


def random_of(picture: Picture) -> Random:
    """What is by chance in a picture depends on its seed and prompt."""
    prompt = picture.request.get("prompt")
    text = prompt if isinstance(prompt, str) else json.dumps(prompt)
    return Random(f"{picture.seed:x} {text}".encode("utf-8", "surrogatepass"))


def _in_size(picture: Picture, size: tuple[int, int]) -> Picture:
    return replace(picture, width=size[0], height=size[1])


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2)
