"""The order between the lines: who is ahead at the last loop that each car passed, and by how much there.

It is what a spectator sees on the road, a sector before the running order says so. Nothing is decided by it: places are taken at the line.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from timing.domain.laps import CarLaps
from timing.domain.order import Standing
from timing.projections.board import Gap, LiveView
from timing.projections.state import State

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_At: TypeAlias = tuple[int, int, int]
"""How far a car is: laps, the last sector's loop of the lap it is on (0: the line), and when it passed it."""

_Kept: TypeAlias = dict[str, tuple[tuple[object, ...], Gap | None]]
"""The gap of each car to another, by where both are: it stays until either is heard again."""


class Between:
    """The order between the lines of a session. What it keeps is only to be quick: see ``_Kept``."""

    def __init__(self) -> None:
        self._gaps: _Kept = {}
        self._intervals: _Kept = {}

    def views(self, timing: "Timing", state: State, shown: Sequence[Standing]) -> dict[str, LiveView]:
        """Give each car's place and gaps at the last loop it passed.

        There is none where no sectors are timed, before the start, after the end, while the race is suspended, and while the order is
        frozen: then the order on the road is not the one that counts.
        """
        frozen = shown is not state.standings
        if not timing.race or not timing.sectors or state.said.start is None or state.over or state.suspended or frozen:
            return {}
        along = {s.car: _along(timing.laps.get(s.car), s) for s in shown}
        places = {s.car: place for place, s in enumerate(shown)}
        order = sorted(shown, key=lambda s: (-along[s.car][0], -along[s.car][1], along[s.car][2], places[s.car]))
        views: dict[str, LiveView] = {}
        ahead = leader = order[0] if order else None
        for position, own in enumerate(order, start=1):
            assert leader is not None
            assert ahead is not None
            at = along[own.car]
            gap = _gap(self._gaps, timing.laps.get(leader.car), own, leader, at)
            interval = gap if ahead is leader else _gap(self._intervals, timing.laps.get(ahead.car), own, ahead, at)
            views[own.car] = LiveView(position, at[1], gap, interval)
            ahead = own
        return views


def _gap(kept: _Kept, laps: CarLaps | None, own: Standing, ahead: Standing, at: _At) -> Gap | None:
    if own is ahead:
        return Gap(0, 0)
    known, key = kept.get(own.car), (laps, ahead.laps, ahead.start, laps and (laps.last_at is None, laps.along), at, own.standing)
    if known is not None and known[0] == key:
        return known[1]
    found = _behind(laps, ahead, at, stands=own.standing)
    kept[own.car] = key, found
    return found


def _along(laps: CarLaps | None, standing: Standing) -> _At:
    if laps is None or standing.standing or len(laps.ends) != standing.laps:
        return standing.laps, 0, standing.last_at
    seen, at = laps.along
    return (standing.laps, seen, at) if at is not None else (standing.laps, 0, standing.last_at)


def _behind(laps: CarLaps | None, ahead: Standing, at: _At, *, stands: bool) -> Gap | None:
    """Measure the way from ``ahead`` to a car that is at a loop: laps it was down there, and the time between the two at that loop.

    As at the line (``race_gap``): a car that has since been passed by, or does no more laps, is down by what the laps say.
    """
    if laps is None or laps.last_at is None:
        return None
    number, loop, when = at
    passed = _passed(laps, ahead, number, loop)
    if passed is None:
        return None
    done = bisect_right(ahead.ends, when, 0, ahead.laps)
    down = done - number
    if loop and down > 0:
        then = _passed(laps, ahead, done, loop)
        down -= then is None or then > when
    behind = ahead.laps - number
    return Gap(behind if stands else max(down, behind - 1, 0), max(when - passed, 0))


def _passed(laps: CarLaps, standing: Standing, number: int, loop: int) -> int | None:
    """Say when a car passed a sector's loop with so many laps behind it; ``None`` if it has not, or was not heard at all of them."""
    if number > len(laps.ends):
        return None
    began = laps.ends[number - 1] if number else standing.start
    times = laps.sectors[number] if number < len(laps.ends) else laps.current
    taken = times[:loop]
    if len(taken) < loop or None in taken:
        return None
    return began + sum(us for us in taken if us is not None)
