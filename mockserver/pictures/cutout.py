"""From an input picture's tones to paper: the same motif, cut into a few steps that throw a shadow."""

from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageOps

#: The darkest and the lightest paper.
DARK: Final = 26
LIGHT: Final = 238
#: How steep the edge of a step is: 1 is a ramp without steps.
BITE: Final = 5
#: How far a shadow falls, as a part of the longer side.
REACH: Final = 1 / 240


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
