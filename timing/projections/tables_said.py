"""The rows of the tables of what people said and what it comes to: session, entries, flags, decisions, messages, results."""

from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from timing.domain.events import PitLane, TrackStatus
from timing.domain.units import SECOND
from timing.projections.car import car_sheet
from timing.projections.notices import penalty_text
from timing.projections.result import Result, result
from timing.projections.versions import versions

if TYPE_CHECKING:
    from timing.projections.tables import Row
    from timing.projections.timing import Timing


def sessions(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``sessions``."""
    view, opened = timing.board().session, timing.evidence.opened
    distance = view.distance
    length = opened.circuit.length_m if opened else None
    rules, digest = timing.rules, timing.digest().hex()
    yield (
        view.name, view.kind, view.status, view.circuit, length, distance.laps, distance.minutes, distance.plus_laps,
        view.started_at, view.finished_at, rules.id, timing.rulebook_hash, timing.seq, digest,
    )  # fmt: skip


def entries(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``entries``."""
    board = timing.board()
    for car, entry in timing.state().said.entries.items():
        row = board.rows[car]
        championships, transponders = joined(entry.championships), joined(entry.transponders)
        yield car, entry.class_, entry.team, entry.guest, championships, transponders, row.grid, row.status


def drivers(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``drivers``."""
    for car, entry in timing.state().said.entries.items():
        sheet = car_sheet(timing, car)
        driven = {d.driver: d for d in sheet.drive_times} if sheet else {}
        for driver in entry.drivers:
            time = driven.get(driver.id)
            yield car, driver.id, driver.name, driver.category, time.laps if time else 0, time.time_us if time else 0


def flags(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``flags``."""
    timing.state()
    rows: list[Row] = [(s.id, s.at, s.status, joined(map(str, s.sectors)), s.cause) for s in timing.evidence.of(TrackStatus)]
    rows += [(p.id, p.at, f"pit_lane_{'open' if p.open else 'closed'}", None, None) for p in timing.evidence.of(PitLane)]
    yield from sorted(rows, key=itemgetter(1, 0))


def neutralisations(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``neutralisations``."""
    timing.state()
    free_at = {window.interval: window.free_at for window in timing.neutral.windows}
    for interval in timing.neutral.found:
        sectors = joined(map(str, interval.sectors))
        yield interval.kind, sectors, interval.began, interval.ending_at, interval.ended, free_at.get(interval)


def decisions(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``decisions``."""
    for ruling in timing.state().said.rulings:
        taken = ruling.decision
        time_us = None if taken.seconds is None else round(taken.seconds * SECOND)
        head = (taken.decision, taken.id, taken.car, taken.penalty, penalty_text(taken), time_us, taken.laps, taken.positions, taken.lap)
        for number, step in enumerate(ruling.steps, start=1):
            yield *head, taken.article, number, step.stage, step.at, step.reason, number == len(ruling.steps)


def messages(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``messages``."""
    for notice in timing.board().notices:
        yield notice.id, notice.at, notice.kind, notice.text, notice.car, notice.struck


def results(timing: "Timing") -> Iterator["Row"]:
    """Give the rows of the table ``results``."""
    for version in versions(timing).versions:
        yield from _result(version.result, (version.number, version.stage, version.document))
    yield from _result(result(timing), (None, None, None))


def _result(made: Result, head: Sequence[str | int | None]) -> Iterator["Row"]:
    for order, row in enumerate(made.rows, start=1):
        penalties = joined(p.text if p.stage == "issued" else f"{p.text} ({p.stage})" for p in row.penalties)
        gap = (None, None) if row.position is None else (row.gap.laps, row.gap.time_us)
        yield (
            *head, order, row.position, row.car, row.class_, row.class_position, row.driver, row.team, row.laps, row.total_us, *gap,
            row.status, row.best_lap_us, row.on_the_road, row.gained, row.added_us, row.laps_taken, penalties,
        )  # fmt: skip


def joined(texts: Iterable[str]) -> str | None:
    """Join what there are several of in one cell; ``None`` where there is none."""
    return "; ".join(texts) or None
