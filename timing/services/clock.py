"""The wall clock, as a parameter: everything that asks for the time is given a ``Clock``."""

import time
from collections.abc import Callable

import structlog

Clock = Callable[[], int]
"""Gives the present instant, in microseconds since 1970-01-01 UTC."""


_STEP_US = 1_000_000  # smaller ones are how clocks are kept right

_log = structlog.get_logger(__name__)


def system_clock() -> int:
    """Give the computer's idea of the present instant."""
    return time.time_ns() // 1_000


def elapsed_us() -> int:
    """Give the microseconds since some moment, whatever is done to the wall clock, also while the machine slept."""
    source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(source) // 1_000


class SteadyClock:
    """The wall clock as it stood when this was made, carried on by a clock that nobody sets.

    A wall clock that is set while races are on would put commands without an instant of their own an hour before or after what they
    belong to. A step of it is told once, and not followed: start the service anew, between sessions, to go by the clock as it is then.
    """

    def __init__(self, wall: Clock = system_clock, elapsed: Clock = elapsed_us) -> None:
        self._wall, self._elapsed = wall, elapsed
        self._offset = wall() - elapsed()
        self._told_us = 0

    def __call__(self) -> int:
        """Give the present instant."""
        now = self._offset + self._elapsed()
        step_us = self._wall() - now
        if abs(step_us - self._told_us) > _STEP_US:
            self._told_us = step_us
            _log.warning(
                "the computer's clock was set while the service runs; the service goes on by its own",
                off_by_seconds=round(step_us / 1_000_000, 3),
                to_follow_it="start the service anew, between sessions",
            )
        return now

    @property
    def off_us(self) -> int:
        """By how much the wall clock is ahead of this one."""
        return self._wall() - self._offset - self._elapsed()


def warn_if_behind(now: int, last_recorded: int) -> None:
    """Say so if the clock stands before what a log recorded last: it was set back, or the machine started with a wrong one."""
    if last_recorded - now > _STEP_US:
        _log.warning(
            "the clock stands before the log's last record; commands without an instant of their own would come before what is there",
            behind_by_seconds=round((last_recorded - now) / 1_000_000, 3),
            mend_it="set the clock, and start the service anew",
        )
