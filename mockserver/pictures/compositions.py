"""Compositions: functions of a place that say how high the paper lies there.

x and y are in units of the picture's longer side, (0, 0) is the middle, and heights are in any unit.
"""

from collections.abc import Callable
from math import atan2, cos, exp, hypot, sin, tau
from random import Random

Height = Callable[[float, float], float]
Composition = Callable[[Random], Height]

COMPOSITIONS: list[Composition] = []


def composition(function: Composition) -> Composition:
    """Let pictures be composed so."""
    COMPOSITIONS.append(function)
    return function


def _swell(random: Random, waves: int, pace: float) -> Height:
    """A sum of sine waves in all directions, about -2 to 2; `pace` is the waves of the longest one along a side."""
    table = []
    for i in range(waves):
        angle = random.uniform(0, tau)
        turns = tau * pace * (1.1 + i * random.uniform(0.7, 1.1))
        phase = random.uniform(0, tau)
        table.append((turns * cos(angle), turns * sin(angle), phase, (1 + i) ** -1.3))
    return lambda x, y: sum([size * sin(a * x + b * y + phase) for a, b, phase, size in table])


def _marble(random: Random, waves: int, pace: float) -> Height:
    """A swell seen through two others, as in marbled paper."""
    swell, sideways, upwards = (_swell(random, n, pace) for n in (waves, 2, 2))
    return lambda x, y: swell(x + 0.1 * sideways(x, y), y + 0.1 * upwards(x, y))


@composition
def terrain(random: Random) -> Height:
    """Hills and lakes from above."""
    return _marble(random, 4, 0.75)


@composition
def rings(random: Random) -> Height:
    """A cut agate."""
    u, v, size = random.uniform(-0.3, 0.3), random.uniform(-0.35, 0.1), random.uniform(0.05, 0.1)
    marble = _marble(random, 4, 0.9)
    return lambda x, y: size * marble(x, y) - hypot(x - u, y - v)


@composition
def dunes(random: Random) -> Height:
    """Ridges, one behind the other; the paper hangs a sun over them."""
    size, wide = random.uniform(0.05, 0.1), random.uniform(0.9, 1.6)
    swell = _swell(random, 4, 1.0)
    return lambda x, y: y + size * swell(x * wide, y * 0.55)


@composition
def current(random: Random) -> Height:
    """Streams that run across the sheet."""
    angle, size = random.uniform(0, tau), random.uniform(0.12, 0.2)
    a, b, marble = cos(angle), sin(angle), _marble(random, 3, 0.9)
    return lambda x, y: a * x + b * y + size * marble(x, y)


@composition
def petals(random: Random) -> Height:
    """A flower, its petals turning."""
    u, v, turn = random.uniform(-0.15, 0.15), random.uniform(-0.2, 0.0), random.uniform(0, tau)
    count, depth, swell = random.choice((3, 5, 6, 7, 8)), random.uniform(0.12, 0.22), _swell(random, 3, 1.2)

    def height(x: float, y: float) -> float:
        radius, angle = hypot(x - u, y - v), atan2(y - v, x - u)
        return 0.02 * swell(x, y) - radius * (1 + depth * cos(count * angle + turn + 3.5 * radius))

    return height


@composition
def islands(random: Random) -> Height:
    """Round hills that grow into each other."""
    hills = [[random.uniform(-0.4, 0.4), random.uniform(-0.4, 0.3), random.uniform(0.12, 0.28)] for _ in range(6)]
    swell = _swell(random, 4, 1.4)
    return lambda x, y: sum([exp(-((x - u) ** 2 + (y - v) ** 2) / r**2) for u, v, r in hills], 0.09 * swell(x, y))
