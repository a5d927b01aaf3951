"""A car's own sheet: its laps and sectors, its visits to the pit lane, its stints, and how long each driver was at the wheel."""

from bisect import bisect_left, bisect_right
from collections.abc import Container
from itertools import zip_longest
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from timing.domain.events import DriverChanged
from timing.domain.laps import CarLaps
from timing.domain.suspension import pit_stops
from timing.projections.board import DriverView
from timing.projections.qualified import laps_void
from timing.projections.state import State

if TYPE_CHECKING:
    from timing.projections.timing import Timing


class LapView(Struct, frozen=True):
    """A lap: ended at ``ended_at``; ``pit`` if the car was in the pit lane in it; ``counted`` if it counts in the race.

    ``timed``: its time counts as a best lap and, if it saw no pit lane, in averages. Not across a suspension, nor where its time was
    deleted, nor under the flags that the rulebook leaves out. ``tags``: those under which it was run, ``in``, ``out``, ``first``.
    ``time_us`` is ``None`` where it counts without a time, as across a suspension.
    """

    lap: int
    ended_at: int
    time_us: int | None
    sectors_us: tuple[int | None, ...]
    driver: str | None
    pit: bool
    counted: bool
    timed: bool = True
    tags: tuple[str, ...] = ()


class Stop(Struct, frozen=True):
    """A visit to the pit lane, in the lap ``lap``; ``exited_at`` is ``None`` while the car is there or was not heard leaving.

    ``pit_stop``: not one that began while the race was suspended, unless the rulebook counts those.
    """

    lap: int
    entered_at: int
    exited_at: int | None
    time_us: int | None
    pit_stop: bool = True


class Stint(Struct, frozen=True):
    """A stretch by one driver without a stop: ``laps`` laps from the lap ``from_lap`` on; ``until`` is ``None`` while it goes on."""

    driver: str | None
    from_lap: int
    laps: int
    began_at: int
    until: int | None


class DriveTime(Struct, frozen=True):
    """How long a driver was at the wheel outside the pit lane, and for how many laps."""

    driver: str
    laps: int
    time_us: int


class CarSheet(Struct, frozen=True, rename={"class_": "class"}):
    """Everything that the evidence says of a car's own race. ``suspects``: crossings that did not count, with the reason."""

    session: str
    car: str
    class_: str
    team: str | None
    drivers: tuple[DriverView, ...]
    laps: tuple[LapView, ...]
    stops: tuple[Stop, ...]
    stints: tuple[Stint, ...]
    drive_times: tuple[DriveTime, ...]
    suspects: tuple[tuple[int, str], ...]


def car_sheet(timing: "Timing", car: str) -> CarSheet | None:
    """Form a car's sheet; ``None`` for a car that is not entered."""
    state = timing.state()
    entry = state.said.entries.get(car)
    if entry is None:
        return None
    standing = next(s for s in state.standings if s.car == car)
    laps = timing.laps.get(car)
    changes = [(c.at, c.driver) for c in timing.evidence.of(DriverChanged) if c.car == car]
    wheel = _Wheel(changes, entry.drivers[0].id if entry.drivers else None)
    drivers = tuple(DriverView(d.id, d.name, d.category) for d in entry.drivers)
    if laps is None or state.said.start is None:
        return CarSheet(timing.session, car, entry.class_, entry.team, drivers, (), (), (), (), ())
    over_at = standing.last_at if standing.flagged or state.stopped else None
    stops = _stops(laps, over_at, pit_stops(laps.entered, state.said.suspensions, timing.rules.red_flag))
    stints = _stints(laps, standing.start, over_at, wheel, stops)
    timed = _timed(timing, state, car, laps)
    untimed = state.untimed.get(car, ())
    views = tuple(
        LapView(
            number,
            end,
            None if number in untimed else laps.times[number - 1],
            laps.sectors[number - 1],
            wheel.at(end),
            any(s.lap == number or (s.lap < number and s.exited_at is not None and s.exited_at > laps.ends[number - 2]) for s in stops),
            number <= standing.laps,
            number in timed,
            timing.neutral.tags(laps, number),
        )
        for number, end in enumerate(laps.ends, start=1)
    )
    suspects = tuple((crossing[0], reason) for crossing, reason in laps.suspects)
    return CarSheet(
        timing.session, car, entry.class_, entry.team, drivers, views, stops, stints, _drive_times(stints, stops, state.at), suspects
    )


