"""The running order: what happened on the road. Laps, then the order in which cars crossed the line (FIA F1 2025 art. 61.1, 62.1)."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from timing.domain.suspension import GapClock


class Standing(Struct, gc=False):
    """How far a car is.

    ``ends``: instants of its crossings of the line, of which the first ``laps`` count. ``start``: where its first lap began.
    ``standing``: it does no more laps (retired, stopped, or the race is over for it). ``best_us`` with the lap that set it.
    ``last_at``: the instant of the last counted crossing, or of the start. ``segment``: of qualifying, in which ``best_us`` was set.
    """

    car: str
    class_: str
    ends: Sequence[int]
    laps: int
    start: int
    flagged: bool = False
    standing: bool = False
    best_us: int | None = None
    best_lap: int = 0
    last_at: int = 0
    segment: int = 0

    def __post_init__(self) -> None:
        """Look up once what the order and every gap ask for."""
        self.last_at = self.ends[self.laps - 1] if self.laps else self.start


def race_order(standings: Iterable[Standing], grid: Mapping[str, int]) -> list[Standing]:
    """Order a race: most laps first, then who crossed the line first; before the first crossing, the grid."""
    last = max(grid.values(), default=0) + 1  # the grid may have empty places
    return sorted(standings, key=lambda s: (-s.laps, s.last_at, grid.get(s.car, last), s.car))


def race_gap(own: Standing, ahead: Standing, clock: GapClock | None = None) -> tuple[int, int]:
    """Give the gap from ``ahead`` to ``own``, who is behind: whole laps down, and µs between the two at the line on the same lap.

    Laps down are those at the car's own last crossing, so that a car two seconds behind is not a lap down each time the leader
    crosses the line; a car that has since been passed by, or does no more laps, is down by what the laps say.
    The time is never negative: a car that led at its own last crossing and was passed since is level until it crosses again. So is one
    that is shown behind, in a frozen order, and is ahead on the road. ``clock``: of a race whose suspensions do not weigh as time.
    """
    if own.laps > ahead.laps:
        return 0, 0
    own_at = own.last_at
    ahead_at = ahead.ends[own.laps - 1] if own.laps else ahead.start
    time_us = own_at - ahead_at if clock is None else clock.between(ahead_at, own_at)
    if time_us < 0:  # noqa: PLR1730  # four times a row of every board, and max() is a call
        time_us = 0
    behind = ahead.laps - own.laps
    if behind == 0 or own.standing:
        return behind, time_us
    at_crossing = bisect_right(ahead.ends, own_at, 0, ahead.laps) - own.laps
    return (at_crossing if at_crossing >= behind else behind - 1), time_us


def best_lap_gap(own: Standing, ahead: Standing) -> tuple[int, int]:
    """Give the difference between the best laps of two cars; no time where one has none, or where they are of different segments."""
    if own.best_us is None or ahead.best_us is None or own.segment != ahead.segment:
        return 0, 0
    return 0, own.best_us - ahead.best_us
