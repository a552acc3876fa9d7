"""From heights to tones: paper cut into steps that throw a shadow. 0 is the darkest tone, 255 the lightest."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from safelight.mockserver.pictures.compositions import COMPOSITIONS, Height, dunes

#: Heights are 0..TOP.
TOP: Final = 65_535
#: Cells of the grid along the longer side.
CELLS: Final = 64
#: Cells that the grid goes beyond the picture on each side: what throws a shadow may lie outside.
MARGIN: Final = 2
#: Heights are told apart in steps of this.
GRAIN: Final = 16
#: Pixels along the longer side in which the shadow is made.
SHADOW_PIXELS: Final = 320

Order = Callable[[list[int]], list[int]]

#: Which tones the steps have, from the lowest to the highest: rising, falling, folded.
ORDERS: Final[tuple[Order, ...]] = (
    lambda tones: tones,
    lambda tones: tones[::-1],
    lambda tones: tones[::2] + tones[1::2][::-1],
)


@dataclass(frozen=True, slots=True)
class Relief:
    """A grid of heights (mode I), and how much they change from one pixel of the picture to the next."""

    grid: Image.Image
    slope: float

    def enlarged(self, size: tuple[int, int], right: float = 0.0, down: float = 0.0) -> Image.Image:
        """The grid without its margin in `size` pixels, moved by a part of the margin."""
        left, top = MARGIN - right, MARGIN - down
        box = (left, top, left + self.grid.width - 2 * MARGIN, top + self.grid.height - 2 * MARGIN)
        return self.grid.resize(size, Image.Resampling.BICUBIC, box)


def relief_of(at: Height, width: int, height: int) -> Relief:
    """The heights of a picture of this size."""
    side = max(width, height)
    xs, ys = (_places(max(1, round(CELLS * length / side)), length / side) for length in (width, height))
    heights = [at(x, y) for y in ys for x in xs]
    low, high = min(heights), max(heights)
    scale = TOP / ((high - low) or 1)
    grid = Image.new("I", (len(xs), len(ys)))
    grid.putdata([round((value - low) * scale) for value in heights])
    change = sum(abs(a - b) for a, b in chain(pairwise(heights), zip(heights, heights[len(xs) :], strict=False)))
    return Relief(grid, change * scale / len(heights) * CELLS / side)


def _places(cells: int, length: float) -> list[float]:
    """The middles of so many cells, and of MARGIN more at both ends; 0 is the middle of all."""
    return [((i + 0.5) / cells - 0.5) * length for i in range(-MARGIN, cells + MARGIN)]


def paper(width: int, height: int, random: Random) -> Image.Image:
    """The picture without its caption, as tones."""
    composition, steps = random.choice(COMPOSITIONS), random.randint(7, 11)
    order = ORDERS[1] if composition is dunes else random.choice(ORDERS)
    relief = relief_of(composition(random), width, height)
    ground = relief.enlarged((width, height))
    levels = [round(i * 255 / (steps - 1)) for i in range(steps)]
    layers = ground.point(_stairs(levels, relief.slope), "L")
    tones = ground.point(_stairs(order([26 + level * 212 // 255 for level in levels]), relief.slope, 0.4), "L")
    if composition is dunes:
        _hang_sun(tones, layers, levels[3] - 4, random)
    return ImageChops.subtract(tones, _shadow(relief, layers, levels, random))


def _stairs(values: list[int], edge: float, bend: float = 0.0) -> list[int]:
    """A table from heights to `values`, a step each: an edge is `edge` heights wide, so that it looks smooth.

    With `bend` a step is not flat but leans, by this part of the way to its neighbours.
    """
    tread = (TOP + 1) / len(values)
    edge = max(GRAIN, min(edge, tread / 2))
    knots = []
    for i, value in enumerate(values):
        before, after = values[max(i - 1, 0)], values[min(i + 1, len(values) - 1)]
        lean = bend * (after - before) / 4
        knots += [(i * tread + (edge if i else 0), value - lean), ((i + 1) * tread, value + lean)]
    return [value for value in _polyline(knots) for _ in range(GRAIN)]


def _polyline(knots: list[tuple[float, float]]) -> Iterator[int]:
    """The line through `knots`, rounded, at each GRAIN of heights."""
    at = 0
    for (x, low), (end, high) in pairwise(knots):
        rise = (high - low) / ((end - x) or 1)
        while at < end:
            yield round(low + (at - x) * rise)
            at += GRAIN


def _shadow(relief: Relief, layers: Image.Image, levels: list[int], random: Random) -> Image.Image:
    """How much darker each place is, because a higher layer is near it, up and to one side."""
    width, height = (max(1, round(SHADOW_PIXELS * length / max(layers.size))) for length in layers.size)
    moved = relief.enlarged((width, height), random.choice((-0.5, 0.5)), 0.8)
    coarse = moved.point(lambda height: height * (1 / 256) + 0).convert("L")  # the form that Pillow takes for mode I
    steps = coarse.point([levels[i * len(levels) // 256] for i in range(256)])
    cast = steps.filter(ImageFilter.GaussianBlur(2.5))
    shade = ImageChops.subtract(cast.resize(layers.size, Image.Resampling.BILINEAR), layers)
    return shade.point([max(0, (shade - 3) * 11 // 10) for shade in range(256)])


def _hang_sun(tones: Image.Image, layers: Image.Image, horizon: int, random: Random) -> None:
    """A disc in the sky, behind what is higher than `horizon`."""
    width, height = tones.size
    size = max(1, round(min(width, height) * random.uniform(0.18, 0.34)))
    left = round(width * random.uniform(0.2, 0.8) - size / 2)
    top = round(height * random.uniform(0.22, 0.32) - size / 2)
    box = (left, top, left + size, top + size)
    sky = layers.crop(box).point([255 if layer < horizon else 0 for layer in range(256)])
    tones.paste(252, box, ImageChops.multiply(_disc(size), sky))


def _disc(size: int) -> Image.Image:
    """A mask, drawn in another size so that its edge is smooth."""
    disc = Image.new("L", (min(1024, size * 2),) * 2)
    ImageDraw.Draw(disc).ellipse((0, 0, disc.width - 1, disc.height - 1), fill=255)
    return disc.resize((size, size), Image.Resampling.BILINEAR)
