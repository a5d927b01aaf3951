"""How far each car is in a race. A standing stays the same object until its car is at the line again, or what it rests on changes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from timing.domain.finish import laps_at_ending
from timing.domain.laps import CarLaps
from timing.domain.order import Standing, race_order
from timing.domain.suspension import suspended_us
from timing.projections.state import State

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_STILL_AFTER_LAPS = 3  # a car not seen for three laps' time is taken to have stopped


class Standings:
    """The standings of a race's cars. What it keeps is only to be quick: no standing is ever changed in place."""

    def __init__(self) -> None:
        self._terms: tuple[object, ...] = ()
        self._kept: dict[str, tuple[tuple[object, ...], Standing]] = {}
        self._still: dict[str, tuple[Standing, Standing]] = {}
        self._ordered: tuple[tuple[object, ...], tuple[Standing, ...]] = ((), ())
        self._best: dict[str, tuple[tuple[object, ...], int, tuple[int | None, int]]] = {}

    def forget(self, car: str) -> None:
        """Begin a car anew: crossings of it changed that were taken in."""
        self._best.pop(car, None)
        self._kept.pop(car, None)

    def of(self, timing: "Timing", state: State) -> list[Standing]:
        """Give the standing of every car entered, in order of entry; ``state`` knows by now how the race ends."""
        end, grace_us = state.end, timing.rules.finish.grace_us
        late = end is not None and grace_us is not None and state.at > end.at + grace_us
        terms = (state.said, state.over, end, state.stopped, state.reading, late, timing.neutral.left_out)
        if terms != self._terms:
            self._terms, self._kept = terms, {}
        found = []
        for car, entry in state.said.entries.items():
            laps = timing.laps.get(car)
            rests_on = (laps, laps and (len(laps.ends), laps.since, laps.last_at is None), state.untimed.get(car))
            known = self._kept.get(car)
            if known is None or known[0] != rests_on:
                known = self._kept[car] = (rests_on, self._standing(timing, state, car, entry.class_))
            found.append(known[1])
        return found

    def ordered(self, standings: Sequence[Standing], grid: Mapping[str, int]) -> list[Standing]:
        """Put standings in running order; the order of before where they are those of before."""
        key = (*standings, grid)
        if self._ordered[0] != key:
            self._ordered = (key, tuple(race_order(standings, grid)))
        return list(self._ordered[1])

    def with_stopped(self, timing: "Timing", state: State, standings: list[Standing], seen_at: Mapping[str, int]) -> list[Standing]:
        """Give the standings with those standing still that have not been seen for so long that they have stopped.

        As far as the evidence's own clock tells; not a car in the pit lane, until the race is over.
        """
        start = state.said.start or 0
        fastest_us = min((s.best_us for s in standings if s.best_us is not None), default=None)
        found = []
        for standing in standings:
            lap_us, seen = standing.best_us or fastest_us, seen_at.get(standing.car, start)
            away_us = state.at - seen
            if standing.standing or lap_us is None or away_us <= _STILL_AFTER_LAPS * lap_us:
                found.append(standing)
                continue
            away_us -= suspended_us(state.said.suspensions, seen, state.at)
            laps = timing.laps.get(standing.car)
            still = away_us > _STILL_AFTER_LAPS * lap_us and (state.over or laps is None or not laps.in_pit)
            found.append(self._stood(standing) if still else standing)
        return found

    def _stood(self, standing: Standing) -> Standing:
        known = self._still.get(standing.car)
        if known is None or known[0] is not standing:
            known = self._still[standing.car] = (standing, replace(standing, standing=True))
        return known[1]

    def _standing(self, timing: "Timing", state: State, car: str, class_: str) -> Standing:
        laps, said = timing.laps.get(car), state.said
        done = state.stopped is not None or said.closed_at is not None or car in said.retired or car in said.withdrawn
        if laps is None or laps.last_at is None or said.start is None:
            return Standing(car, class_, (), 0, said.start or 0, standing=done or state.over)
        counted, flagged = len(laps.ends), False
        if state.reading:
            counted = state.reading.laps[car]
        elif state.end:
            grace_us = timing.rules.finish.grace_us
            counted, flagged = laps_at_ending(laps.ends, state.end, grace_us)
            done = done or flagged or (grace_us is not None and state.at > state.end.at + grace_us)
        deleted = said.penalties[car].deleted_laps if car in said.penalties else frozenset()
        deleted |= state.untimed.get(car, frozenset())
        best_us, best_lap = self._best_of(timing, car, laps, counted, deleted)
        began = laps.since or said.start
        if state.stopped and began > state.stopped.signal_at:
            began = said.start  # a first lap that begins after the signal is none of this race
        return Standing(car, class_, laps.ends, counted, began, flagged, done, best_us, best_lap)

    def _best_of(self, timing: "Timing", car: str, laps: CarLaps, counted: int, deleted: frozenset[int]) -> tuple[int | None, int]:
        terms = (deleted, timing.neutral.left_out)
        known = self._best.get(car)
        if known is None or known[0] != terms or known[1] > counted:
            known = (terms, 0, (None, 0))
        if known[1] < counted:
            _, seen, best = known
            out = deleted | timing.neutral.laps_left_out(laps)
            times = [] if best[0] is None else [best]
            times += [(t, n) for n, t in enumerate(laps.times[seen:counted], start=seen + 1) if t is not None and n not in out]
            known = self._best[car] = (terms, counted, min(times, default=(None, 0)))
        return known[2]
