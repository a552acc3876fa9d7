"""Pictures of one tone, for searches that fetch thousands and look at none: the right size and the same text chunks."""

from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from safelight.mockserver.pictures.picture import Picture, chunks


def draw_plain(picture: Picture) -> bytes:
    """The PNG: it differs from task to task by its text alone."""
    out, info = BytesIO(), PngInfo()
    for keyword, text in chunks(picture).items():
        info.add_text(keyword, text)
    Image.new("1", (picture.width, picture.height)).save(out, "PNG", compress_level=1, pnginfo=info)
    return out.getvalue()
