"""The sections of the laps: the lap chart, each car's laps, and the visits to the pit lane."""

from typing import TYPE_CHECKING

from timing.domain.units import HOUR, MINUTE, format_duration
from timing.projections.car import CarSheet, LapView, car_sheet
from timing.projections.result import Result
from timing.projections.sheet_parts import CarLaps, Column, Lap, Line, Section, duration, of_day
from timing.projections.tables_raced import comings

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_TAGS = {
    "safety_car": "SC",
    "vsc": "VSC",
    "fcy": "FCY",
    "code60": "C60",
    "red": "RED",
    "yellow": "Y",
    "slow_zone": "SZ",
    "in": "in",
    "out": "out",
}
_LAST = Column("", "left", "1fr")


def chart(timing: "Timing", _: Result) -> Section | None:
    """Form the lap chart of a race: for each lap the cars in the order in which they completed it."""
    if not timing.race:
        return None
    said, finish = timing.state().said, timing.sectors + 1
    coming = comings(timing, finish_only=True)
    if not coming:
        return None
    pits = {(sheet.car, lap.lap) for sheet in _sheets(timing) for lap in sheet.laps if lap.pit}
    laps = [Lap("Grid", tuple(car for car, _ in sorted(said.grid.items(), key=lambda pair: pair[1])))] if said.grid else []
    for lap in range(1, max(number for number, _ in coming) + 1):
        cars = tuple(f"{car}*" if (car, lap) in pits else car for _, car in coming.get((lap, finish), ()))
        laps.append(Lap(str(lap), cars))
    notes = ("Each column has the cars in the order in which they completed the lap. Marked: in the pit lane in that lap.",)
    return Section("chart", "Lap chart", chart=tuple(laps), notes=notes)


def laps(timing: "Timing", made: Result) -> Section | None:
    """Form each car's laps, in the order of the classification."""
    numbers = timing.sectors
    cars = tuple(_of_car(timing, sheet, numbers) for row in made.rows if (sheet := car_sheet(timing, row.car)) and sheet.laps)
    if not cars:
        return None
    sectors = tuple(Column(f"S{number}", "right", "9.3mm") for number in range(1, numbers + 1))
    several = (Column("Dr", "center", "3mm"),) if any(len(entry.drivers) > 1 for entry in timing.state().said.entries.values()) else ()
    columns = (Column("Lap", "right", "5.4mm"), *several, *sectors, Column("Time", "right", "9.8mm"), Column("at", "right", "9mm"), _LAST)
    notes = ("in, out: into and out of the pit lane; – after a time: deleted, or no best lap; x: the lap does not count.",)
    return Section("laps", "Lap analysis", columns, cars=cars, notes=notes)


def _of_car(timing: "Timing", sheet: CarSheet, sectors: int) -> CarLaps:
    state, run = timing.state(), timing.laps[sheet.car]
    standing = next(s for s in state.standings if s.car == sheet.car)
    untimed = state.untimed.get(sheet.car, frozenset()) | timing.neutral.laps_left_out(run)
    if sheet.car in state.penalties:
        untimed |= state.penalties[sheet.car].deleted_laps
    several = any(len(entry.drivers) > 1 for entry in state.said.entries.values())
    numbers = {driver.id: str(place) for place, driver in enumerate(sheet.drivers, start=1)}
    lines = []
    for lap in sheet.laps:
        cells = [str(lap.lap), *([numbers.get(lap.driver or "", "")] if several else ())]
        cells += [_short(us, 10 * MINUTE) for us in (*lap.sectors_us, *(None,) * sectors)[:sectors]]
        cells += [_short(lap.time_us, HOUR) + ("–" if lap.lap in untimed else ""), of_day(lap.ended_at)[:8], _tags(timing, lap, sheet.car)]
        lines.append(tuple(cells))
    names = " / ".join(f"{numbers[d.id]} {d.name}" if len(sheet.drivers) > 1 else d.name for d in sheet.drivers)
    about = " · ".join(filter(None, (names, sheet.team, sheet.class_)))
    return CarLaps(sheet.car, about, tuple(lines), standing.best_lap - 1 if standing.best_lap else None)


def _short(us: int | None, longest_us: int) -> str:
    """Write a time, without its fraction where the column would be too narrow: a car that stood, or one between two segments."""
    return duration(us) if us is None or us < longest_us else format_duration(us, 0)


def _tags(timing: "Timing", lap: LapView, car: str) -> str:
    tags = [_TAGS[tag] for tag in timing.neutral.tags(timing.laps[car], lap.lap) if tag in _TAGS]
    return " ".join([*tags, *(() if lap.counted else ("x",))])


def stops(timing: "Timing", made: Result) -> Section | None:
    """Form the list of visits to the pit lane, car by car, with who drove before and after."""
    lines = []
    for row in made.rows:
        sheet = car_sheet(timing, row.car)
        names = {driver.id: driver.name for driver in sheet.drivers} if sheet else {}
        total = 0
        for number, stop in enumerate(sheet.stops if sheet else (), start=1):
            assert sheet is not None
            before = next((s for s in reversed(sheet.stints) if s.began_at < stop.entered_at), None)
            after = None if stop.exited_at is None else next((s for s in sheet.stints if s.began_at == stop.exited_at), None)
            into = "" if after is None or before is None or after.driver == before.driver else names.get(after.driver or "", "")
            total += stop.time_us or 0
            left = of_day(stop.exited_at) if stop.exited_at is not None else ""
            driver = names.get((before.driver if before else None) or "", "")
            stint = str(before.laps) if before else ""
            cells = (row.car, str(number), str(stop.lap), stint, driver, into, of_day(stop.entered_at), left, duration(stop.time_us))
            lines.append(Line((*cells, duration(total))))
    heads = ("No", "Stop", "in lap", "Stint"), ("Driver", "Changed to"), ("In (UTC)", "Out (UTC)", "Pit lane", "Total")
    numbers, names_, times = ((Column(head, "right") for head in group) for group in heads)
    columns = (*numbers, *(Column(column.head, "left", "1fr") for column in names_), *times)
    return Section("stops", "Pit stops and stints", columns, tuple(lines), notes=("Stint: laps since the stop before.",)) if lines else None


def _sheets(timing: "Timing") -> list[CarSheet]:
    return [sheet for car in timing.state().said.entries if (sheet := car_sheet(timing, car))]
