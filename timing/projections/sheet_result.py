"""The sections of the result: the classification, overall and by class, the grid, the fastest laps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from timing.domain.events import DriverChanged, SessionOpened
from timing.projections.result import Result, ResultRow
from timing.projections.sheet_parts import Column, Line, Section, duration, of_day, speed

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_WORDS = {
    "not_classified": "Not classified",
    "retired": "Not classified",
    "running": "Not classified",
    "not_started": "Did not start",
    "disqualified": "Disqualified",
}


def overall(timing: "Timing", made: Result) -> Section:
    """Form the classification of all cars."""
    lines = list(_classified(timing, made.rows, of_class=False))
    return Section("classification", _title(timing), _columns(timing, of_class=False), tuple(lines), notes=_best(timing, made.rows))


def classes(timing: "Timing", made: Result) -> list[Section]:
    """Form the classification of each class, where there are several."""
    names = list(dict.fromkeys(row.class_ for row in made.rows))
    sections = []
    for name in sorted(names) if len(names) > 1 else ():
        rows = [row for row in made.rows if row.class_ == name]
        columns, lines = _columns(timing, of_class=True), tuple(_classified(timing, rows, of_class=True))
        sections.append(Section("classes", f"{_title(timing)} · {name}", columns, lines, notes=_best(timing, rows)))
    return sections


def _title(timing: "Timing") -> str:
    return "Classification" if timing.race or timing.state().over else "Order"


def _columns(timing: "Timing", *, of_class: bool) -> tuple[Column, ...]:
    columns = [Column("Pos", "right"), Column("No", "right"), Column("Driver · Team", "left", "1fr")]
    columns += [Column("Class"), Column("Ovr" if of_class else "Cl", "right")] if _several(timing) else []
    columns += [Column("Laps", "right")]
    segments = _segments(timing)
    if timing.race:
        columns += [Column("Time", "right"), Column("Gap", "right"), Column("Best lap", "right"), Column("in", "right")]
        columns += [Column("km/h", "right")] if _length(timing) else []
        columns += [Column("Stops", "right")]
    else:
        columns += [Column(name, "right") for name in segments or ("Best lap",)]
        columns += [Column("in", "right"), Column("Gap", "right")]
    return (*columns, Column("Grid", "right")) if timing.state().said.grid else tuple(columns)


def _several(timing: "Timing") -> bool:
    return len(timing.state().said.classes) > 1


def _segments(timing: "Timing") -> tuple[str, ...]:
    qualified = timing.state().qualified
    return qualified.segments if qualified else ()


def _length(timing: "Timing") -> int | None:
    opened: SessionOpened | None = timing.evidence.opened
    return opened.circuit.length_m if opened else None


def _classified(timing: "Timing", rows: Sequence[ResultRow], *, of_class: bool) -> Sequence[Line]:
    found: list[Line] = []
    head, width = None, len(_columns(timing, of_class=of_class))
    first = rows[0] if rows else None
    for row in rows:
        words = _WORDS.get(row.status) if row.position is None and timing.state().over else None
        if words != head and words is not None:
            found.append(Line((words,), "head"))
        head = words
        line = Line(_cells(timing, row, first, of_class=of_class))
        assert len(line.cells) == width, "a cell for each column"
        found.append(line)
    return found


def _cells(timing: "Timing", row: ResultRow, first: ResultRow | None, *, of_class: bool) -> tuple[str, ...]:
    shown = timing.board().rows[row.car]
    position, other = (row.class_position, row.position) if of_class else (row.position, row.class_position)
    standing = next(s for s in timing.state().standings if s.car == row.car)
    leader = next((s for s in timing.state().standings if first is not None and s.car == first.car), None)
    gap = _gap(row, first if leader is None or leader.segment == standing.segment else None)
    cells = [_number(position), row.car, drivers(timing, row.car)]
    cells += [row.class_, _number(other)] if _several(timing) else []
    cells += [str(row.laps)]
    if timing.race:
        cells += [duration(row.total_us), gap, duration(row.best_lap_us), _number(standing.best_lap or None)]
        cells += [speed(_length(timing), row.laps, row.total_us)] if _length(timing) else []
        cells += [str(shown.pit_stops)]
    else:
        cells += [duration(us) for us in shown.segment_bests_us] if _segments(timing) else [duration(row.best_lap_us)]
        cells += [_number(standing.best_lap or None), gap]
    return (*cells, _number(shown.grid)) if timing.state().said.grid else tuple(cells)


def _gap(row: ResultRow, first: ResultRow | None) -> str:
    """Write the gap to the first of the sheet; of a class sheet that is the class's first."""
    if first is None or row.position is None or row.car == first.car:
        return "" if row.position is not None or row.status in ("running", "not_started") else row.status.replace("_", " ")
    laps, time_us = row.gap.laps - first.gap.laps, row.gap.time_us - first.gap.time_us
    if laps > 0:
        return f"{laps} lap{'s' if laps != 1 else ''}"
    if row.total_us is not None and first.total_us is not None and row.laps == first.laps:
        time_us = row.total_us - first.total_us
    return f"+{duration(max(time_us, 0))}"


