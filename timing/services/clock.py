"""The wall clock, as a parameter: everything that asks for the time is given a ``Clock``."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Gives the present instant, in microseconds since 1970-01-01 UTC."""


def system_clock() -> int:
    """Give the computer's idea of the present instant."""
    return time.time_ns() // 1_000
