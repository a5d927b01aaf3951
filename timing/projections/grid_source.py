"""What a grid is made from: the cars of a session in the order of its result, with their best laps, and the grid places they lost."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from timing.domain.errors import GridUnmakeable
from timing.domain.events import GridSet
from timing.domain.grids import Kept, LapSet, Lost, Starter, by_best, by_second_best, by_sum
from timing.domain.qualifying import TimedLap

if TYPE_CHECKING:
    from timing.projections.timing import Timing

WAYS = "best | second-best | race | inverted:N | sum | issued"


def starters_of(timing: "Timing") -> list[Starter]:
    """Give the cars of a session as its result has them."""
    state = timing.state()
    bests = {s.car: _best_two(timing, s.car, s.laps) for s in state.standings}
    starters = []
    for place in timing.classification():
        kept: Kept = "disqualified" if place.status == "disqualified" else "unclassified" if place.position is None else "classified"
        best, second = bests[place.car]
        starters.append(Starter(place.car, place.class_, kept, best, second))
    return starters


def ordered(timings: Sequence["Timing"], way: str) -> tuple[list[Starter], int]:
    """Give the cars in the order that a grid is made from, and how many of the first are to be inverted.

    ``way``: ``best``, ``second-best``, ``race``, ``inverted:N`` or ``sum``, the last of several sessions.

    Raises:
        GridUnmakeable: the way is none of these, or not for such a session.

    """
    first = timings[0]
    starters, inverted = starters_of(first), re.fullmatch(r"inverted:([1-9]\d{0,2})", way)
    if len(timings) > 1 and way != "sum":
        raise GridUnmakeable("several sessions make a grid by their sum; give one, or say --from sum")
    if way == "sum":
        if len({timing.race for timing in timings}) > 1:
            raise GridUnmakeable("a sum is of races (their places) or of sessions by best laps (the times), not of both")
        return by_sum([starters_of(timing) for timing in timings], times=not first.race), 0
    if way == "best":
        return by_best(starters) if first.race else starters, 0
    if way == "second-best":
        return by_second_best(starters), 0
    if way == "race" and not first.race:
        raise GridUnmakeable(f"{first.session} is no race; say --from best")
    if way == "race" or inverted:
        return starters, int(inverted[1]) if inverted else 0
    raise GridUnmakeable(f"--from {way}: there is {WAYS}")


def lost_in(timing: "Timing") -> list[Lost]:
    """Give the grid places that the decisions of a session take at the next race, in the order in which they were issued."""
    rulings = (r for r in timing.state().said.rulings if r.stage == "issued" and r.decision.penalty == "grid_places")
    return [Lost(r.decision.car, r.decision.positions) for r in rulings]


def issued_grid(timing: "Timing") -> tuple[str | None, ...] | None:
    """Give the grid that was issued last for a session."""
    grids = timing.evidence.of(GridSet)
    return grids[-1].cars if grids else None


def _best_two(timing: "Timing", car: str, laps: int) -> tuple[LapSet | None, LapSet | None]:
    """Give the best and second-best laps: of qualifying those of the last segment the car was in, of a race those that count."""
    state = timing.state()
    if state.qualified is not None:
        rank = state.qualified.ranks[car]
        return _set(rank.best), _set(rank.second)
    run = timing.laps.get(car)
    if run is None:
        return None, None
    deleted = state.untimed.get(car, frozenset()) | (state.penalties[car].deleted_laps if car in state.penalties else frozenset())
    timed = sorted(
        (time_us, at)
        for number, (time_us, at) in enumerate(zip(run.times[:laps], run.ends, strict=False), start=1)
        if time_us is not None and number not in deleted
    )
    best, second = (*timed[:2], None, None)[:2]
    return best, second


def _set(lap: TimedLap | None) -> LapSet | None:
    return None if lap is None else (lap.time_us, lap.at)
