"""Palettes, and the ramps of 256 colours from dark to light that they stand for."""

from typing import Final

#: Six colours each, from dark to light.
PALETTES: Final = tuple(
    line.split()[1:]
    for line in """
    safelight 120306 3d0a10 8c1c13 d8432a f59a57 fde8c8
    amber     140a03 4a2208 9c4f0c e08e1b f7c95c fff3d1
    selenium  17121c 3a2b43 6d4f66 a9808a dcb9ad f8ece0
    cyanotype 04121f 0c2f4f 16598a 4b93bd a5cfdf f3f6ee
    seaglass  06181a 0d3d40 1d7470 59ab96 b1d8b7 f6f4dc
    dusk      1a1033 44206b 8e2f7c d95b6e f7a072 fdeccb
    forest    0b1510 1f3a28 4b6b3a 94a04c d9c97a f8f2d8
    silver    0d0e10 2d3136 5d646b 969da2 cfd2d1 f7f5ef
    reef      0d1b2a 264653 2a7d7f e76f51 f4b266 fdf0d5
    rose      1b0a14 4f1533 9b2a55 da6387 f3a9b4 fdeeea
    aurora    0a0f2c 1b2a6b 2b62a8 3fa7b5 9fe0b0 f9fbe0
    ochre     10131c 2b3550 7a4e48 c97b4a eab873 fbf1da
    """.strip().splitlines()
)


def ramp(colours: list[str]) -> bytes:
    """256 colours, RGB after RGB, through those given."""
    keys = [bytes.fromhex(colour) for colour in colours]
    found = bytearray()
    for i in range(256):
        place, part = divmod(i * (len(keys) - 1), 255)
        pairs = zip(keys[place], keys[min(place + 1, len(keys) - 1)], strict=True)
        found += bytes(a + (b - a) * part // 255 for a, b in pairs)
    return bytes(found)
