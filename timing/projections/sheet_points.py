"""The sheet's points: for each championship that the session is scored for, who has how many of them and how they came about."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from timing.projections.points import ChampionshipPoints
from timing.projections.result import Result
from timing.projections.sheet_parts import Column, Line, Section
from timing.projections.sheet_result import drivers

if TYPE_CHECKING:
    from timing.projections.timing import Timing

_COLUMNS = (
    Column("Pos", "right"), Column("No", "right"), Column("Driver · Team", "left", "1fr"), Column("Class"), Column("Points", "right"),
    Column("How"),
)  # fmt: skip


def championships(timing: "Timing", made: Result) -> list[Section]:
    """Form a section for each championship, class by class where its points are those of the places in class."""
    return [
        Section("points", f"Points: {scored.championship}", _COLUMNS, tuple(_lines(timing, scored)), notes=_notes(scored))
        for scored in made.points
    ]


def _lines(timing: "Timing", scored: ChampionshipPoints) -> Iterator[Line]:
    class_ = None
    for row in scored.rows:
        if scored.by_class and row.class_ != class_:
            class_ = row.class_
            yield Line((class_,), "head")
        yield Line((str(row.position), row.car, drivers(timing, row.car), row.class_, f"{row.points:g}", row.why))


def _notes(scored: ChampionshipPoints) -> tuple[str, ...]:
    return (f"{scored.note[:1].upper()}{scored.note[1:]}.",) if scored.note else ()
