"""The sheet that a timing office hands out: a session's result and what belongs to it, as texts in tables, ready to be typeset."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from timing.domain.errors import TimingError
from timing.domain.units import format_duration, time_of_day
from timing.projections.result import Result, result
from timing.projections.sheet_laps import chart, laps, stops
from timing.projections.sheet_parts import Part, Section, day
from timing.projections.sheet_points import championships
from timing.projections.sheet_result import classes, fastest, grid, overall
from timing.projections.sheet_said import decisions, messages
from timing.projections.versions import Version

if TYPE_CHECKING:
    from timing.projections.timing import Timing

Make: TypeAlias = Callable[["Timing", Result], Section | Sequence[Section] | None]

PARTS: dict[Part, Make] = {
    "classification": overall,
    "classes": classes,
    "points": championships,
    "grid": grid,
    "fastest": fastest,
    "chart": chart,
    "laps": laps,
    "stops": stops,
    "decisions": decisions,
    "messages": messages,
}
"""What a sheet may hold, in the order in which it is printed."""


class Sheet(Struct, frozen=True):
    """A sheet. ``stamp``: its stage and document number, or that it was not published. ``facts``: what it rests on, label and value.

    ``at``: the instant (µs) for which the file is dated.
    """

    title: str
    circuit: str
    head: tuple[str, ...]
    stamp: tuple[str, ...]
    foot: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    at: int
    sections: tuple[Section, ...]


def sheet(timing: "Timing", version: Version | None = None, parts: Sequence[Part] = tuple(PARTS)) -> Sheet:
    """Form the sheet of a session as it stands, or of a published version.

    ``timing`` is then the session as it was before the record that published it.

    Raises:
        TimingError: ``timing`` is not the state that the version is of.

    """
    made = result(timing)
    if version is not None and made.digest != version.digest:
        raise TimingError(f"version {version.number} was made from another state of the log than this")
    sections: list[Section] = []
    for part, make in PARTS.items():
        if part in parts and (found := make(timing, made)):
            sections += [found] if isinstance(found, Section) else found
    view = timing.board().session
    circuit = timing.evidence.opened.circuit if timing.evidence.opened else None
    length = f"{circuit.length_m / 1000:.3f} km" if circuit and circuit.length_m else ""
    head = [view.kind.capitalize(), _distance(timing), _moment(view.started_at) if view.started_at else ""]
    return Sheet(
        title=made.name,
        circuit=" · ".join(filter(None, (view.circuit if view.circuit != made.name else "", length))),
        head=tuple(filter(None, head)),
        stamp=_stamp(made, version),
        foot=f"{made.session} · record {made.seq} · {made.digest[:16]}",
        facts=tuple(_facts(made, version)),
        notes=tuple(_notes(timing, made, version)),
        at=version.at if version else timing.board().at,
        sections=tuple(sections),
    )


def _moment(at: int) -> str:
    return f"{day(at)}, {time_of_day(at)[:8]} UTC"


def _distance(timing: "Timing") -> str:
    distance = timing.distance
    said = []
    if distance.laps:
        said.append(f"{distance.laps} laps")
    if distance.minutes:
        said.append(f"{format_duration(distance.minutes * 60_000_000, 0)} h" if distance.minutes >= 60 else f"{distance.minutes} min")
    text = " or ".join(said)
    return f"{text} + {distance.plus_laps} lap{'s' if distance.plus_laps != 1 else ''}" if distance.plus_laps else text


def _stamp(made: Result, version: Version | None) -> tuple[str, ...]:
    if version is None:
        return ("Not published", f"as it stands: {made.status}")
    return (version.stage.capitalize(), f"Document {version.document}", _moment(version.at))


def _facts(made: Result, version: Version | None) -> list[tuple[str, str]]:
    facts = [("State (digest)", made.digest), ("Rests on record", f"{made.seq} of session {made.session}")]
    if made.rulebook:
        facts += [("Rulebook", f"{made.rulebook.title} ({made.rulebook.id})"), ("Rulebook's hash", made.rulebook.hash)]
    if version:
        facts.append(("Published by", f"record {version.seq}, version {version.number}"))
    signed = version.signature if version else None
    if signed:
        facts += [("Signed with key", f"{signed.key_id}  {signed.key}"), ("Signature", signed.signature)]
    elif version:
        facts.append(("Signature", "none"))
    return facts


def _notes(timing: "Timing", made: Result, version: Version | None) -> list[str]:
    stopped = timing.state().stopped
    notes = []
    if stopped is not None:
        at = time_of_day(stopped.signal_at)[:8]
        notes.append(f"Stopped at {at} UTC and not resumed; the result is that at the end of lap {stopped.counted}.")
    notes += [f"{fault[:1].upper()}{fault[1:]}." for fault in version.faults] if version else []
    if made.points_percent is not None and made.points_percent != 100:
        notes.append(f"Points by the distance run: {made.points_percent} %.")
    notes += [f"Car {drop.car} loses {drop.places} grid places at its next race (decision {drop.decision})." for drop in made.grid_drops]
    return notes
