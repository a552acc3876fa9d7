"""From a picture's description to its PNG.

Until the end the picture is one 8-bit plane of tones, which makes it fast: the scene lays them, the caption makes some
places darker and some lighter, and a palette turns them into colours.
"""

from io import BytesIO

from PIL.PngImagePlugin import PngInfo

from safelight.mockserver.pictures.caption import write_caption
from safelight.mockserver.pictures.picture import Picture
from safelight.mockserver.pictures.scene import scene_of
from safelight.mockserver.pictures.text_chunks import chunks


def draw(picture: Picture) -> bytes:
    """The PNG. Its pixels depend on size, ground, seed, prompt and workflow; the task id is in the text chunks only."""
    scene = scene_of(picture)
    image = scene.tones
    write_caption(image, scene.picture)
    image.putpalette(scene.colours)
    out = BytesIO()
    image.save(out, "PNG", compress_level=1, pnginfo=_info(scene.picture))
    return out.getvalue()


def _info(picture: Picture) -> PngInfo:
    info = PngInfo()
    for keyword, text in chunks(picture).items():
        info.add_text(keyword, text)
    return info
