"""How long pictures and films take, caption and file included, on one core."""

from collections.abc import Callable
from dataclasses import replace
from statistics import median
from time import perf_counter
from typing import Final

from safelight.mockserver.pictures import Picture, draw, film

#: Side of the square in pixels, and the most milliseconds it may take, where there is a goal.
GOALS: Final[dict[int, int | None]] = {512: None, 1024: 60, 2048: 250, 3072: None}
#: The same for films.
FILM_GOALS: Final[dict[tuple[int, int], int | None]] = {(832, 480): 400, (1280, 720): None, (2048, 2048): None}
#: Side of the square that is edited.
EDITED: Final = 1024
PROMPT: Final = "a red fox asleep in the darkroom, paper hanging up to dry, soft amber light, 35 mm, film grain"

Row = tuple[str, float, str]
Drawing = Callable[[int], bytes]


def rows(*, repeats: int = 11) -> list[Row]:
    """Name, milliseconds (the median of `repeats` files with different seeds) and goal, for each size."""
    draw(_picture(64, 64, 0))  # the fonts are loaded once
    return [
        *(_row(f"picture {side}x{side}", _pictures(side), repeats, goal) for side, goal in GOALS.items()),
        _row(f"edited picture {EDITED}x{EDITED}", _edited(EDITED), repeats, None),
        *(_row(f"film {w}x{h}", _films(w, h), repeats, goal) for (w, h), goal in FILM_GOALS.items()),
    ]


def _row(name: str, drawing: Drawing, repeats: int, goal: int | None) -> Row:
    times = []
    for seed in range(repeats):
        start = perf_counter()
        drawing(seed)
        times.append((perf_counter() - start) * 1000)
    return name, median(times), f"under {goal} ms" if goal else ""


def _pictures(side: int) -> Drawing:
    return lambda seed: draw(_picture(side, side, seed))


def _films(width: int, height: int) -> Drawing:
    return lambda seed: film(_picture(width, height, seed))


def _edited(side: int) -> Drawing:
    ground = draw(_picture(side, side, 0))
    return lambda seed: draw(replace(_picture(side, side, seed), ground=ground))


def _picture(width: int, height: int, seed: int) -> Picture:
    return Picture(width, height, seed, "benchmark", {"prompt": PROMPT, "workflow": "default", "seed": seed})


if __name__ == "__main__":
    for name, milliseconds, goal in rows():
        print(f"{name:26} {milliseconds:8.1f} ms   {goal}")
