"""Chance that follows from a text: the same text gives the same numbers, in each process and version of Python.

Each submit has chance of its own. That of `random.Random(text)` would take ten times as long to begin.
"""

from __future__ import annotations

from hashlib import blake2b
from math import cos, exp, log, pi, sqrt
from typing import Final

#: Bits of one digest, and of a share from 0 to 1: as many as a float has.
_DIGEST_BITS: Final = 512
_SHARE_BITS: Final = 53


class Chance:
    """Numbers drawn one after the other from the digests of a text."""

    __slots__ = ("_bits", "_digests", "_left", "_text")

    def __init__(self, text: str) -> None:
        self._text, self._digests = text.encode("utf-8", "surrogatepass"), 0
        self._bits = self._left = 0

    def bits(self, count: int) -> int:
        """A number of so many bits, 512 at most."""
        if self._left < count:
            self._digests += 1
            digest = blake2b(b"%d %b" % (self._digests, self._text)).digest()
            self._bits, self._left = int.from_bytes(digest, "big"), _DIGEST_BITS
        drawn = self._bits & ((1 << count) - 1)
        self._bits >>= count
        self._left -= count
        return drawn

    def share(self) -> float:
        """Anything from 0 to 1, the 1 left out."""
        return self.bits(_SHARE_BITS) / (1 << _SHARE_BITS)

    def uniform(self, low: float, high: float) -> float:
        """Anything from `low` to `high`, equally likely."""
        return low + (high - low) * self.share()

    def lognormal(self, median: float, sigma: float) -> float:
        """Around `median`, now and then much more. `sigma` is that of the logarithm."""
        normal = sqrt(-2 * log(1 - self.share())) * cos(2 * pi * self.share())
        return median * exp(sigma * normal)
