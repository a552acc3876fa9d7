"""How long a picture takes, caption and PNG included, on one core."""

from statistics import median
from time import perf_counter
from typing import Final

from safelight.mockserver.pictures import Picture, draw

#: Side of the square in pixels, and the most milliseconds it may take, where there is a goal.
GOALS: Final[dict[int, int | None]] = {512: None, 1024: 60, 2048: 250, 3072: None}
PROMPT: Final = "a red fox asleep in the darkroom, paper hanging up to dry, soft amber light, 35 mm, film grain"


def rows(*, repeats: int = 11) -> list[tuple[str, float, str]]:
    """Name, milliseconds (the median of `repeats` pictures with different seeds) and goal, for each size."""
    draw(_picture(64, 0))  # the fonts are loaded once
    return [
        (f"picture {side}x{side}", _milliseconds(side, repeats), f"under {goal} ms" if goal else "")
        for side, goal in GOALS.items()
    ]


def _milliseconds(side: int, repeats: int) -> float:
    times = []
    for seed in range(repeats):
        start = perf_counter()
        draw(_picture(side, seed))
        times.append((perf_counter() - start) * 1000)
    return median(times)


def _picture(side: int, seed: int) -> Picture:
    return Picture(side, side, seed, "benchmark", {"prompt": PROMPT, "workflow": "default", "seed": seed})


if __name__ == "__main__":
    for name, milliseconds, goal in rows():
        print(f"{name:20} {milliseconds:8.1f} ms   {goal}")
