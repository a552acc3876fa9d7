"""The heights of a composition, sampled on a small grid that is enlarged to the size that is needed."""

from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

from PIL import Image

from safelight.mockserver.pictures.compositions import Height

#: Heights are 0..TOP.
TOP: Final = 65_535
#: Cells of the grid along the longer side.
CELLS: Final = 64
#: Cells that the grid goes beyond the picture on each side: what throws a shadow may lie outside.
MARGIN: Final = 2


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
