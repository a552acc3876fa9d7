"""From a picture's description to its PNG.

Until the end the picture is one 8-bit plane of tones, which makes it fast: the paper lays them, the caption makes some
places darker and some lighter, and a palette turns them into colours.
"""

import json
from io import BytesIO
from random import Random

from PIL.PngImagePlugin import PngInfo

from safelight.mockserver.pictures.caption import write_caption
from safelight.mockserver.pictures.palettes import PALETTES, ramp
from safelight.mockserver.pictures.paper import paper
from safelight.mockserver.pictures.picture import Picture
from safelight.mockserver.pictures.text_chunks import chunks


def draw(picture: Picture) -> bytes:
    """The PNG. Its pixels depend on size, seed, prompt and workflow; the task id is in the text chunks only."""
    random = _random(picture)
    image = paper(picture.width, picture.height, random)
    write_caption(image, picture)
    image.putpalette(ramp(random.choice(PALETTES)))
    out = BytesIO()
    image.save(out, "PNG", compress_level=1, pnginfo=_info(picture))
    return out.getvalue()


def _random(picture: Picture) -> Random:
    prompt = picture.request.get("prompt")
    text = prompt if isinstance(prompt, str) else json.dumps(prompt)
    return Random(f"{picture.seed:x} {text}".encode("utf-8", "surrogatepass"))


def _info(picture: Picture) -> PngInfo:
    info = PngInfo()
    for keyword, text in chunks(picture).items():
        info.add_text(keyword, text)
    return info
