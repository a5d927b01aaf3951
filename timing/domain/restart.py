"""The order in which a suspended race is restarted: read at the last loop that all cars had passed, or at the end of a lap."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct, structs

from timing.domain.crossings import Crossing
from timing.domain.finish import completed_by
from timing.domain.laps import FINISH, SECTOR, Loops
from timing.domain.rulebook import RedFlag

_GONE_AFTER_LAPS = 3  # a car not seen for three laps of the leader is no longer there to restart
_ANY_LOOP = 2**31  # after every index of a loop, where instants are equal


class Point(NamedTuple):
    """A car at a timed loop: it had done ``laps`` and passed the loop of that ``sector`` (0: the line) at ``at``."""

    laps: int
    sector: int
    at: int


class Runner(Struct, frozen=True):
    """A car as the readings of a stopped race see it.

    ``ends``: the instants of its counted crossings of the line. ``crossings``: all that it was heard at. ``running``: neither retired nor
    withdrawn. ``grid``: its place on it. ``entered`` and ``exited``: its visits to the pit lane.
    """

    car: str
    class_: str
    ends: Sequence[int]
    crossings: Sequence[Crossing] = ()
    running: bool = True
    grid: int = 0
    entered: Sequence[int] = ()
    exited: Sequence[int] = ()


class RestartOrder(Struct, frozen=True):
    """``cars`` in order, those out of the race last; the ``laps`` each had done; where it was read; and the cars that are ``running``."""

    cars: tuple[str, ...]
    laps: dict[str, int]
    basis: str
    running: tuple[str, ...] = ()


def points_of(runner: Runner, loops: Loops, since: int, until: int) -> list[Point]:
    """Find a car's points after ``since`` and up to ``until``. A loop heard twice in a lap, or out of turn, is one point."""
    ends, crossings = runner.ends, runner.crossings
    points: list[Point] = []
    for crossing in crossings[bisect_right(crossings, (since, _ANY_LOOP)) : bisect_right(crossings, (until, _ANY_LOOP))]:
        at, loop = crossing[0], crossing[1]
        done = bisect_right(ends, at)
        if loops.lines[loop] == FINISH and done and ends[done - 1] == at:
            point = Point(done, 0, at)
        elif loops.lines[loop] == SECTOR:
            point = Point(done, loops.sector_of[loop], at)
        else:
            continue
        if not points or point[:2] > points[-1][:2]:
            points.append(point)
    return points


def restart_order(field: Sequence[Runner], red_at: int, rules: RedFlag, loops: Loops) -> RestartOrder:
    """Give the order in which a race suspended at ``red_at`` is restarted, as the rulebook reads it.

    ``last_common_loop``: as all running cars passed the last loop at which all of them were determined (FIA F1 2025 art. 57.3). Where a
    car was not heard there, the loop before it is taken, back to the end of the lap before the leader's last.
    ``end_of_lap``, ``end_of_lap_before``: as if the flag had been shown at the end of the leader's last lap, or of the one before; nothing
    after the red flag counts. ``split_scoring``: those who completed the leader's lap by it, the others by their last lap completed.
    """
    leader_laps = completed_by((r.ends for r in field), red_at)
    match rules.restart_order:
        case "last_common_loop":
            found = _at_last_common_loop(field, red_at, leader_laps, loops)
        case "end_of_lap":
            found = _at_end_of_lap(field, red_at, leader_laps)
        case "end_of_lap_before":
            found = _at_end_of_lap(field, red_at, leader_laps - 1)
        case _:
            found = _ordered(field, {r.car: _last(r, bisect_right(r.ends, red_at)) for r in field}, "each car's last completed lap")
    since = _when(field, leader_laps - _GONE_AFTER_LAPS)
    there = {r.car for r in field if r.running and (leader_laps == 0 or _seen_between(r, since, red_at))}
    return structs.replace(found, running=tuple(car for car in found.cars if car in there))


def _when(field: Sequence[Runner], lap: int) -> int:
    """Give the instant at which the leader ended a lap; 0 before the first."""
    return min((r.ends[lap - 1] for r in field if len(r.ends) >= lap > 0), default=0)


def _seen_between(runner: Runner, since: int, until: int) -> bool:
    return bisect_right(runner.crossings, (until, _ANY_LOOP)) > bisect_left(runner.crossings, (since,))


def _last(runner: Runner, laps: int) -> Point:
    return Point(laps, 0, runner.ends[laps - 1] if laps else 0)


def _ordered(field: Sequence[Runner], points: dict[str, Point], basis: str, missing: frozenset[str] = frozenset()) -> RestartOrder:
    last = max((r.grid for r in field), default=0) + 1

    def place(runner: Runner) -> tuple[bool, bool, int, int, int, int, str]:
        laps, sector, at = points[runner.car]
        return not runner.running, runner.car in missing, -laps, -sector, at, runner.grid or last, runner.car

    ordered = sorted(field, key=place)
    return RestartOrder(tuple(r.car for r in ordered), {r.car: points[r.car].laps for r in field}, basis)


def _at_end_of_lap(field: Sequence[Runner], red_at: int, lap: int) -> RestartOrder:
    if lap <= 0:
        return _ordered(field, {r.car: Point(0, 0, 0) for r in field}, "the grid")
    ended_at = _when(field, lap)
    points = {r.car: _last(r, min(bisect_right(r.ends, red_at), bisect_left(r.ends, ended_at) + 1)) for r in field}
    return _ordered(field, points, f"the end of lap {lap}")


def _at_last_common_loop(field: Sequence[Runner], red_at: int, leader_laps: int, loops: Loops) -> RestartOrder:
    since = leader_laps - 1
    points_by_car = {r.car: points_of(r, loops, _when(field, since) - 1, red_at) for r in field}
    passed: dict[tuple[int, int], int] = {}  # when the first car passed each point of the road
    for runner in field:
        for laps, sector, at in points_by_car[runner.car]:
            if laps >= since:
                passed[laps, sector] = min(at, passed.get((laps, sector), at))
    earliest = min(passed.values(), default=0)
    seen_since = {r.car for r in field if r.running and (mine := points_by_car[r.car]) and mine[-1].at >= earliest}
    for (laps, sector), first_at in sorted(passed.items(), reverse=True):
        points, missing = _at_point(field, points_by_car, sector, first_at)
        if not missing & seen_since:
            where = f"sector {sector} of lap {laps + 1}" if sector else f"the end of lap {laps}"
            return _ordered(field, points, where, frozenset(missing))
    return _at_end_of_lap(field, red_at, leader_laps)


def _at_point(
    field: Sequence[Runner], points_by_car: dict[str, list[Point]], sector: int, first_at: int
) -> tuple[dict[str, Point], set[str]]:
    """Read each car at its first passing of a loop since the leader's; those without one where they were last."""
    points: dict[str, Point] = {}
    missing: set[str] = set()
    for runner in field:
        at_loop = next((p for p in points_by_car[runner.car] if p.sector == sector and p.at >= first_at), None)
        if at_loop is None:
            missing.add(runner.car)
            earlier = [p for p in points_by_car[runner.car] if p.at < first_at]
            at_loop = earlier[-1] if earlier else _last(runner, bisect_right(runner.ends, first_at))
        points[runner.car] = at_loop
    return points, missing