def _timed(timing: "Timing", state: State, car: str, laps: CarLaps) -> frozenset[int]:
    """Give the numbers of the laps whose time counts."""
    deleted = state.said.penalties[car].deleted_laps if car in state.said.penalties else frozenset()
    out = deleted | state.untimed.get(car, frozenset()) | laps_void(timing, laps)
    counting = range(1, len(laps.ends) + 1) if timing.race else timing.qualifier.timed(car)
    return frozenset(lap for lap in counting if lap not in out and laps.times[lap - 1] is not None)


def car_sheet_json(timing: "Timing", car: str) -> bytes | None:
    """Write a car's sheet as JSON."""
    sheet = car_sheet(timing, car)
    return None if sheet is None else msgspec.json.encode(sheet)


def _stops(laps: CarLaps, over_at: int | None, counted: Container[int]) -> tuple[Stop, ...]:
    stops: list[Stop] = []
    entries = [at for at in laps.entered if over_at is None or at <= over_at]
    for entered, later in zip_longest(entries, entries[1:]):
        place = bisect_left(laps.exited, entered)
        exited = laps.exited[place] if place < len(laps.exited) else None
        if exited is not None and later is not None and exited > later:
            exited = None  # it left unheard, and came in again
        lap, time_us = bisect_left(laps.ends, entered) + 1, None if exited is None else exited - entered
        stops.append(Stop(lap, entered, exited, time_us, entered in counted))
    return tuple(stops)


class _Wheel(Struct, frozen=True):
    """Who was at the wheel when: the changes in order of time, and who began."""

    changes: list[tuple[int, str]]
    first: str | None

    def at(self, instant: int) -> str | None:
        place = bisect_right(self.changes, instant, key=lambda change: change[0])
        return self.changes[place - 1][1] if place else self.first


def _stints(laps: CarLaps, start: int, over_at: int | None, wheel: _Wheel, stops: tuple[Stop, ...]) -> tuple[Stint, ...]:
    def in_the_pits(at: int) -> bool:
        return any(s.entered_at <= at and (s.exited_at is None or at <= s.exited_at) for s in stops)

    begins = [start, *(s.exited_at for s in stops if s.exited_at is not None)]
    begins += [at for at, _ in wheel.changes if at > start and (over_at is None or at < over_at) and not in_the_pits(at)]
    begins.sort()
    stints: list[Stint] = []
    for began, until in zip(begins, [*begins[1:], over_at], strict=True):
        done = bisect_right(laps.ends, began)
        last = len(laps.ends) if until is None else bisect_right(laps.ends, until)
        driver = wheel.at(began)
        if stints and stints[-1].driver == driver and stints[-1].until == began and not any(s.exited_at == began for s in stops):
            stints[-1] = Stint(driver, stints[-1].from_lap, stints[-1].laps + last - done, stints[-1].began_at, until)
        elif last > done or until is None:
            stints.append(Stint(driver, done + 1, last - done, began, until))
    return tuple(stints)


def _drive_times(stints: tuple[Stint, ...], stops: tuple[Stop, ...], at: int) -> tuple[DriveTime, ...]:
    totals: dict[str, tuple[int, int]] = {}
    for stint in stints:
        if stint.driver is None:
            continue
        until = at if stint.until is None else stint.until
        came_in = next((s.entered_at for s in stops if stint.began_at <= s.entered_at < until), until)
        laps, time_us = totals.get(stint.driver, (0, 0))
        totals[stint.driver] = (laps + stint.laps, time_us + max(came_in - stint.began_at, 0))
    return tuple(DriveTime(driver, laps, time_us) for driver, (laps, time_us) in totals.items())