def drivers(timing: "Timing", car: str) -> str:
    """Write who drives a car, and for whom on the next line."""
    entry = timing.state().said.entries[car]
    names = " / ".join(driver.name for driver in entry.drivers)
    guest = " (guest)" if entry.guest else ""
    return "\n".join(filter(None, (names or entry.team or "", (entry.team or "") + guest if names else guest.strip())))


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _best(timing: "Timing", rows: Sequence[ResultRow]) -> tuple[str, ...]:
    """Say the fastest lap, and every decision that is on the sheet."""
    notes = []
    timed = [row for row in rows if row.best_lap_us is not None and row.status != "disqualified"]
    if timed:
        best = min(timed, key=lambda row: row.best_lap_us or 0)
        number = next(s.best_lap for s in timing.state().standings if s.car == best.car)
        kmh = speed(_length(timing), 1, best.best_lap_us)
        at = f" in lap {number}" if number else ""
        notes.append(f"Fastest lap: car {best.car}, {duration(best.best_lap_us)}{at}{f', {kmh} km/h' if kmh else ''}.")
    for row in rows:
        for penalty in row.penalties:
            stage = "" if penalty.stage == "issued" else f" ({penalty.stage})"
            notes.append(f"Car {row.car}: {penalty.text}{stage}, decision {penalty.decision}.")
        if row.photo:
            notes.append(f"Car {row.car}: the place waits for the photo finish.")
    return tuple(notes)


def grid(timing: "Timing", made: Result) -> Section | None:
    """Form the starting grid."""
    places = timing.state().said.grid
    if not places:
        return None
    known = {row.car: row for row in made.rows}
    lines = tuple(
        Line((str(place), car, drivers(timing, car), known[car].class_))
        for car, place in sorted(places.items(), key=lambda pair: pair[1])
        if car in known
    )
    columns = (Column("Place", "right"), Column("No", "right"), Column("Driver · Team", "left", "1fr"), Column("Class"))
    return Section("grid", "Starting grid", columns, lines)


def fastest(timing: "Timing", made: Result) -> Section | None:
    """Form the list of each car's fastest lap, fastest first."""
    timed = []
    for standing in timing.state().standings:
        run = timing.laps.get(standing.car)
        if standing.best_us is not None and standing.best_lap and run is not None:
            timed.append((standing.best_us, run.ends[standing.best_lap - 1], standing.best_lap, standing.car))
    if not timed:
        return None
    timed.sort()
    rows, ahead, length = {row.car: row for row in made.rows}, timed[0][0], _length(timing)
    lines = []
    for place, (us, at, lap, car) in enumerate(timed, start=1):
        gap = "" if place == 1 else f"+{duration(us - timed[0][0])}"
        interval = "" if place == 1 else f"+{duration(us - ahead)}"
        names = lap_driver(timing, car, at)
        cells = [str(place), car, names, rows[car].class_, duration(us), str(lap), of_day(at), gap, interval]
        lines.append(Line((*cells, speed(length, 1, us)) if length else tuple(cells)))
        ahead = us
    columns = [Column("Pos", "right"), Column("No", "right"), Column("Driver", "left", "1fr"), Column("Class"), Column("Time", "right")]
    columns += [Column("in lap", "right"), Column("at (UTC)", "right"), Column("Gap", "right"), Column("Interval", "right")]
    return Section("fastest", "Fastest laps", (*columns, Column("km/h", "right")) if length else tuple(columns), tuple(lines))


def lap_driver(timing: "Timing", car: str, at: int) -> str:
    """Name who was at the wheel of a car at an instant."""
    entry = timing.state().said.entries[car]
    named = [change.driver for change in timing.evidence.of(DriverChanged) if change.car == car and change.at <= at]
    found = next((driver.name for driver in entry.drivers if named and driver.id == named[-1]), None)
    return found or (entry.drivers[0].name if entry.drivers else entry.team or "")
