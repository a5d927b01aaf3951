"""The rows of the tables of what happened on the track: laps, sectors, positions, crossings, stints, stops."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING

from timing.domain.crossings import Crossing, key_of, named_key
from timing.domain.events import Circuit, Lap, Passing, PassingAdded
from timing.domain.laps import SECTOR
from timing.projections.car import CarSheet, car_sheet

if TYPE_CHECKING:
    from timing.projections.tables import Row
    from timing.projections.timing import Timing


def _sheets(timing: "Timing") -> Iterator[CarSheet]:
    for car in timing.state().said.entries:
        sheet = car_sheet(timing, car)
        assert sheet is not None, "it is entered"
        yield sheet


def laps(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``laps``."""
    state = timing.state()
    for sheet in _sheets(timing):
        run = timing.laps.get(sheet.car)
        if run is None:
            continue
        deleted = state.penalties[sheet.car].deleted_laps if sheet.car in state.penalties else frozenset()
        deleted |= state.untimed.get(sheet.car, frozenset())
        left_out = timing.neutral.laps_left_out(run)
        stints = [stint.from_lap for stint in sheet.stints]
        began = run.since if run.since is not None else state.said.start
        for lap in sheet.laps:
            stint = bisect_right(stints, lap.lap) or None
            tags = " ".join(timing.neutral.tags(run, lap.lap)) or None
            yield (
                sheet.car, sheet.class_, lap.driver, lap.lap, stint, began, lap.ended_at, lap.time_us, lap.counted,
                lap.lap in deleted, lap.lap in left_out, lap.pit, tags,
            )  # fmt: skip
            began = lap.ended_at


def sectors(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``sectors``."""
    timing.state()
    for car in timing.state().said.entries:
        run = timing.laps.get(car)
        for lap, times in enumerate(run.sectors if run else (), start=1):
            for sector, time_us in enumerate(times, start=1):
                yield car, lap, sector, time_us


def stints(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``stints``."""
    for sheet in _sheets(timing):
        for number, stint in enumerate(sheet.stints, start=1):
            yield sheet.car, number, stint.driver, stint.from_lap, stint.laps, stint.began_at, stint.until


def stops(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``stops``."""
    for sheet in _sheets(timing):
        for number, stop in enumerate(sheet.stops, start=1):
            yield sheet.car, number, stop.lap, stop.entered_at, stop.exited_at, stop.time_us, stop.pit_stop


def positions(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``positions``."""
    said = timing.state().said
    classes = {car: entry.class_ for car, entry in said.entries.items()}
    seen: dict[str, int] = {}
    for car, place in sorted(said.grid.items(), key=lambda pair: pair[1]):
        class_ = classes.get(car)
        if class_ is not None:
            seen[class_] = seen.get(class_, 0) + 1
            yield car, class_, 0, "grid", place, seen[class_], None, None, None
    lines = comings(timing)
    for lap, line in sorted(lines):
        coming = lines[lap, line]
        name = "finish" if line > timing.sectors else f"sector {line}"
        of_class: dict[str, int] = {}
        first = ahead = coming[0][0]
        for place, (at, car) in enumerate(coming, start=1):
            class_ = classes[car]
            of_class[class_] = of_class.get(class_, 0) + 1
            yield car, class_, lap, name, place, of_class[class_], at, at - first, at - ahead
            ahead = at


def comings(timing: "Timing", *, finish_only: bool = False) -> dict[tuple[int, int], list[tuple[int, str]]]:
    """Give, for each lap and line, when which cars came, in that order. Lines are the sectors' numbers; the finish is after the last.

    Only laps that count in the result, and of the lap after the last of them what was seen before the session was over for the car.
    """
    state, found = timing.state(), dict[tuple[int, int], list[tuple[int, str]]]()
    finish, loops = timing.sectors + 1, timing.loops
    order = {s.car: place for place, s in enumerate(state.standings)}
    for standing in state.standings:
        run = timing.laps.get(standing.car)
        for lap, at in enumerate(standing.ends[: standing.laps], start=1):
            found.setdefault((lap, finish), []).append((at, standing.car))
        if finish_only or run is None or state.said.start is None:
            continue
        known: set[tuple[int, int]] = set()
        last = standing.last_at if standing.flagged or state.over else None
        for at, loop, *_ in timing.evidence.crossings.get(standing.car, ()):
            if loops.lines[loop] != SECTOR or at <= (run.since or state.said.start) or (last is not None and at > last):
                continue
            key = (bisect_left(run.ends, at) + 1, loops.sector_of[loop])
            if key not in known and key[0] <= standing.laps + 1:
                known.add(key)
                found.setdefault(key, []).append((at, standing.car))
    for coming in found.values():
        coming.sort(key=lambda one: (one[0], order[one[1]]))
    return found


def crossings(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``crossings``."""
    timing.state()
    evidence, opened = timing.evidence, timing.evidence.opened
    if opened is None:
        return
    aside = {crossing[2:]: reason for run in timing.laps.values() for crossing, reason in run.suspects}
    placement = evidence.placement
    facts: list[Passing | Lap | PassingAdded] = [*evidence.passings.values(), *evidence.lap_facts.values(), *evidence.of(PassingAdded)]
    facts.sort(key=lambda fact: (fact.at, key_of(fact)))
    for fact in facts:
        placed = placement.place(fact)
        named, reason = key_of(fact), None
        if placed is None:
            voided = not isinstance(fact, PassingAdded) and named_key(fact) in placement.voided
            reason = "voided" if voided else "unplaced"
        else:
            reason = aside.get(named)
        yield (*_told(fact, opened.circuit), *_counts(placed), reason is None, reason)


def _counts(placed: tuple[str, Crossing] | None) -> tuple[str | None, int | None]:
    return (placed[0], placed[1][0]) if placed else (None, None)


def _told(fact: Passing | Lap | PassingAdded, circuit: Circuit) -> "Row":
    """Give what was sent: origin, decoder, boot, number, instant, loop with its line, transponder, strength, hits."""
    if isinstance(fact, Lap):
        return "lap", fact.source, fact.boot, fact.number, fact.at, None, "finish", fact.pit, None, None, None
    loop = next((known for known in circuit.loops if known.id == fact.loop), None)
    line, pit = (loop.line, loop.pit) if loop else (None, None)
    if isinstance(fact, PassingAdded):
        return "added", fact.id, None, None, fact.at, fact.loop, line, pit, None, None, None
    heard = (fact.transponder, fact.strength, fact.hits)
    return "passing", fact.decoder, fact.boot, fact.number, fact.at, fact.loop, line, pit, *heard
