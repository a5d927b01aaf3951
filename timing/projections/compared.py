"""Why one car stands ahead of another: on the road, and in the result."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, TypeVar

from msgspec import Struct

from timing.domain.classification import Place
from timing.domain.order import Standing
from timing.domain.units import format_duration, time_of_day
from timing.projections.explanation import Neighbour, Parting

Where: TypeAlias = Literal["ahead", "behind"]
Ruled: TypeAlias = Callable[[str, str], str | None]
_Car = TypeVar("_Car", Standing, Place)

_NO_PLACE = {
    "not_classified": "is not classified",
    "retired": "retired",
    "disqualified": "is disqualified",
    "not_started": "did not start",
    "classified": "is classified",
    "running": "is running",
}


def on_the_road(standings: Sequence[Standing], car: str, grid: Mapping[str, int], ruled: Ruled, *, race: bool) -> Iterator[Neighbour]:
    """Say why a car is behind the one before it and ahead of the one after it in the running order.

    ``ruled``: what was ruled about two cars at the finish.
    """
    for one, two, where in _neighbours(standings, car):
        pair = _Pair(one, two, grid)
        reason = pair.by_distance() if race else pair.by_best_lap()
        if reason.by not in ("laps", "time") and (ruling := ruled(one.car, two.car)):
            reason = Reason("ruled", 0, None, ruling)
        yield reason.seen_from(one.car, two.car, where)


def in_the_result(
    places: Sequence[Place], car: str, standings: Mapping[str, Standing], moved: Mapping[str, str], ruled: Ruled, *, race: bool
) -> Iterator[Neighbour]:
    """Say why a car is behind the one before it and ahead of the one after it in the classification.

    ``moved``: of cars that a decision may have moved, what was decided.
    """
    for one, two, where in _neighbours(places, car):
        reason = _by_status(one, two)
        if reason is None and race:
            reason = _by_result(one, two, standings)
        elif reason is None:
            reason = _Pair(standings[one.car], standings[two.car], {}).by_best_lap()
            reason = reason if reason.by == "best_lap" else None
        if reason is None and (decided := [moved[p.car] for p in (two, one) if p.car in moved]):
            reason = Reason("decision", 0, None, f"places were decided: {'; '.join(decided)}")
        if (reason is None or reason.by == "level") and two.position is not None and (ruling := ruled(one.car, two.car)):
            reason = Reason("ruled", 0, None, ruling)
        yield (reason or Reason("level", 0, None, "as in the running order")).seen_from(one.car, two.car, where)


def _neighbours(field: Sequence[_Car], car: str) -> Iterator[tuple[_Car, _Car, Where]]:
    here = next(i for i, one in enumerate(field) if one.car == car)
    if here:
        yield field[here - 1], field[here], "ahead"
    if here + 1 < len(field):
        yield field[here], field[here + 1], "behind"


class Reason(Struct, frozen=True):
    """What parts two cars, and by how much."""

    by: Parting
    laps: int
    time_us: int | None
    why: str

    def seen_from(self, ahead: str, behind: str, where: Where) -> Neighbour:
        """Tell it to the car that has the other one ahead, or behind."""
        return Neighbour(ahead if where == "ahead" else behind, where, self.by, self.laps, self.time_us, self.why)


class _Pair(Struct, frozen=True):
    """Two cars of the running order, one after the other."""

    ahead: Standing
    behind: Standing
    grid: Mapping[str, int]

    def by_distance(self) -> Reason:
        one, two = self.ahead, self.behind
        if one.laps > two.laps:
            return Reason("laps", one.laps - two.laps, None, f"{one.car} has {_more_laps(one.laps, two.laps)}")
        early_us = two.last_at - one.last_at
        if one.laps and early_us > 0:
            instants = f"at {time_of_day(one.last_at)} against {time_of_day(two.last_at)}"
            return Reason(
                "time", 0, early_us, f"same laps ({one.laps}), {one.car} crossed the line {_seconds(early_us)} earlier, {instants}"
            )
        if one.laps and early_us < 0:
            return Reason("level", 0, None, f"same laps ({one.laps}); the order is that at the signal, not at the line")
        level = f"crossed the line at the same microsecond, {time_of_day(one.last_at)}" if one.laps else "no lap ended yet"
        return self._by_grid(level)

    def by_best_lap(self) -> Reason:
        one, two = self.ahead, self.behind
        best, next_best = one.best_us, two.best_us
        if best is None and next_best is None:
            return self._by_grid("neither has a time")
        if best is not None and next_best is None:
            return Reason("best_lap", 0, None, f"{one.car} has a best lap of {format_duration(best)}, {two.car} no time")
        if best is None or next_best is None or best > next_best:
            return Reason("level", 0, None, "the order is that of the session's parts")
        if best == next_best:
            return self._by_who_was_first(best)
        better_us = next_best - best
        times = f"{format_duration(best)} against {format_duration(next_best)}"
        return Reason("best_lap", 0, better_us, f"the best lap of {one.car} is {_seconds(better_us)} better, {times}")

    def _by_who_was_first(self, best: int) -> Reason:
        one, two = self.ahead, self.behind
        first, then = one.ends[one.best_lap - 1], two.ends[two.best_lap - 1]
        if first == then:
            return self._by_grid("the same best lap, set at the same instant")
        instants = f"at {time_of_day(first)} against {time_of_day(then)}"
        return Reason("level", 0, 0, f"the same best lap ({format_duration(best)}): {one.car} set it {instants}")

    def _by_grid(self, level: str) -> Reason:
        """Say what parts two that are level: the grid, and then the number."""
        one, two = self.grid.get(self.ahead.car), self.grid.get(self.behind.car)
        if one is None or (two is not None and two <= one):
            return Reason("number", 0, 0, f"{level}; nothing parts the two but their numbers")
        other = f"{self.behind.car} on {two}" if two else f"{self.behind.car} not on it"
        return Reason("grid", 0, 0, f"{level}; {self.ahead.car} is on place {one} of the grid, {other}")


def _by_status(one: Place, two: Place) -> Reason | None:
    if two.position is not None:
        return None
    if one.position is not None:
        return Reason("status", 0, None, f"{one.car} has a place, {two.car} {_NO_PLACE[two.status]}")
    if one.status == two.status:
        return None
    return Reason("status", 0, None, f"neither has a place: {one.car} {_NO_PLACE[one.status]}, {two.car} {_NO_PLACE[two.status]}")


def _by_result(one: Place, two: Place, standings: Mapping[str, Standing]) -> Reason | None:
    """Part two cars by laps and time with penalties; ``None`` where neither does, or they are in the other order."""
    if one.laps > two.laps:
        taken = "".join(_taken(place, standings) for place in (one, two))
        return Reason("laps", one.laps - two.laps, None, f"{one.car} has {_more_laps(one.laps, two.laps)}{taken}")
    if one.laps < two.laps or one.total_us is None or two.total_us is None or one.total_us > two.total_us:
        return None
    less_us = two.total_us - one.total_us
    if not less_us:
        return Reason("level", 0, 0, f"same laps and time ({format_duration(one.total_us)}); the order on the road decides")
    totals = f"{format_duration(one.total_us)} against {format_duration(two.total_us)}"
    return Reason("time", 0, less_us, f"same laps ({one.laps}), {one.car} needed {_seconds(less_us)} less, {totals}")


def _taken(place: Place, standings: Mapping[str, Standing]) -> str:
    taken = standings[place.car].laps - place.laps
    return f"; {taken} lap{'s' if taken != 1 else ''} taken from {place.car}" if taken > 0 else ""


def _more_laps(more: int, fewer: int) -> str:
    return f"{more - fewer} lap{'s' if more - fewer != 1 else ''} more ({more} against {fewer})"


def _seconds(us: int) -> str:
    """Write a difference with as many decimals as show that there is one."""
    text = format_duration(us, 3 if us >= 1_000 else 6)
    return text if ":" in text else f"{text} s"
