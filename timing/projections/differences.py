"""What differs between two ways of seeing one session: before and after a correction, or one version of a result and the next."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Struct

from timing.domain.units import format_duration, time_of_day
from timing.projections.board import ResultStatus
from timing.projections.head import session_view
from timing.projections.points import points_by_car

if TYPE_CHECKING:
    from timing.projections.timing import Timing

Value: TypeAlias = int | str | None


class Line(Struct, frozen=True, omit_defaults=True, rename={"class_": "class"}):
    """A car's line, as far as people would dispute it. ``on_the_road``: its place in the running order; instants and durations in µs.

    ``laps`` and ``total_us`` are the classification's, penalties in them; ``road_laps`` those on the road. ``position`` and
    ``class_position`` are ``None`` without a place. ``points``: what the session gives it, by championship; ``None`` where none is scored.
    """

    car: str
    class_: str
    on_the_road: int | None
    position: int | None
    class_position: int | None
    status: ResultStatus
    road_laps: int
    laps: int
    total_us: int | None
    best_lap_us: int | None
    points: str | None = None


class Change(Struct, frozen=True):
    """One thing that differs; a car that is only on one side has ``None`` on the other."""

    before: Value
    after: Value


class CarDifference(Struct, frozen=True):
    """What differs for a car, by the name of the field of ``Line``: never empty."""

    car: str
    changes: dict[str, Change]


class Differences(Struct, frozen=True):
    """All that differs. ``session``: its status, track status, laps and end; ``cars``: in finishing order after."""

    session: dict[str, Change] = {}
    cars: tuple[CarDifference, ...] = ()

    @property
    def none(self) -> bool:
        """Whether both are the same."""
        return not (self.session or self.cars)


_COMPARED = tuple(field.name for field in msgspec.structs.fields(Line) if field.name != "car")
_SESSION = ("status", "track_status", "laps", "finished_at")


def lines(timing: "Timing") -> dict[str, Line]:
    """Read a session's lines as it stands, in finishing order."""
    standings = {s.car: (place, s) for place, s in enumerate(timing.state().standings, start=1)}
    found: dict[str, Line] = {}
    places = timing.classification()
    scored = points_by_car(timing, places)
    for p in places:
        on_the_road, standing = standings[p.car]
        found[p.car] = Line(
            p.car, p.class_, on_the_road, p.position, p.class_position, p.status, standing.laps, p.laps, p.total_us, standing.best_us,
            scored.get(p.car),
        )  # fmt: skip
    return found


def head(timing: "Timing") -> dict[str, Value]:
    """Read what is compared of the session itself."""
    view = session_view(timing, timing.state())
    return {name: getattr(view, name) for name in _SESSION}


def differences(
    before: Mapping[str, Line],
    after: Mapping[str, Line],
    *,
    session_before: Mapping[str, Value] | None = None,
    session_after: Mapping[str, Value] | None = None,
) -> Differences:
    """Compare two sets of lines by car, and what is said of the session where it is given."""
    heads = session_before or {}, session_after or {}
    session = _changes(*heads, tuple(dict.fromkeys((*heads[0], *heads[1]))))
    cars = []
    for car in dict.fromkeys((*after, *before)):
        old, new = before.get(car), after.get(car)
        if changes := _changes(_fields(old), _fields(new), _COMPARED):
            cars.append(CarDifference(car, {name.rstrip("_"): change for name, change in changes.items()}))
    return Differences(session, tuple(cars))


def _fields(line: Line | None) -> Mapping[str, Value]:
    return {} if line is None else {name: getattr(line, name) for name in _COMPARED}


def _changes(before: Mapping[str, Value], after: Mapping[str, Value], names: tuple[str, ...]) -> dict[str, Change]:
    return {name: Change(before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


_WORDS = {
    "class": "class",
    "on_the_road": "on the road",
    "position": "result",
    "class_position": "in class",
    "status": "",
    "road_laps": "laps on the road",
    "laps": "laps",
    "total_us": "total",
    "best_lap_us": "best lap",
    "points": "points",
}


def in_words(found: Differences) -> list[str]:
    """Write the differences as people read them: one line for the session, one for each car."""
    written = []
    if found.session:
        written.append("session: " + ", ".join(change_in_words(name.replace("_", " "), name, c) for name, c in found.session.items()))
    for car in found.cars:
        changes = dict(car.changes)
        if changes.get("laps") == changes.get("road_laps"):
            changes.pop("road_laps", None)
        written.append(
            f"car {car.car}: " + ", ".join(change_in_words(_WORDS.get(name, name), name, change) for name, change in changes.items())
        )
    return written


def change_in_words(what: str, name: str, change: Change) -> str:
    """Write how something changed; ``name`` is its field, ``what`` how people call it."""
    return f"{what} {value_in_words(name, change.before)} -> {value_in_words(name, change.after)}".strip()


def value_in_words(name: str, value: Value) -> str:
    """Write a field's value as people read it: ``P3``, ``1:02.345``, ``not classified``."""
    if value is None:
        return "none"
    if name.endswith("_us") and isinstance(value, int):
        return format_duration(value)
    if name.endswith("_at") and isinstance(value, int):
        return time_of_day(value)
    if name in {"on_the_road", "position", "class_position"}:
        return f"P{value}"
    return str(value).replace("_", " ")
