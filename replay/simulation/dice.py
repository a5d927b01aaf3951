"""Chance, the same on every machine and Python: only whole numbers and ``random()``, whose sequence is fixed by its seed."""

import random
from collections.abc import MutableSequence, Sequence
from typing import TypeVar
from zlib import crc32

T = TypeVar("T")


class Dice:
    """One stream of chance. Streams of other names do not disturb each other: faults leave the race as it is."""

    def __init__(self, seed: int, name: str) -> None:
        self.random = random.Random(seed * 4_294_967_291 + crc32(name.encode())).random  # noqa: S311  # a game, not a secret

    def chance(self, probability: float) -> bool:
        """Happen with this probability."""
        return self.random() < probability

    def below(self, limit: int) -> int:
        """Give one of 0 to ``limit`` - 1."""
        return int(self.random() * limit)

    def between(self, low: int, high: int) -> int:
        """Give one of ``low`` to ``high``, both included."""
        return low + int(self.random() * (high - low + 1))

    def spread(self) -> float:
        """Give a number from -1 to 1, mostly near 0, without the functions in which machines differ."""
        return self.random() + self.random() + self.random() - 1.5

    def one_of(self, things: Sequence[T]) -> T:
        """Pick one."""
        return things[int(self.random() * len(things))]

    def shuffle(self, things: MutableSequence[T]) -> None:
        """Put in another order."""
        for last in range(len(things) - 1, 0, -1):
            other = int(self.random() * (last + 1))
            things[last], things[other] = things[other], things[last]
