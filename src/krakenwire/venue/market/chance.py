"""Draws in whole numbers from a generator that is passed in.

Only products of the generator's output are used, no logarithm at run time, so
a seed gives the same market on every machine.
"""

from __future__ import annotations

from math import log
from random import Random
from typing import Final

__all__ = ["Chance"]

_EXPONENTIAL: Final = tuple(round(-1_000 * log(1 - (i + 0.5) / 1_024)) for i in range(1_024))
"""Quantiles of the exponential distribution with mean 1,000."""


class Chance:
    """Whole-number draws.

    Args:
        random: the generator; nobody else may use it.
    """

    __slots__ = ("_draw",)

    def __init__(self, random: Random) -> None:
        self._draw = random.random

    def below(self, bound: int) -> int:
        """Return one of 0 .. `bound` - 1; 0 for a bound of 0."""
        return int(self._draw() * bound)

    def one_in(self, chances: int) -> bool:
        """Return True once in so many times."""
        return self._draw() * chances < 1

    def exponential(self) -> int:
        """Return an exponentially distributed number, mean 1,000, at most 7,625."""
        return _EXPONENTIAL[int(self._draw() * 1_024)]

    def centred(self, reach: int) -> int:
        """Return a number between -`reach` and `reach`, the middle being likeliest."""
        return int(self._draw() * (reach + 1)) + int(self._draw() * (reach + 1)) - reach
